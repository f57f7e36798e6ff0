"""Where processes of tests keep what they share: a file, or a journal's database."""

from __future__ import annotations

from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._limits.postgres_store import PostgresLimitStore
from iprog_async._limits.sqlite_store import SqliteLimitStore
from iprog_async._limits.store import LimitStore


def open_place(place: str) -> LimitStore:
    """Return the store at a place, as one more process opens it."""
    if not is_address(place):
        return SqliteLimitStore(place, b"salt")
    address = PostgresAddress.parse(place)
    return PostgresLimitStore(address.conninfo, address.schema)
