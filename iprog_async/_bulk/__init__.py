"""A run of many messages: reading, checking, bounds, and its outcomes as they come."""
