"""A new file for a secret that is told once."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType
from typing import Self

from iprog_async._core.errors import InvalidMessageError


class SecretFile:
    """A file of mode 0600, made before the secret is asked for, and gone if there is none.

    Args:
        path: Where; `None` keeps nothing.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._descriptor = -1
        self._written = False
        self.problem: str | None = None
        """Why the secret could not be kept."""

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except OSError as exc:
                raise InvalidMessageError(
                    f"--output {self._path!r} can't be made: {exc.strerror}; nothing was asked for"
                ) from None
        return self

    def write(self, secret: str) -> None:
        """Keep the secret, and a line end; `problem` says why that failed, for it exists by now."""
        if self._path is None:
            return
        left = f"{secret}\n".encode()
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except OSError as exc:
            self.problem = f"{self._path!r} can't be written: {exc.strerror}"
        else:
            self._written = True

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._path is None:
            return
        with contextlib.suppress(OSError):
            os.close(self._descriptor)
        if not self._written:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
