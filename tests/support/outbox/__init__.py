"""Outboxes, and the connections over which people enqueue, for tests."""
