"""Opening the journal's SQLite file: whose it is, whether it is whole, and its tables."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
import stat
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from attrs import frozen

from iprog_async._core.errors import JournalError
from iprog_async._journal.rows import to_damaged_row, to_row
from iprog_async._journal.sqlite.file_lock import FileLock
from iprog_async._journal.sqlite.id_blocks import attempt_of, lease_block
from iprog_async._journal.sqlite.integrity import (
    DAMAGED,
    check_ours,
    check_whole,
    damaged_rows,
    is_ours,
    read_meta,
    seal_meta,
    snapshot,
    transaction,
)
from iprog_async._journal.sqlite.migration import migrate
from iprog_async._journal.sqlite.open_marker import (
    Marker,
    Verdict,
    close_and_leave_log,
    examine,
    examine_beside,
    mark_closed,
    mark_open,
    read_marker,
    says_open,
    set_log_aside,
    what_is_lost,
)
from iprog_async._journal.sqlite.openers import enter, gate_of, gate_to_leave, is_open
from iprog_async._journal.sqlite.removal import erase, has_to_be_erased
from iprog_async._journal.sqlite.schema import (
    APPLICATION_ID,
    NAMES,
    TABLES,
    VERSION,
    parameters,
    today,
    upsert,
)
from iprog_async._journal.sqlite.wal import path_of_wal
from iprog_async._journal.store import UnwritableError


_SMALLEST = 512  # bytes of SQLite's smallest page; the first one is written as a whole
# As long as others wait for one that a signal has stopped in the midst of writing.
_BUSY_SECONDS = 60.0
# Not their relatives, of which one is for a file that was moved away, and one for a log that may
# have been written. A commit is not whole with any of these; the last is that of a full quota, or
# of a file as large as it may be.
_STILL_READABLE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR_WRITE)
_LOST = "the journal lost its newest records, and this may have been sent after what it has"


@frozen
class JournalFile:
    """An open journal.

    Args:
        connection: The open database.
        identity: What tells whether the path still leads to this file.
        salt: What texts are hashed with.
        made_at: When the journal was made.
        block: Which numbers new rows get; see `lease_block`.
        lock: What tells others that it is open here.
    """

    connection: sqlite3.Connection
    identity: os.stat_result
    salt: bytes
    made_at: datetime
    block: int
    lock: FileLock

    @property
    def attempt(self) -> int:
        """What marks the claims of this opening, and names its lock."""
        return attempt_of(self.block)


def open_file(path: str, campaign: str | None, *, allow_lost_records: bool = False) -> JournalFile:
    """Open a journal's file for writing, or make one with mode 0600.

    Whoever opens it while nobody else has it open checks it behind the gate, and heals it; the
    others join.

    Args:
        path: Where it is.
        campaign: What it has to be about; anything if `None`.
        allow_lost_records: Whether to go on with one that lacks records: what it has and was
            not accepted becomes unknown.

    Raises:
        JournalError: It is damaged, lacks records, is of another campaign, or no journal.
        OSError: The system does not let us.
    """
    gate = gate_of(path)
    try:
        identity = _touch(path)
        joins = is_open(path)
        if joins:
            file = _join(path, identity, campaign)
        else:
            file = _open_alone(path, identity, campaign, allow_lost_records)
    except sqlite3.Error as exc:
        # A path can be too long for SQLite.
        raise unusable(path, exc) from None
    finally:
        gate.release()
    if joins:
        # It takes long, and others may come and go meanwhile.
        _check_beside(path, file, allow_lost_records)
    return file


def close_file(path: str, file: JournalFile, *, in_order: bool = True) -> None:
    """Close a journal; the last one to do so says in its main file that it is all there is.

    Args:
        path: Where it is.
        file: The open journal.
        in_order: Whether all went well; otherwise it stays open for whoever looks into it.
    """
    gate = None
    with suppress(OSError):
        gate = gate_to_leave(path)
    try:
        is_last = in_order and gate is not None and _was_last(path, file)
        erases = is_last and _has_to_be_erased(file.connection)
        is_whole = _shut(path, file.connection, mark=is_last)
        if erases and is_whole:
            erase(path)
        file.lock.release()
    finally:
        if gate is not None:
            gate.release()


def _was_last(path: str, file: JournalFile) -> bool:
    """Leave, and return whether nobody else has the journal open, as far as can be known."""
    # Others whose locks were removed with ours can't be seen.
    sees_others = file.lock.is_in_place
    # First of all: see `openers`.
    file.lock.release()
    try:
        return sees_others and not is_open(path)
    except OSError:
        return False


def _has_to_be_erased(connection: sqlite3.Connection) -> bool:
    try:
        return has_to_be_erased(connection)
    except sqlite3.Error:
        return False


def _shut(path: str, connection: sqlite3.Connection, *, mark: bool) -> bool:
    """Close a connection; its log stays where one of the two says that the journal is open.

    Returns:
        Whether the main file says that it is all there is.
    """
    try:
        if mark and mark_closed(connection, path):
            connection.close()
            return True
        # Closing would copy the log to the main file, also where only the log says that it is open.
        marked = read_marker(path).is_open or says_open(connection) or not is_ours(connection)
    except (sqlite3.Error, OSError, JournalError):
        marked = True
    if marked:
        close_and_leave_log(connection, path)
    else:
        connection.close()
    return False


def _open_alone(
    path: str, identity: os.stat_result, campaign: str | None, allow_lost_records: bool
) -> JournalFile:
    marker, verdict = examine(path)
    lost = verdict in (Verdict.LOST, Verdict.STRANGE_LOG)
    if lost and not allow_lost_records:
        raise what_is_lost(path, verdict)
    if verdict is Verdict.USELESS_LOG:
        os.unlink(path_of_wal(path))
    elif lost:
        set_log_aside(path)
    connection = _connect(path)
    marked = False
    try:
        meta = _examine(connection, identity, campaign)
        damaged: frozenset[int] = frozenset()
        if meta["version"] == VERSION:
            damaged = _damaged(connection, path, allow_lost_records)
        if lost or not (marker.is_open and says_open(connection)):
            mark_open(connection, path)
        marked = True
        if meta["version"] < VERSION:
            migrate(connection, meta["version"])
            damaged = _check(connection, path, allow_lost_records)
        _heal(connection, damaged, lost=lost)
        return _enter(path, connection, identity)
    except BaseException:
        _shut(path, connection, mark=marked)
        raise


def _join(path: str, identity: os.stat_result, campaign: str | None) -> JournalFile:
    """Open a journal that others have open, who have checked it."""
    verdict = examine_beside(path, _is_in_use)
    if verdict is not Verdict.WHOLE:
        raise _not_theirs(path)
    connection = _connect(path)
    try:
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
        if meta.get("version") != VERSION:
            raise JournalError(
                f"the journal {path} is in use by a process with another release of this library; "
                "let it end first. Nothing was sent"
            )
        _check_campaign(meta, campaign)
        return _enter(path, connection, identity)
    except BaseException:
        close_and_leave_log(connection, path)
        raise


def _is_in_use(marker: Marker, verdict: Verdict) -> bool:
    return marker.is_open and verdict is Verdict.WHOLE


def _not_theirs(path: str) -> JournalError:
    return JournalError(
        f"the journal {path} is in use by another process, and the file or its "
        f"{os.path.basename(path_of_wal(path))} is not the one that it opened: it was removed, "
        "moved or replaced meanwhile. End that process first. Nothing was sent"
    )


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _enter(path: str, connection: sqlite3.Connection, identity: os.stat_result) -> JournalFile:
    """Take numbers for new rows and the lock that belongs to them: the last step of opening."""
    with transaction(connection):
        block = lease_block(connection)
        meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    made_at = datetime.fromtimestamp(meta["made_at"], UTC)
    lock = enter(path, attempt_of(block))
    return JournalFile(connection, identity, meta["salt"], made_at, block, lock)


def _check_beside(path: str, file: JournalFile, allow_lost_records: bool) -> None:
    """Check all of a journal, while others use it."""
    try:
        with snapshot(file.connection):
            damaged = _check(file.connection, path, allow_lost_records)
        _heal(file.connection, damaged)
    except sqlite3.Error as exc:
        close_file(path, file)
        raise unusable(path, exc) from None
    except BaseException:
        close_file(path, file)
        raise


def unusable(path: str, cause: Exception) -> JournalError:
    """Return what to raise for an error of SQLite."""
    code = getattr(cause, "sqlite_errorcode", None)
    return (UnwritableError if code in _STILL_READABLE else JournalError)(
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
) -> dict[str, Any]:
    """Return what a file that nobody else has open says of itself; an empty one becomes a journal.

    Raises:
        JournalError: It is of something else, or of another campaign, or damaged.
    """
    if not check_ours(connection):
        if 0 < identity.st_size < _SMALLEST:
            # SQLite takes it for an empty one, and the journal it was would be sent once more.
            raise JournalError(DAMAGED)
        # Before there is a log: the main file has it all from the beginning.
        _make(connection, campaign or "")
    connection.execute("PRAGMA journal_mode=WAL")
    meta = read_meta(connection)
    if meta["version"] == VERSION:
        check_whole(connection, meta)
    _check_campaign(meta, campaign)
    return meta


def _check(connection: sqlite3.Connection, path: str, allow_damage: bool) -> frozenset[int]:
    """Return the numbers of the rows that can't be trusted.

    Raises:
        JournalError: There are some and that is not allowed, or the file is damaged as a whole.
    """
    check_whole(connection, read_meta(connection))
    return _damaged(connection, path, allow_damage)


def _damaged(connection: sqlite3.Connection, path: str, allow_damage: bool) -> frozenset[int]:
    damaged = damaged_rows(connection)
    if damaged and not allow_damage:
        raise JournalError(
            f"the journal {path} is damaged: {len(damaged)} of its rows can't be trusted, and say "
            "neither whom they are about nor what became of it; restore it from a copy before you "
            "send. If there is none, allow_lost_records=True goes on: those rows count as "
            "unknown, and whom they were about may be texted twice. Nothing was sent"
        )
    return damaged


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
        "blocks": 0,
        "forgotten": 0,
    }
    connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
    seal_meta(connection)
    connection.execute("COMMIT")


def _heal(connection: sqlite3.Connection, damaged: frozenset[int], *, lost: bool = False) -> None:
    """Make unknown what can't be trusted."""
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
            connection.execute(upsert(1, today()), parameters([row]))


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
