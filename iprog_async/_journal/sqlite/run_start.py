"""The beginning of a bulk run, as the file has it: its number, and what was there before."""

from __future__ import annotations

import sqlite3

from attrs import frozen

from iprog_async._journal.sqlite.id_blocks import first_of, lease_block
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.schema import index_by_number


# So few rows are looked through faster than an index is made, or made anew.
_FEW_ROWS = 10_000
_SMALL_PART = 50


@frozen
class Begun:
    """A run that has begun; as it is made by itself, none has.

    Args:
        run: Its number.
        block: Which numbers its rows get.
        indexed_below: Rows with smaller numbers are in the index by number.
        has_earlier_rows: Whether there were rows before.
    """

    run: int = 0
    block: int = 0
    indexed_below: int = 1
    has_earlier_rows: bool = False

    @property
    def below(self) -> int:
        """Rows that were there before have smaller numbers, and its own have not."""
        return first_of(self.block)


def begin(connection: sqlite3.Connection, block: int) -> Begun:
    """Give a run its number and its rows' numbers, and make earlier rows quick to find.

    Args:
        connection: The database.
        block: Which numbers new rows have got until now.

    Raises:
        sqlite3.Error: That could not be put on record.
    """
    with transaction(connection):
        # Other processes may have changed all of it since the file was opened.
        block = lease_block(connection, block)
        indexed = _read(connection, "indexed_below")
        if _is_worth_an_index(connection, indexed):
            indexed = first_of(block)
            _index(connection, indexed)
        run = _read(connection, "run") + 1
        _write(connection, "run", run)
        seal_meta(connection)
        (some,) = connection.execute("SELECT EXISTS (SELECT 1 FROM entries)").fetchone()
    return Begun(run, block, indexed, bool(some))


def _is_worth_an_index(connection: sqlite3.Connection, indexed: int) -> bool:
    """Return whether the rows that have come since are more than a few."""
    query = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE id >= ? LIMIT ?)"
    (new,) = connection.execute(query, (indexed, _FEW_ROWS + 1)).fetchone()
    if new <= _FEW_ROWS:
        return False
    (new,) = connection.execute(query, (indexed, -1)).fetchone()
    (old,) = connection.execute("SELECT count(*) FROM entries WHERE id < ?", (indexed,)).fetchone()
    return bool(new > old // _SMALL_PART)


def _index(connection: sqlite3.Connection, below: int) -> None:
    name, index = index_by_number(below)
    connection.execute(f"DROP INDEX IF EXISTS {name}")
    connection.execute(index)
    _write(connection, "indexed_below", below)


def _read(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return int(value)


def _write(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))
