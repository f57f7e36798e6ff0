"""Shared limits of the processes of one machine: a small SQLite file beside the journal.

It is not synced: a machine that crashes makes it anew, and so does whoever finds it damaged.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from iprog_async._core.clock import uptime
from iprog_async._core.sqlite_forks import FileInUse
from iprog_async._limits.store import Decide, LimitStoreError


R = TypeVar("R")

_TABLE = (
    "CREATE TABLE IF NOT EXISTS limits "
    "(name BLOB PRIMARY KEY, boot TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID"
)
_SELECT = "SELECT state FROM limits WHERE name = ? AND boot = ?"
_UPSERT = "INSERT OR REPLACE INTO limits (name, boot, state) VALUES (?, ?, ?)"
# A change takes microseconds, so whoever has not come to it by then meets a stopped process.
_PATIENCE = 4.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SqliteLimitStore:
    """Keeps the states in a file; no threads: a change is two statements on cached pages.

    Args:
        path: The file; made when it is first needed.
        salt: Goes into the names of accounts; the journal's.
        now: What tells the time; all processes of a machine agree on its uptime.
    """

    def __init__(self, path: str, salt: bytes, now: Callable[[], float] = uptime) -> None:
        self._path = path
        self._salt = salt
        self._now = now
        self._boot = _boot_id()
        self._in_use: FileInUse | None = None
        self._identity: tuple[int, int, int] = (0, 0, 0)
        self._closing: Callable[[], object] | None = None

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it, while no other process changes it.

        Raises:
            LimitStoreError: The file can't be used.
        """
        ends = time.monotonic() + _PATIENCE
        renewed = False
        while True:
            try:
                return self._change(name, decide)
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

    def _change(self, name: bytes, decide: Decide[R]) -> R:
        in_use = self._open()
        with in_use:
            return self._change_in(_connection_of(in_use), name, decide)

    def _change_in(self, connection: sqlite3.Connection, name: bytes, decide: Decide[R]) -> R:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Not before: another process may have written since.
            row = connection.execute(_SELECT, (name, self._boot)).fetchone()
            state, answer = decide("" if row is None else str(row[0]), self._now())
            connection.execute(_UPSERT, (name, self._boot, state))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return answer

    def _open(self) -> FileInUse:
        """Return the file that is there now, open in this very process."""
        if self._in_use is not None:
            if self._identity == self._identify():
                return self._in_use
            self._close()
        # Made by us, so that nobody else can read it: it tells when an account was used.
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        in_use = self._in_use = FileInUse(self._path)
        # Some clients are never closed.
        self._closing = weakref.finalize(self, in_use.end)
        with in_use:
            connection = in_use.connection = sqlite3.connect(
                self._path, isolation_level=None, timeout=0, check_same_thread=False
            )
            self._identity = self._identify()
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute(_TABLE)
        return in_use

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

    async def salt(self) -> bytes:
        """Return what goes into the names of accounts."""
        return self._salt

    async def aclose(self) -> None:
        """Close the file; it stays, for the other processes."""
        self._close()


def _connection_of(in_use: FileInUse) -> sqlite3.Connection:
    if in_use.connection is None:
        raise sqlite3.OperationalError("the file could not be opened")
    return in_use.connection


def _is_busy(exc: sqlite3.Error) -> bool:
    return getattr(exc, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )


def _boot_id() -> str:
    """Return what names the time since the machine started; elsewhere than on Linux, nothing."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
