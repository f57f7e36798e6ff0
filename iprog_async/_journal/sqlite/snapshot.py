"""Reading a journal's file beside the run that is using it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from iprog_async._core.errors import JournalError
from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._journal.contents import RowCounts
from iprog_async._journal.rows import Row
from iprog_async._journal.sqlite.database import check_ours, legible, unusable
from iprog_async._journal.sqlite.integrity import check_whole, damaged_rows, read_meta
from iprog_async._journal.sqlite.open_marker import Marker, Verdict, examine_beside, what_is_lost
from iprog_async._journal.sqlite.queries import count_rows, read_page
from iprog_async._journal.sqlite.schema import VERSION
from iprog_async._journal.sqlite.store import SqliteStore


T = TypeVar("T")


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

    So is one that was being made, or written anew, when its process was killed.

    Raises:
        JournalError: It is not there, damaged, lacks records, or no journal.
    """
    path = os.path.realpath(os.path.abspath(path))
    try:
        snapshot = _open(path)
        if snapshot is None:
            SqliteStore(path, None).close()
            snapshot = _open(path)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise JournalError(f"can't open the journal {path}: {why}") from None
    if snapshot is None:
        raise JournalError(f"the journal {path} was replaced meanwhile; open it once more")
    return snapshot


def _open(path: str) -> Snapshot | None:
    in_use = FileInUse(path, reads_only=True)
    snapshot = None
    try:
        with in_use:
            snapshot = _read(path, in_use)
    finally:
        if snapshot is None:
            in_use.end()
    return snapshot


def _read(path: str, in_use: FileInUse) -> Snapshot | None:
    """Return the rows of a journal; `None` if it has to be opened for writing first."""
    try:
        _check_whole(path)
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as exc:
        raise unusable(path, exc) from None
    try:
        # What is read from now on is of one moment.
        connection.execute("BEGIN")
        if not check_ours(connection):
            raise JournalError(f"{path} is empty, and no journal yet")
        meta = read_meta(connection)
        if meta["version"] < VERSION:
            connection.close()
            return None
        check_whole(connection, meta)
        damaged = damaged_rows(connection)
    except sqlite3.Error as exc:
        connection.close()
        if getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_ROLLBACK:
            return None
        raise unusable(path, exc) from None
    except BaseException:
        connection.close()
        raise
    if damaged:
        connection.text_factory = legible
    in_use.connection = connection
    return Snapshot(path, connection, damaged, in_use)


def _check_whole(path: str) -> None:
    os.stat(path)
    verdict = examine_beside(path, _is_readable)
    if not _is_readable(None, verdict):
        raise what_is_lost(path, verdict)


def _is_readable(_: Marker | None, verdict: Verdict) -> bool:
    return verdict in (Verdict.WHOLE, Verdict.USELESS_LOG)
