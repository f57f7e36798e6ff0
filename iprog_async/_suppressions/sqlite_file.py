"""The SQLite file of a list, open in this very process, whatever it was forked off from."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from iprog_async._core.errors import SuppressionsError
from iprog_async._core.forks.locks import ForkLock
from iprog_async._core.forks.sqlite import FileClosedError
from iprog_async._core.forks.watched_file import (
    WatchedFile,
    connection_of,
    in_transaction,
    is_busy,
)


T = TypeVar("T")

APPLICATION = 0x69707273
"""What the file says of itself, so that a journal given by mistake is told from it."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS suppressions (
  number TEXT PRIMARY KEY, since TEXT, why TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL, change TEXT NOT NULL, at TEXT, why TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (
  id BLOB PRIMARY KEY, owner BLOB NOT NULL, lease_ends REAL NOT NULL, expires REAL NOT NULL,
  done INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_expires ON seen (expires);
PRAGMA application_id = {APPLICATION};
"""
_PATIENCE = 8.0
"""Seconds to wait for others that are writing; a change takes milliseconds."""


class SqliteFile:
    """One connection to the file, which serves one thread after the other.

    Args:
        path: The file.
        create: Whether it may be made, when it is first opened.

    Raises:
        SuppressionsError: It can't be opened or made, or is something else.
    """

    def __init__(self, path: str, *, create: bool) -> None:
        self.path = path
        # Held by the thread that opens or closes it; it may have been another one's meanwhile.
        self._opening = ForkLock()
        self._file = WatchedFile(path)
        if create:
            try:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            except OSError as exc:
                raise self._trouble(exc.strerror) from None
        self.read(lambda connection: connection.execute("SELECT 1 FROM suppressions"))

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what somebody reads in the file as it is now.

        Raises:
            SuppressionsError: It can't be read.
        """
        return self._patiently(lambda: self._with_connection(work))

    def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what comes of a change that is on the disk then, while nobody else makes one.

        Raises:
            SuppressionsError: It can't be made; the file is as it was.
        """
        return self._patiently(
            lambda: self._with_connection(lambda connection: in_transaction(connection, work))
        )

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        with self._opening.lock:
            self._file.close()

    def _patiently(self, work: Callable[[], T]) -> T:
        ends = time.monotonic() + _PATIENCE
        while True:
            try:
                return work()
            except sqlite3.Error as exc:
                passes = is_busy(exc) or isinstance(exc, FileClosedError)
                if not passes or time.monotonic() >= ends:
                    self.close()
                    raise self._trouble(str(exc)) from None
            except OSError as exc:
                raise self._trouble(exc.strerror or str(exc)) from None
            time.sleep(random.uniform(0.0005, 0.003))  # noqa: S311 - spreads load, guards nothing

    def _with_connection(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._opening.lock:
            # One that is gone is not made anew: it was not empty.
            in_use = self._file.current() or self._file.open(self._connect)
        with in_use:
            return work(connection_of(in_use))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{Path(self.path).absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=0,
            check_same_thread=False,
        )
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        # In one look: another process may be making the list just now.
        connection.execute("BEGIN")
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        connection.execute("COMMIT")
        if application != APPLICATION and tables:
            raise SuppressionsError(
                f"{self.path} is an SQLite file, and no list of suppressed numbers. Nothing was "
                "sent; give another path"
            )
        connection.execute("PRAGMA journal_mode=WAL")
        # A STOP that is lost in a power cut is somebody texted again.
        connection.execute("PRAGMA synchronous=FULL")
        if application != APPLICATION:
            # Whole or not at all, for whoever looks meanwhile; it may be made twice.
            connection.executescript(f"BEGIN IMMEDIATE;{SCHEMA}COMMIT;")

    def _trouble(self, why: str | None) -> SuppressionsError:
        return SuppressionsError(
            f"the suppressed numbers in {self.path} can't be used: {why}. Nothing was sent"
        )
