"""SQLite files in a process that forks.

A fork copies SQLite's table of open files and of the locks on them; the locks stay the parent's. A
child that opens a file of that table again takes no lock of its own, so others write under it. So
a fork waits until nobody is in the midst of using a file, and the child at once closes what came
with it, while the parent, whose locks keep the close from changing anything, waits in turn.
"""

from __future__ import annotations

import os
import select
import sqlite3
import sys
import threading
import time
from contextlib import suppress
from typing import Any


# How long a fork waits for whoever is using a file, and for its child.
_LONGEST_WAIT = 5.0


class FileClosedError(sqlite3.ProgrammingError):
    """A file was closed before it was used: by another thread, or because of a fork."""


class FileInUse:
    """An SQLite file that this process has open; used as a context manager, which a fork waits for.

    Args:
        path: Where it is.
        reads_only: Whether nothing is ever written to it.

    Raises:
        OSError: It was in use when this process was forked off, and can't be used here.
    """

    def __init__(self, path: str, *, reads_only: bool = False) -> None:
        self.connection: sqlite3.Connection | None = None
        """The open file, once there is one."""
        self._path = path
        self._reads_only = reads_only
        # A signal handler may fork, and a finalizer may close another one.
        self._turn = threading.RLock()
        if _identity(path) in _lost:
            raise OSError(
                "this process was forked off while its parent was at the file, and can't use it: "
                "fork before the parent uses it, or while it does not"
            )
        _in_use[self] = None

    def __enter__(self) -> None:
        _resumed.wait()
        if self not in _in_use:
            raise FileClosedError("it is closed here, or was opened before a fork")
        self._turn.acquire()

    def __exit__(self, *_: object) -> None:
        self._turn.release()

    def end(self) -> None:
        """Close it, where it is not closed yet; of a copy that came with a fork nothing is left."""
        if self in _in_use:
            with self._turn:
                if self.connection is not None:
                    self.connection.close()
                _in_use.pop(self, None)

    def stop(self, ends: float) -> bool:
        """Wait until nobody is using it, and return whether it can be left to a child."""
        if not self._turn.acquire(timeout=max(0.0, ends - time.monotonic())):
            return False
        connection = self.connection
        if self._reads_only or connection is None or not connection.in_transaction:
            return True
        # The very thread that forks, by a signal handler, is in the midst of it.
        self._turn.release()
        return False

    def go_on(self) -> None:
        """Let others use it again."""
        self._turn.release()

    def drop(self) -> None:
        """Close a copy that came with a fork, and change nothing about the file."""
        if self.connection is not None:
            if sys.version_info >= (3, 12):  # pragma: no cover - not on each Python
                self.connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
            self.connection.close()

    def lose(self) -> None:
        """Give a copy up that was in use at the fork: it can't even be closed."""
        if (identity := _identity(self._path)) is not None:
            _lost.add(identity)
        _of_parents.append(self)


_in_use: dict[FileInUse, None] = {}
# Files that this process can't use, and what is never to be collected, which would close it.
_lost: set[tuple[int, int]] = set()
_of_parents: list[FileInUse] = []
# Whoever waits for its turn at a busy file would wait long: so others begin nothing meanwhile.
_resumed = threading.Event()
_resumed.set()
_fork: Any = threading.local()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _before_fork() -> None:
    # What comes after this is not begun before the fork is over.
    _resumed.clear()
    _fork.found, _fork.stopped, _fork.pipe = list(_in_use), [], None
    if not _fork.found:
        return
    ends = time.monotonic() + _LONGEST_WAIT
    _fork.stopped = [file for file in _fork.found if file.stop(ends)]
    with suppress(OSError):
        _fork.pipe = os.pipe()


def _after_fork_in_parent() -> None:
    try:
        if _fork.pipe is not None:
            _wait_for_child(*_fork.pipe)
    finally:
        for file in _fork.stopped:
            file.go_on()
        _resumed.set()


def _wait_for_child(reading: int, writing: int) -> None:
    """Wait until the child has closed its copies, which our locks keep from changing a thing."""
    os.close(writing)
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    poll.poll(_LONGEST_WAIT * 1000)
    os.close(reading)


def _after_fork_in_child() -> None:
    global _in_use, _resumed
    _in_use = {}
    _resumed = threading.Event()
    _resumed.set()
    for file in _fork.found:
        if file in _fork.stopped and _fork.pipe is not None:
            file.drop()
        else:
            file.lose()
    if _fork.pipe is not None:
        reading, writing = _fork.pipe
        os.close(reading)
        with suppress(OSError):
            os.write(writing, b".")
        os.close(writing)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
