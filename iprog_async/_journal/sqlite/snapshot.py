"""Reading a journal's file beside the run that is using it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeVar
from urllib.parse import quote

from iprog_async._core.errors import JournalError
from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._journal.contents import RowCounts
from iprog_async._journal.rows import Row
from iprog_async._journal.sqlite.database import legible, unusable
from iprog_async._journal.sqlite.integrity import (
    check_ours,
    check_whole,
    damaged_rows,
    read_meta,
)
from iprog_async._journal.sqlite.open_marker import (
    Marker,
    Verdict,
    close_and_leave_log,
    examine_beside,
    what_is_lost,
)
from iprog_async._journal.sqlite.openers import gate_of
from iprog_async._journal.sqlite.queries import count_rows, read_page
from iprog_async._journal.sqlite.schema import VERSION
from iprog_async._journal.sqlite.store import SqliteStore


T = TypeVar("T")


class _Needs(Enum):
    """What has to be written to a file before it can be read."""

    ROLLBACK = "rollback"
    MIGRATION = "migration"


class Snapshot:
    """The rows of a journal at one moment; those that are damaged are unknown."""

    def __init__(
        self,
        path: str,
        connection: sqlite3.Connection,
        damaged: frozenset[int],
        in_use: FileInUse,
    ) -> None:
        self._path = path
        self._connection = connection
        self._damaged = damaged
        # A connection serves one thread at a time.
        self._turn = in_use

    async def counts(self) -> RowCounts:
        return await self._ask(lambda connection: count_rows(connection, self._damaged))

    async def page(self, after: int, states: Sequence[str]) -> list[Row]:
        return await self._ask(
            lambda connection: read_page(connection, after, states, self._damaged)
        )

    async def _ask(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def in_turn() -> T:
            with self._turn:
                return work(self._connection)

        try:
            return await asyncio.to_thread(in_turn)
        except sqlite3.Error as exc:
            raise unusable(self._path, exc) from None

    def close(self) -> None:
        self._turn.end()


def open_snapshot(path: str) -> Snapshot:
    """Open a journal's file for reading; one of an older release is brought up to date.

    Of one that was being made, or written anew, when its process was killed, that is taken back.

    Raises:
        JournalError: It is not there, damaged, lacks records, or no journal.
    """
    path = os.path.realpath(os.path.abspath(path))
    try:
        snapshot = _open(path)
        if snapshot is _Needs.ROLLBACK:
            _roll_back(path)
            snapshot = _open(path)
        if snapshot is _Needs.MIGRATION:
            SqliteStore(path, None).close()
            snapshot = _open(path)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise JournalError(f"can't open the journal {path}: {why}") from None
    if isinstance(snapshot, _Needs):
        raise JournalError(f"the journal {path} was replaced meanwhile; open it once more")
    return snapshot


def _open(path: str) -> Snapshot | _Needs:
    in_use = FileInUse(path, reads_only=True)
    found: Snapshot | _Needs | None = None
    try:
        with in_use:
            found = _read(path, in_use)
        return found
    finally:
        if not isinstance(found, Snapshot):
            in_use.end()


def _roll_back(path: str) -> None:
    """Take back what was not committed: nothing else is written, and no journal is made.

    Raises:
        JournalError: It can't be written, or others are opening it without an end.
        OSError: The system does not let us.
    """
    in_use = FileInUse(path)
    try:
        gate = gate_of(path)
        try:
            with in_use:
                _look(path)
        finally:
            gate.release()
    except sqlite3.Error as exc:
        raise unusable(path, exc) from None
    finally:
        in_use.end()


def _look(path: str) -> None:
    """Look into a file as one who may write: SQLite then does what is left to do."""
    connection = sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    finally:
        close_and_leave_log(connection, path)


def _read(path: str, in_use: FileInUse) -> Snapshot | _Needs:
    """Return the rows of a journal, or what has to be done before they can be read."""
    try:
        _check_whole(path)
        if not os.stat(path).st_size:
            # SQLite would remove what it takes for the rest of an older one.
            raise _empty(path)
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as exc:
        raise unusable(path, exc) from None
    try:
        # What is read from now on is of one moment.
        connection.execute("BEGIN")
        if not check_ours(connection):
            raise _empty(path)
        meta = read_meta(connection)
        if meta["version"] < VERSION:
            connection.close()
            return _Needs.MIGRATION
        check_whole(connection, meta)
        damaged = damaged_rows(connection)
    except sqlite3.Error as exc:
        connection.close()
        if getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_ROLLBACK:
            return _Needs.ROLLBACK
        raise unusable(path, exc) from None
    except BaseException:
        connection.close()
        raise
    if damaged:
        connection.text_factory = legible
    in_use.connection = connection
    return Snapshot(path, connection, damaged, in_use)


def _empty(path: str) -> JournalError:
    return JournalError(f"{path} is empty, and no journal yet")


def _check_whole(path: str) -> None:
    os.stat(path)
    verdict = examine_beside(path, _is_readable)
    if not _is_readable(None, verdict):
        raise what_is_lost(path, verdict)


def _is_readable(_: Marker | None, verdict: Verdict) -> bool:
    return verdict in (Verdict.WHOLE, Verdict.USELESS_LOG)
