"""Where it is kept which incoming texts were handled."""

from __future__ import annotations

import os

from iprog_async._journal.postgres.address import is_address
from iprog_async._suppressions.places import Place, is_of_lines, parse_address
from iprog_async.inbound._seen import MemorySeenStore, SeenStore
from iprog_async.inbound._seen_sqlite import SqliteSeenStore


def open_seen(place: Place | None) -> SeenStore:
    """Open what knows which texts were handled.

    Args:
        place: An SQLite file, or the address of a journal in PostgreSQL. For a file of lines, or
            nothing, it is this process's memory.

    Raises:
        ConfigurationError: The driver of PostgreSQL is missing.
        SuppressionsError: It can't be opened.
    """
    if place is None:
        return MemorySeenStore()
    if is_address(place):
        # Behind an address is what most programs don't have.
        from iprog_async.inbound._seen_postgres import PostgresSeenStore

        return PostgresSeenStore(parse_address(os.fspath(place)))
    path = os.fsdecode(place)
    if is_of_lines(path):
        return MemorySeenStore()
    return SqliteSeenStore(path)
