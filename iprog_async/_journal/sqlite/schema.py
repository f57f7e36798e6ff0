"""The tables of a journal's file, a column at a time.

Those of a database are in `_journal/postgres/schema.py`. A new column is a line of `ROW_COLUMNS`,
a new `VERSION`, and a step in `_journal/sqlite/migration.py`; what stands in it is written in
`_journal/rows.py`, in the same order.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

from attrs import frozen

from iprog_async._journal.rows import Values


VERSION = 4
"""The format of the file."""
APPLICATION_ID = 0x69_50_52_47
"""Tells our files from other SQLite files: "iPRG"."""


@frozen
class Column:
    """A column of the messages' table.

    Args:
        name: Its name.
        kind: SQLite's name for what stands in it.
        fixed: Whether it stays as it is for as long as the row is there.
        may_be_null: Whether a row may have nothing in it.
    """

    name: str
    kind: str
    fixed: bool = False
    may_be_null: bool = False

    @property
    def declaration(self) -> str:
        """The column in `CREATE TABLE`."""
        if self.name == "id":
            return "id INTEGER PRIMARY KEY"
        return f"{self.name} {self.kind}{'' if self.may_be_null else ' NOT NULL'}"

    @property
    def bytes_of(self) -> str:
        """The column as it is in what the checksum is of; see `_journal/rows.py`."""
        return f"coalesce('=' || {self.name}, '')" if self.may_be_null else self.name

    @property
    def is_odd(self) -> str:
        """Whether something else than its kind stands in it."""
        null = ", 'null'" if self.may_be_null else ""
        return f"typeof({self.name}) NOT IN ('{self.kind.lower()}'{null})"


ROW_COLUMNS = (
    Column("id", "INTEGER", fixed=True),
    Column("number", "TEXT", fixed=True),
    Column("key", "TEXT", fixed=True, may_be_null=True),
    Column("run", "INTEGER"),
    Column("text_hash", "BLOB"),
    Column("state", "TEXT"),
    Column("healable", "INTEGER"),
    Column("provider", "TEXT"),
    Column("detail", "TEXT"),
    Column("status", "TEXT", may_be_null=True),
    Column("checksum", "INTEGER"),
)

NAMES = ", ".join(column.name for column in ROW_COLUMNS)
SEEN = f"{NAMES}, attempt"
"""What is read of a row: its columns, and who claimed it last."""
WIDTH = len(ROW_COLUMNS)
_CHECKED = " || '|' || ".join(column.bytes_of for column in ROW_COLUMNS[:-1])
CHECKED_BYTES = f"CAST({_CHECKED} AS BLOB)"
"""What a row's checksum is of, as SQL."""
ODD_ROW = " OR ".join(column.is_odd for column in ROW_COLUMNS)
"""Whether a row holds what its columns are not made for, as SQL."""

ATTEMPT = "attempt INTEGER NOT NULL DEFAULT 0"
"""Which opening of the file claimed a row last, as a column.

It is no part of the checksum: it is the store's own, and nobody is texted twice by a wrong one.
"""
DAY = "day INTEGER NOT NULL DEFAULT 0"
"""The day on which a row was written last, counted from 1970, as a column; no part of the checksum.

A day and not a time: in a statement, a number that changes once a day costs nothing.
"""
_COLUMNS = ", ".join(column.declaration for column in ROW_COLUMNS)

TABLES = {
    "meta": "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
    # As SQLite writes it when the columns are added to the table of format 2.
    "entries": f"CREATE TABLE entries ({_COLUMNS}, {ATTEMPT}, {DAY})",
    "entries_by_key": (
        "CREATE INDEX entries_by_key ON entries (key, number) WHERE key IS NOT NULL"
    ),
}
"""What a new file is made of."""


def index_by_number(below: int) -> tuple[str, str]:
    """Return name and SQL of the index of the rows with smaller numbers.

    Rows are looked up by number by an index that a run makes when it begins; see the store.
    """
    name = "entries_by_number"
    return name, f"CREATE INDEX {name} ON entries (number) WHERE id < {below}"


OF_SINGLES = "key IS NOT NULL AND run = 0"
"""Which rows are those of single sends, as SQL."""
INDEX_OF_SINGLES = (
    "entries_of_singles",
    f"CREATE INDEX entries_of_singles ON entries (number) WHERE {OF_SINGLES}",
)
"""Name and SQL of the index by which a run finds what single sends have sent its numbers.

The first run makes it: a file that only single sends use has none.
"""


def today() -> int:
    """Return the day, counted from 1970."""
    return int(time.time() // 86400)


_NULLABLE = [place for place, column in enumerate(ROW_COLUMNS) if column.may_be_null]
_BLOBS = [place for place, column in enumerate(ROW_COLUMNS) if column.kind == "BLOB"]
# Its number is no number.
_NO_ROW = ["" if column.name == "id" else 0 for column in ROW_COLUMNS]


def parameters(rows: Iterable[Values], no_rows: int = 0) -> list[object]:
    """Return the parameters of `upsert` for rows, one after the other.

    What stands for nothing is 0, where text stands else, and bytes are a `bytearray`: for every
    `None` and `bytes` Python's `sqlite3` looks for somebody to adapt it, which takes as long as
    writing the row.

    Args:
        rows: The rows.
        no_rows: How many the statement writes more; of these it writes nothing.
    """
    values: list[Any] = list(chain.from_iterable(rows))
    for place in _NULLABLE:
        values[place::WIDTH] = [0 if value is None else value for value in values[place::WIDTH]]
    for place in _BLOBS:
        values[place::WIDTH] = map(bytearray, values[place::WIDTH])
    return values + _NO_ROW * no_rows if no_rows else values


@lru_cache(maxsize=256)
def upsert(rows: int, day: int, attempt: int = 0, unless_after: int | None = None) -> str:
    """Return the statement that writes up to so many rows; a change leaves the indexes alone.

    Its parameters come from `parameters`.

    Args:
        rows: How many.
        day: What day it is.
        attempt: Which opening of the file writes them; 0 if it is nobody's claim.
        unless_after: The `data_version` after which nothing is to be written: if somebody else
            has written, the statement fails, since an attempt may not be `NULL`.
    """
    # SQLite takes five times as long to parse a row as to write it, so that a row is nothing but
    # its parameters; and a number in the statement costs less than a value of each row.
    places = ", ".join(["(" + ", ".join("?" * WIDTH) + ")"] * rows)
    values = ", ".join(
        f"nullif(column{place}, 0)" if column.may_be_null else f"column{place}"
        for place, column in enumerate(ROW_COLUMNS, 1)
    )
    by = str(attempt)
    if unless_after is not None:
        seen = f"(SELECT data_version FROM pragma_data_version) = {unless_after}"  # noqa: S608 - a number
        by = f"CASE WHEN {seen} THEN {attempt} END"
    names = [column.name for column in ROW_COLUMNS if not column.fixed]
    changes = ", ".join(f"{name} = excluded.{name}" for name in (*names, "attempt", "day"))
    return f"""
    INSERT INTO entries ({NAMES}, attempt, day)
    SELECT {values}, {by}, {day} FROM (VALUES {places}) WHERE column1 <> ''
    ON CONFLICT (id) DO UPDATE SET {changes}
    """  # noqa: S608 - constants and numbers
