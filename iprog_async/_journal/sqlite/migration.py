"""Bringing the files of older releases to the present format, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from iprog_async._core.errors import JournalError
from iprog_async._journal.rows import DAMAGED_ROW, ROW_STATES, Row, Values, unpack_receipt
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.schema import TABLES, VERSION, upsert


_ROWS_AT_ONCE = 20


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


def _from_1(connection: sqlite3.Connection) -> None:
    """Give each row its delivery status and its checksum."""
    connection.execute("ALTER TABLE entries RENAME TO entries_1")
    for index in ("entries_by_key", "entries_by_number"):
        connection.execute(f"DROP INDEX IF EXISTS {index}")
    for name in ("entries", "entries_by_key"):
        connection.execute(TABLES[name])
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
    rows = iter(rows)
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        connection.execute(upsert(len(some)), [value for row in some for value in row])


_STEPS: dict[int, Callable[[sqlite3.Connection], None]] = {1: _from_1}
"""What brings a format to the next one."""
