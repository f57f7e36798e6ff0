"""Bringing the files of older releases to the present format, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

from iprog_async._core.errors import JournalError
from iprog_async._journal.rows import DAMAGED_ROW, ROW_STATES, Row, Values, unpack_receipt
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.schema import ATTEMPT, DAY, TABLES, VERSION, today


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a file of an older format to the present one, or leave it as it is.

    Raises:
        sqlite3.Error: It can't be written; it is as it was.
    """
    with transaction(connection):
        for older in range(version, VERSION):
            _STEPS[older](connection)
        connection.execute("UPDATE meta SET value = ? WHERE name = 'version'", (VERSION,))
        seal_meta(connection)


# As format 2 had it: what is written here never changes with the columns of later formats.
_ENTRIES_OF_2 = (
    "CREATE TABLE entries (id INTEGER PRIMARY KEY, number TEXT NOT NULL, key TEXT, "
    "run INTEGER NOT NULL, text_hash BLOB NOT NULL, state TEXT NOT NULL, "
    "healable INTEGER NOT NULL, provider TEXT NOT NULL, detail TEXT NOT NULL, status TEXT, "
    "checksum INTEGER NOT NULL)"
)
_WIDTH_OF_2 = 11


def _from_1(connection: sqlite3.Connection) -> None:
    """Give each row its delivery status and its checksum."""
    connection.execute("ALTER TABLE entries RENAME TO entries_1")
    for index in ("entries_by_key", "entries_by_number"):
        connection.execute(f"DROP INDEX IF EXISTS {index}")
    for table in (_ENTRIES_OF_2, TABLES["entries_by_key"]):
        connection.execute(table)
    older = connection.execute(
        "SELECT id, number, key, text_hash, run, state, healable, provider, detail "
        "FROM entries_1 ORDER BY id"
    )
    _write(connection, map(_row_of_1, older))
    connection.execute("DROP TABLE entries_1")
    connection.execute("UPDATE meta SET value = 1 WHERE name = 'indexed_below'")


def _row_of_1(values: tuple[Any, ...]) -> Values:
    row = Row(*values)
    if row.state == "accepted":
        try:
            return row.as_accepted(unpack_receipt(row))
        except JournalError:
            return row.as_unknown(DAMAGED_ROW)
    if row.state not in ROW_STATES:
        return row.as_unknown(DAMAGED_ROW)
    return row.as_it_is()


def _write(connection: sqlite3.Connection, rows: Iterable[Values]) -> None:
    marks = ", ".join("?" * _WIDTH_OF_2)
    connection.executemany(f"INSERT INTO entries VALUES ({marks})", rows)  # noqa: S608 - marks only


def _from_2(connection: sqlite3.Connection) -> None:
    """Let several openings of the file tell their claims and their new rows apart."""
    connection.execute(f"ALTER TABLE entries ADD COLUMN {ATTEMPT}")
    connection.execute("INSERT INTO meta VALUES ('blocks', 0)")


def _from_3(connection: sqlite3.Connection) -> None:
    """Note on which day each row was written; of those that are there it is not known."""
    connection.execute(f"ALTER TABLE entries ADD COLUMN {DAY}")
    connection.execute("UPDATE entries SET day = ?", (today(),))
    connection.execute("INSERT INTO meta VALUES ('forgotten', 0)")


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _from_1, 2: _from_2, 3: _from_3}
"""What brings a format to the next one."""
