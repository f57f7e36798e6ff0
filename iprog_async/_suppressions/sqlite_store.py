"""A list in an SQLite file: for the processes of one machine."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from iprog_async._suppressions.entries import Suppression, SuppressionChange
from iprog_async._suppressions.sqlite_file import SqliteFile


_IS_ON = "SELECT 1 FROM suppressions WHERE number = ?"
_ADD = "INSERT OR IGNORE INTO suppressions (number, since, why) VALUES (?, ?, ?)"
_REMOVE = "DELETE FROM suppressions WHERE number = ?"
_NOTE = "INSERT INTO changes (number, change, at, why) VALUES (?, ?, ?, ?)"
_COUNT = "SELECT count(*) FROM suppressions"
_PAGE = "SELECT number, since, why FROM suppressions WHERE number > ? ORDER BY number LIMIT ?"
_CHANGES = "SELECT id, number, change, at, why FROM changes WHERE id > ? ORDER BY id LIMIT ?"


class SqliteSuppressionStore:
    """Keeps a list in a file, and looks each number up in it: nothing is remembered.

    Args:
        path: The file.
        create: Whether it may be made.

    Raises:
        SuppressionsError: It can't be opened or made.
    """

    is_quick = True

    def __init__(self, path: str, *, create: bool) -> None:
        self.shown = path
        # Two connections: whoever looks a number up waits for nobody's write to reach the disk.
        self._writing = SqliteFile(path, create=create)
        self._reading = SqliteFile(path, create=False)

    def among(self, numbers: Sequence[str]) -> set[str]:
        """Return those of some numbers that are on the list now."""

        def look_up(connection: sqlite3.Connection) -> set[str]:
            return {n for n in numbers if connection.execute(_IS_ON, (n,)).fetchone()}

        return self._reading.read(look_up)

    def add(self, entries: Sequence[Suppression]) -> int:
        """Put numbers on the list, durably; one that is on it stays as it is."""

        def insert(connection: sqlite3.Connection) -> int:
            new = 0
            for entry in entries:
                row = (entry.number, _written(entry.since), entry.why)
                if connection.execute(_ADD, row).rowcount:
                    new += 1
                    connection.execute(_NOTE, (entry.number, "added", row[1], entry.why))
            return new

        return self._writing.write(insert)

    def remove(self, changes: Sequence[SuppressionChange]) -> int:
        """Take numbers off the list, durably, and return how many were on it."""

        def delete(connection: sqlite3.Connection) -> int:
            gone = 0
            for change in changes:
                if connection.execute(_REMOVE, (change.number,)).rowcount:
                    gone += 1
                    row = (change.number, change.change, _written(change.at), change.why)
                    connection.execute(_NOTE, row)
            return gone

        return self._writing.write(delete)

    def count(self) -> int:
        """Return how many numbers are on the list."""
        return int(self._reading.read(lambda connection: connection.execute(_COUNT).fetchone()[0]))

    def page(self, after: str, limit: int) -> list[Suppression]:
        """Return the next entries behind a number, in the order of numbers."""
        return [
            Suppression(number, _read(since), why)
            for number, since, why in self._rows(_PAGE, after, limit)
        ]

    def changes(self, after: int, limit: int) -> list[tuple[int, SuppressionChange]]:
        """Return the next changes behind a place, in their order."""
        return [
            (place, SuppressionChange(number, change, _read(at), why))
            for place, number, change, at, why in self._rows(_CHANGES, after, limit)
        ]

    def close(self) -> None:
        """Close the file; twice is fine."""
        self._reading.close()
        self._writing.close()

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._reading.read(lambda connection: connection.execute(query, values).fetchall())


def _written(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat()


def _read(when: str | None) -> datetime | None:
    return None if when is None else datetime.fromisoformat(when)
