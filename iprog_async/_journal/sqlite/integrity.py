"""Whether a file is there, a journal, and whole: its structure, its tables, each of its rows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from zlib import crc32

from iprog_async._core.errors import JournalError
from iprog_async._journal.sqlite.schema import (
    APPLICATION_ID,
    CHECKED_BYTES,
    INDEX_OF_SINGLES,
    ODD_ROW,
    TABLES,
    VERSION,
    index_by_number,
)


DAMAGED = "the journal is damaged; restore it from a copy before you send"
_META = {"version", "campaign", "salt", "made_at", "run", "indexed_below"}
_META_OF_4 = {"blocks", "forgotten"}
_SEAL = "checksum"
_ROWS_AT_ONCE = 1000


def leads_to(path: str, identity: os.stat_result) -> bool:
    """Return whether a path still leads to the file that was opened by it."""
    try:
        return os.path.samestat(os.stat(path), identity)
    except OSError:
        return False


def is_ours(connection: sqlite3.Connection) -> bool:
    """Return whether a database says that it is a journal."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(application == APPLICATION_ID)


def check_ours(connection: sqlite3.Connection) -> bool:
    """Return whether a journal has its tables already, before anything is changed about it.

    Raises:
        JournalError: It is a database of something else.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or tables):
        raise another_database()
    return bool(tables)


def another_database() -> JournalError:
    """Return what to raise for a database of something else."""
    return JournalError(
        "this file is no journal of sent texts, but another SQLite database; it was left as it "
        "is: take another file"
    )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """Write all of it, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors, such as a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Generator[None]:
    """Read all of it as it is at one moment, whatever others write meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def read_meta(connection: sqlite3.Connection) -> dict[str, Any]:
    """Return what the file says of itself as a whole.

    Raises:
        JournalError: It is damaged, or of a format that is not known.
        sqlite3.Error: It is no journal.
    """
    # Each page is looked at, and whether each index has each row.
    (word,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    meta: dict[str, Any] = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    if word != "ok" or not meta.keys() >= _META:
        raise JournalError(DAMAGED)
    version = meta["version"]
    if version == VERSION and not meta.keys() >= _META_OF_4:
        raise JournalError(DAMAGED)
    if not isinstance(version, int) or not 0 < version <= VERSION:
        raise JournalError(
            f"this journal has the format {version!r}, and this library knows those up to "
            f"{VERSION}; use the release that made it"
        )
    return meta


def check_whole(connection: sqlite3.Connection, meta: Mapping[str, Any]) -> None:
    """Raise `JournalError` if tables or meta data are not as we wrote them."""
    tables = dict(
        connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    )
    # Those that runs make.
    indexes = dict([index_by_number(meta["indexed_below"]), INDEX_OF_SINGLES])
    expected = TABLES | {name: sql for name, sql in indexes.items() if name in tables}
    if tables != expected or meta.get(_SEAL) != _seal_of(meta):
        raise JournalError(DAMAGED)


def seal_meta(connection: sqlite3.Connection) -> None:
    """Write the checksum of the meta data, which have changed in the same transaction."""
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_SEAL, _seal_of(meta)))


def _seal_of(meta: Mapping[str, Any]) -> int:
    return crc32(repr([(name, meta[name]) for name in sorted(meta) if name != _SEAL]).encode())


def damaged_rows(connection: sqlite3.Connection) -> frozenset[int]:
    """Return the numbers of the rows that are not as we wrote them."""
    # SQLite puts the bytes together: doing it here would take twice as long.
    rows = connection.execute(f"SELECT id, checksum, {CHECKED_BYTES} FROM entries")  # noqa: S608 - constants
    odd = connection.execute(f"SELECT id FROM entries WHERE {ODD_ROW}")  # noqa: S608 - constants
    damaged: set[int] = {number for (number,) in odd}
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        _, checksums, contents = zip(*some, strict=True)
        if None in contents or list(map(crc32, contents)) != list(checksums):
            damaged.update(
                number
                for number, checksum, content in some
                if content is None or crc32(content) != checksum
            )
    return frozenset(damaged)
