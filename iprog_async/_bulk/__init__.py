"""Runs of many messages: reading, checking, limits, and outcomes as they come."""
