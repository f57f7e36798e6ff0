"""An SQLite file that several processes use, and that may be replaced or deleted meanwhile."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from iprog_async._core.forks.sqlite import FileInUse


T = TypeVar("T")


class WatchedFile:
    """A file as this very process has it open, whatever the process was forked off from.

    Args:
        path: Where it is.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._in_use: FileInUse | None = None
        self._identity: tuple[int, int, int] | None = None
        self._closing: Callable[[], object] = lambda: None

    def current(self) -> FileInUse | None:
        """Return it if it is open here, and still what is at its path.

        Raises:
            OSError: There is nothing at its path any more.
        """
        if self._in_use is None or self._identity != self._identify():
            return None
        return self._in_use

    def open(self, connect: Callable[[], sqlite3.Connection]) -> FileInUse:
        """Open what is at its path now.

        Args:
            connect: Opens it, and makes what has to be in it; what it raises leaves it closed.

        Raises:
            OSError: There is nothing at its path, or this process can't use it.
        """
        self.close()
        # Before it is opened: if another file takes its place meanwhile, that is noticed next time.
        self._identity = self._identify()
        in_use = FileInUse(self._path)
        # Not everybody closes what they opened.
        self._closing = weakref.finalize(self, in_use.end)
        try:
            with in_use:
                in_use.connection = connect()
        except BaseException:
            # Others may be at it just now, and then it is not ready.
            self.close()
            raise
        self._in_use = in_use
        return in_use

    def close(self) -> None:
        """Close it, if it is open; `open` opens it again."""
        self._in_use = None
        self._closing()

    def _identify(self) -> tuple[int, int, int]:
        found = os.stat(self._path)
        return os.getpid(), found.st_dev, found.st_ino


def connection_of(in_use: FileInUse) -> sqlite3.Connection:
    """Return the connection of a file whose turn it is.

    Raises:
        sqlite3.OperationalError: It could not be opened.
    """
    if in_use.connection is None:
        raise sqlite3.OperationalError("the file could not be opened")
    return in_use.connection


def in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Return what comes of a change, which nobody else makes meanwhile, and which is whole."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    return result


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether others are at a file, so that it is worth asking again."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
    )
