"""Counts of the processes of one machine: a small SQLite file beside the journal."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from iprog_async._limits.count_stores import Change
from iprog_async._limits.counts import Counts
from iprog_async._limits.sqlite_file import SqliteFile


R = TypeVar("R")

_MOST_NAMES = 500
_UPSERT = "INSERT OR REPLACE INTO counts (name, state, ends) VALUES (?, ?, ?)"
_SWEEP = "DELETE FROM counts WHERE name IN (SELECT name FROM counts WHERE ends < ? LIMIT 100)"
_CHANGES_BETWEEN_SWEEPS = 50


class SqliteCountStore(SqliteFile):
    """Keeps the counts in a file.

    Args:
        path: The file; made when it is first needed.
        salt: Goes into the names of counts; the journal's.
        now: What tells the time, in seconds since 1970.
    """

    table = (
        "CREATE TABLE IF NOT EXISTS counts "
        "(name BLOB PRIMARY KEY, state TEXT NOT NULL, ends REAL NOT NULL) WITHOUT ROWID"
    )
    # Of what was counted in the last moments before a power cut some may be lost, and nothing else.
    synchronous = "NORMAL"
    may_be_made_anew = False

    def __init__(self, path: str, salt: bytes, now: Callable[[], float] = time.time) -> None:
        super().__init__(path)
        self._salt = salt
        self._now = now
        self._changes = 0

    async def change(self, names: Sequence[bytes], change: Change[R]) -> R:
        """Change some counts together, while no other process changes any.

        Raises:
            LimitStoreError: The file can't be used.
        """
        self._changes += 1
        sweeps = self._changes % _CHANGES_BETWEEN_SWEEPS == 0

        def work(connection: sqlite3.Connection) -> R:
            counts = Counts(_found(connection, names), self._now())
            answer = change(counts)
            rows = [(name, *kept) for name, kept in counts.changed().items()]
            connection.executemany(_UPSERT, rows)
            if sweeps:
                connection.execute(_SWEEP, (counts.now,))
            return answer

        return await self.transact(work)

    async def salt(self) -> bytes:
        """Return what goes into the names of counts."""
        return self._salt


def _found(connection: sqlite3.Connection, names: Sequence[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for start in range(0, len(names), _MOST_NAMES):
        some = names[start : start + _MOST_NAMES]
        marks = ", ".join("?" * len(some))
        query = f"SELECT name, state FROM counts WHERE name IN ({marks})"  # noqa: S608 - marks
        found.update(connection.execute(query, some).fetchall())
    return found
