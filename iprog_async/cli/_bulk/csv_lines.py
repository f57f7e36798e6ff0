"""The lines of a CSV file, however they end, and the delimiter that its first one may name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO


LONGEST_LINE = 1_000_000
"""A cell holds at most 131072 characters (Python's own limit), a row of sane width a few of them.
"""

_BOM = b"\xef\xbb\xbf"
# Spreadsheets write it where the list separator of the country is not known, and read it.
_NAMED_DELIMITER = re.compile(rb'"?sep=(.)"?[\r\n]*', re.IGNORECASE)


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
