"""The lines of a CSV file, however they end, and the delimiter that its first one may name."""

from __future__ import annotations

import io
import os
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
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
            # Programs that join or convert files put one before another.
            while data.startswith(_BOM):
                data = data.removeprefix(_BOM)
            first = False
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


def before_header(file: BinaryIO) -> tuple[int, str | None]:
    """Return how many lines stand before the header, and the delimiter that one names.

    They are empty, or the one such as `sep=;`.
    """
    count, named = 0, None
    for line in raw_lines(file):
        match = _NAMED_DELIMITER.fullmatch(line) if named is None else None
        if match is not None:
            named = match[1].decode("latin-1")
        elif line.strip():
            break
        count += 1
    return count, named


def looks_like_utf16(file: BinaryIO) -> bool:
    """Return whether a file begins as UTF-16 does: with its mark, or a NUL in each character."""
    file.seek(0)
    start = file.read(4)
    return start[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) or (
        len(start) == 4 and (start[::2] == b"\0\0") != (start[1::2] == b"\0\0")
    )
