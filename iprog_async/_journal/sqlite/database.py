"""Opening the journal's SQLite file: whose it is, whether it is whole, and its tables."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import stat
import time
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from iprog_async._core.errors import JournalError
from iprog_async._journal.rows import to_damaged_row, to_row
from iprog_async._journal.sqlite.integrity import (
    DAMAGED,
    check_whole,
    damaged_rows,
    read_meta,
    seal_meta,
    transaction,
)
from iprog_async._journal.sqlite.migration import migrate
from iprog_async._journal.sqlite.open_marker import (
    Marker,
    Verdict,
    examine,
    mark_open,
    set_log_aside,
    what_is_lost,
)
from iprog_async._journal.sqlite.schema import APPLICATION_ID, NAMES, TABLES, VERSION, upsert
from iprog_async._journal.sqlite.wal import path_of_wal


_SMALLEST = 512  # bytes of SQLite's smallest page; the first one is written as a whole
_LOST = "the journal lost its newest records, and this may have been sent after what it has"


@frozen
class JournalFile:
    """An open journal.

    Args:
        connection: The open database.
        identity: What tells whether the path still leads to this file.
        salt: What texts are hashed with.
        made_at: When the journal was made.
        last_id: Number of the last row; 0 if there is none.
        indexed_below: Rows with smaller numbers are in the index by number.
    """

    connection: sqlite3.Connection
    identity: os.stat_result
    salt: bytes
    made_at: datetime
    last_id: int
    indexed_below: int


def open_file(path: str, campaign: str | None, *, allow_lost_records: bool = False) -> JournalFile:
    """Open a journal's file for writing, or make one with mode 0600.

    Args:
        path: Where it is.
        campaign: What it has to be about; anything if `None`.
        allow_lost_records: Whether to go on with one that lacks records: what it has and was
            not accepted becomes unknown.

    Raises:
        JournalError: It is damaged, lacks records, is of another campaign, or no journal.
        OSError: The system does not let us.
    """
    identity = _touch(path)
    try:
        marker, verdict = examine(path)
        lost = verdict in (Verdict.LOST, Verdict.STRANGE_LOG)
        if lost and not allow_lost_records:
            raise what_is_lost(path, verdict)
        if verdict is Verdict.USELESS_LOG:
            os.unlink(path_of_wal(path))
        elif lost:
            set_log_aside(path)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as exc:
        # A path can be too long for SQLite.
        raise unusable(path, exc) from None
    try:
        file = _examine(connection, identity, campaign)
        _heal(connection, path, lost=lost, allowed=allow_lost_records)
        if lost or not marker.is_open:
            mark_open(connection, path)
        return file
    except sqlite3.Error as exc:
        connection.close()
        raise unusable(path, exc) from None
    except BaseException:
        connection.close()
        raise


def unusable(path: str, cause: Exception) -> JournalError:
    """Return what to raise for an error of SQLite."""
    return JournalError(
        f"the journal {path} can't be used: {cause}. Nothing more is sent; what is on record "
        "stays there: fix the cause and run again"
    )


def _touch(path: str) -> os.stat_result:
    """Make the file if it is not there, and return what identifies it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
    # Not by opening it: closing it would drop the locks that a reader in this process has.
    identity = os.stat(path)
    if not stat.S_ISREG(identity.st_mode):
        # A device such as /dev/null is not ours to change.
        raise JournalError(f"can't open the journal {path}: it is no regular file")
    if identity.st_size == 0:
        # Somebody may have made it empty and readable; SQLite's other files take its mode.
        os.chmod(path, 0o600)
    return identity


def _examine(
    connection: sqlite3.Connection, identity: os.stat_result, campaign: str | None
) -> JournalFile:
    if not check_ours(connection):
        if 0 < identity.st_size < _SMALLEST:
            # SQLite takes it for an empty one, and the journal it was would be sent once more.
            raise JournalError(DAMAGED)
        # Before there is a log: the main file has it all from the beginning.
        _make(connection, campaign or "")
    connection.execute("PRAGMA journal_mode=WAL")
    meta = read_meta(connection)
    if meta["version"] < VERSION:
        _check_campaign(meta, campaign)
        migrate(connection, meta["version"])
        meta = read_meta(connection)
    check_whole(connection, meta)
    _check_campaign(meta, campaign)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entries").fetchone()
    made_at = datetime.fromtimestamp(meta["made_at"], UTC)
    return JournalFile(connection, identity, meta["salt"], made_at, last, meta["indexed_below"])


def check_ours(connection: sqlite3.Connection) -> bool:
    """Return whether a journal has its tables already, before anything is changed about it.

    Raises:
        JournalError: It is a database of something else.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION_ID and (application or tables):
        raise JournalError(
            "this file is no journal of sent texts, but another SQLite database; it was left as "
            "it is: take another file"
        )
    return bool(tables)


def _make(connection: sqlite3.Connection, campaign: str) -> None:
    # In one transaction: a file with half of it would be no journal and no empty file.
    tables = "; ".join(TABLES.values())
    connection.executescript(
        f"BEGIN; {tables}; PRAGMA application_id={APPLICATION_ID};"
        f"PRAGMA user_version={Marker.new().user_version};"
    )
    meta = {
        "version": VERSION,
        "campaign": campaign,
        "salt": secrets.token_bytes(16),
        "made_at": int(time.time()),
        "run": 0,
        "indexed_below": 1,
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    seal_meta(connection)
    connection.execute("COMMIT")


def _heal(connection: sqlite3.Connection, path: str, *, lost: bool, allowed: bool) -> None:
    """Make unknown what can't be trusted, or raise `JournalError` if that is not allowed."""
    damaged = damaged_rows(connection)
    if damaged and not allowed:
        raise JournalError(
            f"the journal {path} is damaged: {len(damaged)} of its rows can't be trusted, and say "
            "neither whom they are about nor what became of it; restore it from a copy before you "
            "send. If there is none, allow_lost_records=True goes on: those rows count as "
            "unknown, and whom they were about may be texted twice. Nothing was sent"
        )
    if not damaged and not lost:
        return
    healed = [to_damaged_row(values).as_it_is() for values in _some(connection, damaged)]
    if lost:
        stale = connection.execute(
            f"SELECT {NAMES} FROM entries WHERE state IN ('released', 'not_sent')"  # noqa: S608 - constants
        )
        healed += [
            to_row(values).as_unknown(_LOST)
            for values in stale.fetchall()
            if values[0] not in damaged
        ]
    with transaction(connection):
        for row in healed:
            # Number and key, too, may be other ones than the file has.
            connection.execute("DELETE FROM entries WHERE id = ?", (row[0],))
            connection.execute(upsert(1), row)


def _some(connection: sqlite3.Connection, numbers: frozenset[int]) -> list[tuple[Any, ...]]:
    """Return damaged rows, whatever is in them."""
    query = f"SELECT {NAMES} FROM entries WHERE id = ?"  # noqa: S608 - constants
    connection.text_factory = legible
    try:
        return [connection.execute(query, (number,)).fetchone() for number in sorted(numbers)]
    finally:
        connection.text_factory = str


def legible(text: bytes) -> str:
    """Read a text of a damaged row."""
    return text.decode(errors="replace")


def _check_campaign(meta: dict[str, Any], campaign: str | None) -> None:
    if campaign is not None and meta["campaign"] != campaign:
        raise JournalError(
            f"this journal is {_of(meta['campaign'])}, not {_of(campaign)}; "
            "take another file, or its own campaign's name"
        )


def _of(campaign: str) -> str:
    return f"of the campaign {campaign!r}" if campaign else "of no named campaign"
