"""The beginning of a bulk run: its number, what was there before, and who has written since."""

from __future__ import annotations

import sqlite3

from attrs import frozen

from iprog_async._journal.sqlite.id_blocks import first_of, lease_block
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.schema import INDEX_OF_SINGLES, index_by_number


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


class OtherWriters:
    """Whether anybody else has written to the file since a run began.

    What the run looked up may be hours old as a row's turn comes. As long as nobody else writes,
    it still holds, and a claim need not ask. SQLite tells who writes by another connection; what
    single sends write by this one, the writer tells. Only the thread that owns the file uses it.
    """

    def __init__(self) -> None:
        self.version: int | None = None
        """What `data_version` says for as long as nobody else has written; `None` where it does
        not matter, or somebody has."""
        self.have_written = False

    def watch(self, connection: sqlite3.Connection) -> None:
        """Begin anew; called in the transaction that begins a run."""
        self.have_written = False
        self.version = _data_version(connection)

    def look(self, connection: sqlite3.Connection) -> None:
        """Look who has written; called within a transaction, in which nobody else can."""
        if self.version is not None and self.version != _data_version(connection):
            self.note()

    def note(self) -> None:
        """Note that somebody has, or a single send through this connection."""
        if self.version is not None:
            self.version, self.have_written = None, True


def begin(connection: sqlite3.Connection, block: int, others: OtherWriters) -> Begun:
    """Give a run its number and its rows' numbers, and make earlier rows quick to find.

    Args:
        connection: The database.
        block: Which numbers new rows have got until now.
        others: Told that from now on it matters who else writes.

    Raises:
        sqlite3.Error: That could not be put on record.
    """
    with transaction(connection):
        others.watch(connection)
        # Other processes may have changed all of it since the file was opened.
        block = lease_block(connection, block)
        indexed = _read(connection, "indexed_below")
        if _is_worth_an_index(connection, indexed):
            indexed = first_of(block)
            _index(connection, indexed)
        _index_singles(connection)
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


def _index_singles(connection: sqlite3.Connection) -> None:
    name, index = INDEX_OF_SINGLES
    query = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = ?)"
    (there,) = connection.execute(query, (name,)).fetchone()
    if not there:
        connection.execute(index)


def _read(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return int(value)


def _write(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("UPDATE meta SET value = ? WHERE name = ?", (value, name))


def _data_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)
