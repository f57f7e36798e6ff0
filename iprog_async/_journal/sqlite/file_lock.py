"""Locks that the operating system keeps, and drops when a process ends, however it ends."""

from __future__ import annotations

import os
import sys
import time
import weakref
from contextlib import suppress


# Nobody is woken when a lock is free: whoever waits asks again, less and less often.
_SHORTEST_PAUSE = 0.002
_LONGEST_PAUSE = 0.05


class FileLock:
    """A lock on a file of its own; `take` and `wait_for` make one.

    The file is removed when the lock is released. After a kill it stays, and guards nothing: the
    next one takes it over.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        self._released = False
        _taken.add(self)

    @classmethod
    def take(cls, path: str) -> FileLock | None:
        """Take the lock of a file; `None` if somebody else has it, of this process or another.

        Raises:
            OSError: The file can't be made, or the system has no locks for it.
        """
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(descriptor)
                if _is_at(descriptor, path):
                    _sign(descriptor)
                    return cls(path, descriptor)
            except BlockingIOError:
                os.close(descriptor)
                return None
            except BaseException:
                os.close(descriptor)
                raise
            # Its holder removed the file between our two steps: what we hold guards nothing.
            os.close(descriptor)

    @classmethod
    def wait_for(cls, path: str, seconds: float) -> FileLock | None:
        """Take the lock of a file once it is free; `None` if that takes longer.

        Raises:
            OSError: The file can't be made, or the system has no locks for it.
        """
        ends = time.monotonic() + seconds
        pause = _SHORTEST_PAUSE
        while (lock := cls.take(path)) is None and time.monotonic() < ends:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return lock

    @property
    def is_in_place(self) -> bool:
        """Whether others meet it: its file is still where they look."""
        return self._descriptor is not None and _is_at(self._descriptor, self._path)

    @property
    def is_released(self) -> bool:
        """Whether it was let go of, so that others can have it."""
        return self._released

    def release(self) -> None:
        """Let others in; twice is fine."""
        if self._descriptor is None:
            return
        descriptor = self._descriptor
        # Where an open file can be removed, nobody must get hold of it in between.
        with suppress(OSError):
            if self.is_in_place:
                os.unlink(self._path)
        self._descriptor = None
        try:
            # A process that is being forked off may hold a copy of the descriptor yet.
            _unlock(descriptor)
        finally:
            # Whatever it says, a descriptor is gone then, and the lock with it.
            self._released = True
            os.close(descriptor)

    def leave_to_parent(self) -> None:
        """Drop a copy that came with a fork: the lock ends with the process that took it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def holder_of(path: str) -> int | None:
    """Return the process that says in a lock's file that it took it; `None` if none does.

    Whoever is about to take it has not said so yet, and older releases never did.
    """
    try:
        with open(path, "rb") as file:
            return int(file.read(20))
    except (OSError, ValueError):
        return None


def is_held(path: str) -> bool:
    """Return whether somebody has the lock of a file; one that nobody has is removed.

    Only for one at a time: to another one that asks, whoever asks looks like its holder.

    Raises:
        OSError: The system does not say.
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _lock(descriptor)
    except BlockingIOError:
        os.close(descriptor)
        return True
    except BaseException:
        os.close(descriptor)
        raise
    FileLock(path, descriptor).release()
    return False


_taken: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _leave_all_to_parent() -> None:
    for lock in list(_taken):
        lock.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)


def _sign(descriptor: int) -> None:
    # It is for people; the lock holds without it.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


if sys.platform == "win32":  # pragma: no cover - the other branch runs where the tests do
    import msvcrt

    def _lock(descriptor: int) -> None:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError as exc:
            raise BlockingIOError from exc

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
