"""A small SQLite file beside a journal, which the processes of one machine change in turn."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, TypeVar

from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._limits.store import LimitStoreError


R = TypeVar("R")

# A change takes microseconds, so whoever has not come to it by then meets a stopped process.
_PATIENCE = 4.0


class SqliteFile:
    """A file that is opened when it is first needed; no threads: a change is some cached pages.

    Args:
        path: The file.
    """

    table: ClassVar[str]
    """What makes its table, where there is none."""
    synchronous: ClassVar[str]
    """Whether what was committed survives a power cut."""
    may_be_made_anew: ClassVar[bool]
    """Whether a damaged file is removed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._in_use: FileInUse | None = None
        self._identity: tuple[int, int, int] = (0, 0, 0)
        self._closing: Callable[[], object] | None = None

    async def transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Do something in a transaction, which no other process has at the same time.

        Raises:
            LimitStoreError: The file can't be used.
        """
        ends = time.monotonic() + _PATIENCE
        renewed = not self.may_be_made_anew
        while True:
            try:
                return self._transact(work)
            except sqlite3.DatabaseError as exc:
                if _is_busy(exc):
                    if time.monotonic() >= ends:
                        raise self._trouble(exc) from None
                elif renewed or isinstance(exc, sqlite3.OperationalError):
                    self._close()
                    raise self._trouble(exc) from None
                else:
                    # It is damaged, or none of ours; it only has what the next minute needs.
                    renewed = True
                    self._remove()
            except OSError as exc:
                raise self._trouble(exc) from None
            await asyncio.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - spreads load, guards nothing

    def _transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        in_use = self._open()
        with in_use:
            return _in_transaction(_connection_of(in_use), work)

    def _open(self) -> FileInUse:
        """Return the file that is there now, open in this very process."""
        if self._in_use is not None:
            if self._identity == self._identify():
                return self._in_use
            self._close()
        # Made by us, so that nobody else can read it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        in_use = self._in_use = FileInUse(self._path)
        # Some clients are never closed.
        self._closing = weakref.finalize(self, in_use.end)
        try:
            with in_use:
                self._connect(in_use)
        except BaseException:
            # Others may be at it just now, and then it is not ready: it has no table yet.
            self._close()
            raise
        return in_use

    def _connect(self, in_use: FileInUse) -> None:
        # Before it is opened: if another file takes its place meanwhile, that is noticed next time.
        self._identity = self._identify()
        connection = in_use.connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=0, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self.synchronous}")
        connection.execute(self.table)

    def _identify(self) -> tuple[int, int, int]:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return 0, 0, 0
        return os.getpid(), found.st_dev, found.st_ino

    def _close(self) -> None:
        self._in_use = None
        if self._closing is not None:
            self._closing()

    def _remove(self) -> None:
        self._close()
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(self._path + ending)

    def _trouble(self, exc: Exception) -> LimitStoreError:
        return LimitStoreError(f"{self._path}: {exc}")

    async def aclose(self) -> None:
        """Close the file; it stays, for the other processes."""
        self._close()


def _in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], R]) -> R:
    connection.execute("BEGIN IMMEDIATE")
    try:
        answer = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return answer


def _connection_of(in_use: FileInUse) -> sqlite3.Connection:
    if in_use.connection is None:
        raise sqlite3.OperationalError("the file could not be opened")
    return in_use.connection


def _is_busy(exc: sqlite3.Error) -> bool:
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )
