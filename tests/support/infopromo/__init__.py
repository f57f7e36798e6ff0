"""Infopromo's sandbox and wire, for tests."""
