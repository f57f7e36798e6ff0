"""Where processes of tests keep what they share: a file."""

from __future__ import annotations

from iprog_async._limits.sqlite_store import SqliteLimitStore
from iprog_async._limits.store import LimitStore


def open_place(place: str) -> LimitStore:
    """Return the store at a place, as one more process opens it."""
    return SqliteLimitStore(place, b"salt")
