"""Keeping a second process away from a file."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from iprog_async._core.errors import JournalError


class FileLock:
    """An operating system's lock on a file beside the one it guards.

    The system drops it when the process ends, however it ends; then the lock's file stays,
    and is taken over by the next one.

    Args:
        path: Path of the guarded file; the lock's own is `path` and `.lock`.

    Raises:
        JournalError: Another process, or another part of this one, holds it.
        OSError: The lock's file can't be made.
    """

    def __init__(self, path: str) -> None:
        self._path = f"{path}.lock"
        self._descriptor: int | None = None
        while self._descriptor is None:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(descriptor)
            except BlockingIOError:
                os.close(descriptor)
                raise JournalError(
                    f"{path} is in use by another process, or by another part of this one; wait "
                    "for it or stop it. Nothing was sent"
                ) from None
            except OSError:
                os.close(descriptor)
                raise
            if _is_at(descriptor, self._path):
                self._descriptor = descriptor
            else:
                # Its holder removed the file between our two steps: what we hold guards nothing.
                os.close(descriptor)

    def release(self) -> None:
        """Let others in; twice is fine."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        # Where an open file can be removed, nobody must get hold of it in between.
        with suppress(OSError):
            os.unlink(self._path)
        # A forked child may hold a copy of the descriptor, which closing ours would not affect.
        _unlock(descriptor)
        os.close(descriptor)


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
