"""A small SQLite file beside a journal, which the processes of one machine change in turn."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, TypeVar

from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._core.forks.watched_file import (
    WatchedFile,
    connection_of,
    in_transaction,
    is_busy,
)
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
        self._file = WatchedFile(path)

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
                if is_busy(exc):
                    if time.monotonic() >= ends:
                        raise self._trouble(exc) from None
                elif renewed or isinstance(exc, sqlite3.OperationalError):
                    self._file.close()
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
            return in_transaction(connection_of(in_use), work)

    def _open(self) -> FileInUse:
        """Return the file that is there now; one that is gone is made again."""
        with suppress(FileNotFoundError):
            if (in_use := self._file.current()) is not None:
                return in_use
        # Made by us, so that nobody else can read it.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        return self._file.open(self._connect)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=0, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={self.synchronous}")
            connection.execute(self.table)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        self._file.close()
        for ending in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(self._path + ending)

    def _trouble(self, exc: Exception) -> LimitStoreError:
        return LimitStoreError(f"{self._path}: {exc}")

    async def aclose(self) -> None:
        """Close the file; it stays, for the other processes."""
        self._file.close()
