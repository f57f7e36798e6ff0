"""Taking people out of a journal's file: their rows, and the bytes that are left of them.

SQLite leaves what it deletes in free pages and in its log. So what was changed is overwritten at
once, and the file is written anew when the last process has closed it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

from iprog_async._journal.pseudonyms import MARK, Pseudonyms
from iprog_async._journal.rows import Row, Values, are_the_same
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.queries import read_row, read_rows_of
from iprog_async._journal.sqlite.schema import ROW_COLUMNS, SEEN, today


_AT_ONCE = 1000
_OLD = f"""
SELECT {SEEN} FROM entries WHERE id > ? AND day < ? AND number NOT LIKE '{MARK}%'
ORDER BY id LIMIT {_AT_ONCE}
"""  # noqa: S608 - names only
_CHANGES = ", ".join(f"{column.name} = ?" for column in ROW_COLUMNS)
_MENTIONS = f"SELECT {SEEN} FROM entries WHERE state <> 'accepted' AND instr(detail, ?) ORDER BY id"  # noqa: S608 - names only
_TO_ERASE = 2
"""The value of `forgotten` while the bytes of somebody may still be in the file."""
_SECONDS_TO_ERASE = 5.0

IsLive = Callable[[Row], bool]


def prune(
    connection: sqlite3.Connection, days: int, pseudonyms: Pseudonyms, is_live: IsLive
) -> int:
    """Take the people out of rows that nobody has written for so many days; return how many.

    Args:
        connection: The database.
        days: How many whole days.
        pseudonyms: What stands in the rows that have to stay.
        is_live: Tells of a claimed row whether somebody is at it.
    """
    connection.execute("PRAGMA secure_delete=ON")
    after, count = 0, 0
    while True:
        with transaction(connection):
            rows = _rows(connection, _OLD, (after, today() - days))
            count += _hide(connection, rows, pseudonyms, is_live)
            if not rows:
                return count
        after = rows[-1].id


def forget(
    connection: sqlite3.Connection,
    number: str,
    rows: Sequence[Row],
    mention: str,
    pseudonyms: Pseudonyms,
    clean: Callable[[Row], Values],
) -> int | None:
    """Take a person out of their rows, and their number out of what errors say in others'.

    Args:
        connection: The database.
        number: The person's.
        rows: The person's rows, as they were read; nobody was at any of them.
        mention: The digits by which the number is found in words.
        pseudonyms: What stands in the rows that have to stay.
        clean: Makes the columns of a row without the number.

    Returns:
        How many rows; `None`, and nothing was changed, if somebody has written one since.
    """
    connection.execute("PRAGMA secure_delete=ON")
    with transaction(connection):
        if not are_the_same(rows, read_rows_of(connection, number)):
            return None
        count = _hide(connection, rows, pseudonyms, lambda _: False)
        for row in _rows(connection, _MENTIONS, (mention,)):
            _write(connection, row, clean(row))
        _set_forgotten(connection, _TO_ERASE)
    return count


def _hide(
    connection: sqlite3.Connection,
    rows: Iterable[Row],
    pseudonyms: Pseudonyms,
    is_live: IsLive,
) -> int:
    count = 0
    for row in rows:
        if row.state == "claimed" and is_live(row):
            continue
        hidden = pseudonyms.hide(row)
        if hidden is None:
            connection.execute("DELETE FROM entries WHERE id = ?", (row.id,))
        else:
            _write(connection, row, hidden)
        count += 1
    if count and not _forgotten(connection):
        _set_forgotten(connection, 1)
    return count


def _write(connection: sqlite3.Connection, row: Row, columns: Values) -> None:
    connection.execute(f"UPDATE entries SET {_CHANGES} WHERE id = ?", (*columns, row.id))  # noqa: S608 - names only


def _rows(connection: sqlite3.Connection, query: str, values: Sequence[Any]) -> list[Row]:
    return list(map(read_row, connection.execute(query, values).fetchall()))


def _forgotten(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT value FROM meta WHERE name = 'forgotten'").fetchone()
    return int(found[0])


def _set_forgotten(connection: sqlite3.Connection, value: int) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = 'forgotten'", (value,))
    seal_meta(connection)


def has_to_be_erased(connection: sqlite3.Connection) -> bool:
    """Return whether bytes of somebody who was forgotten may still be in the file."""
    return _forgotten(connection) == _TO_ERASE


def erase(path: str, *, patience: float = _SECONDS_TO_ERASE) -> bool:
    """Write a closed journal's file anew, without what was deleted in it.

    Args:
        path: Where it is; nobody has it open as a journal, and the caller is at its gate.
        patience: How many seconds to wait for somebody who reads it.

    Returns:
        Whether that was possible: somebody may be reading it.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=patience)) as connection:
            connection.execute("PRAGMA secure_delete=ON")
            # It empties the log and removes it.
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            if mode != "delete":
                return False
            connection.execute("VACUUM")
            with transaction(connection):
                _set_forgotten(connection, 1)
    except sqlite3.Error:
        return False
    return True
