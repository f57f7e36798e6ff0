"""The lines of a CSV file, however they end, and the delimiter that its first one may name."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from iprog_async._core.errors import InvalidMessageError


LONGEST_LINE = 1_000_000
"""A cell holds at most 131072 characters (Python's own limit), a row of sane width a few of them.
"""

_BOM = b"\xef\xbb\xbf"
# Spreadsheets write it where the list separator of the country is not known, and read it.
_NAMED_DELIMITER = re.compile(rb'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


class FileChangedError(InvalidMessageError):
    """A file was changed while it was being read."""


@contextmanager
def nothing_sent_yet() -> Generator[None]:
    """Have the error of a file that was changed say so: then another try costs nothing.

    Raises:
        FileChangedError: It was changed.
    """
    try:
        yield
    except FileChangedError as exc:
        raise FileChangedError(f"{exc}; nothing was sent, run it again") from None


class UnchangedFile(io.FileIO):
    """A file all of whose bytes are as they were when it was opened.

    Of the beginning of one line and the end of another, numbers could be made that are nobody's.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, "rb")
        self._path = path
        self._state = self._look()

    def readinto(self, buffer: Any, /) -> int | None:
        """Read some bytes.

        Raises:
            FileChangedError: The file has been changed, so they may be of another one.
        """
        count = super().readinto(buffer)
        self.check()
        return count

    def check(self) -> None:
        """Raise `FileChangedError` if it has been changed."""
        if self._look() != self._state:
            raise FileChangedError(f"{self._path} was changed while it was being read")

    def _look(self) -> tuple[int, int]:
        found = os.fstat(self.fileno())
        return found.st_size, found.st_mtime_ns


def raw_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file from its beginning, with their ends: a newline, a return, or both.

    A line of `LONGEST_LINE` bytes is no line that ends: whoever reads it looks.
    """
    file.seek(0)
    rest = b""
    first = True
    while data := file.readline(LONGEST_LINE):
        if first:
            data, first = data.removeprefix(_BOM), False
        if not rest and data.find(b"\r", 0, -2) < 0 and data.endswith(b"\n"):
            yield data
            continue
        *lines, rest = (rest + data).splitlines(keepends=True) or [b""]
        yield from lines
        if rest.endswith(b"\n") or len(rest) >= LONGEST_LINE:
            yield rest
            rest = b""
    # Old programs end lines with a carriage return alone; after the last one nothing follows.
    yield from rest.splitlines(keepends=True)


def named_delimiter(file: BinaryIO) -> str | None:
    """Return the delimiter that the first line names, as in `sep=;`; `None` if it is a row."""
    match = _NAMED_DELIMITER.fullmatch(next(raw_lines(file), b""))
    return None if match is None else match[1].decode("latin-1")
