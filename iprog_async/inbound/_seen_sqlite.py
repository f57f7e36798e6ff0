"""Which incoming texts were handled, in an SQLite file: for the processes of one machine."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

from iprog_async._suppressions.sqlite_file import SqliteFile
from iprog_async.inbound._seen import Record, Turn, begun, decide


_PURGE = "DELETE FROM seen WHERE expires <= ?"
_SELECT = "SELECT owner, lease_ends, expires, done FROM seen WHERE id = ?"
_PUT = "INSERT OR REPLACE INTO seen (id, owner, lease_ends, expires, done) VALUES (?, ?, ?, ?, 0)"
_END = "UPDATE seen SET done = 1 WHERE id = ? AND owner = ?"
_GIVE_BACK = "DELETE FROM seen WHERE id = ? AND owner = ? AND NOT done"


class SqliteSeenStore:
    """Knows it in a table beside the suppressed numbers.

    Args:
        path: The file.
        now: What tells the time, for all processes.

    Raises:
        SuppressionsError: It can't be opened or made.
    """

    def __init__(self, path: str, now: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(path, create=True)
        self._now = now

    def begin(self, key: bytes, owner: bytes, window: float) -> Turn:
        """Take a text for handling, unless it is known."""

        def take(connection: sqlite3.Connection) -> Turn:
            now = self._now()
            connection.execute(_PURGE, (now,))
            row = connection.execute(_SELECT, (key,)).fetchone()
            turn = decide(row and Record(*row), owner, now)
            if turn == "new":
                new = begun(owner, now, window)
                connection.execute(_PUT, (key, owner, new.lease_ends, new.expires))
            return turn

        return self._file.write(take)

    def end(self, key: bytes, owner: bytes) -> None:
        """Note that a text was handled."""
        self._file.write(lambda connection: connection.execute(_END, (key, owner)))

    def give_back(self, key: bytes, owner: bytes) -> None:
        """Let a text be handled again."""
        self._file.write(lambda connection: connection.execute(_GIVE_BACK, (key, owner)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
