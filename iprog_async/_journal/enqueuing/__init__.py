"""Putting a text into the outbox, within a transaction of the caller's own connection."""
