"""A clock and fakes for the core's tests."""
