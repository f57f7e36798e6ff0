"""Writing to the terminal, or to whatever stands in its place.

A reader that goes away (`iprog-async … | head -1`) changes nothing about what happened: the
rest of the output is dropped, and the command keeps its own exit code.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from attrs import frozen


_PIPE_WIDTH = 160
# What a terminal obeys instead of showing, and what turns the direction of a line around.
_UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"\bpip install |\biprog-async [a-z]")


def echo(*lines: str) -> None:
    """Write lines for people."""
    _write(sys.stdout, "".join(f"{shown(line)}\n" for line in lines))


def say_rows(*lines: str, indent: int) -> None:
    """Write lines that begin with a label; on a terminal, what is too long goes on below itself.

    Args:
        lines: The lines.
        indent: How wide the label is.
    """
    if sys.stdout.isatty():
        lines = tuple(wrapped(lines, indent, shutil.get_terminal_size().columns))
    echo(*lines)


def wrapped(lines: Iterable[str], indent: int, width: int) -> Iterator[str]:
    """Break lines that are too long; what follows stands below what comes after the label.

    A line that holds a command is left in one piece, so that it can be copied.
    """
    for line in lines:
        if _COMMAND.search(line):
            yield line
            continue
        # An option is left in one piece.
        yield from textwrap.wrap(
            line, width, subsequent_indent=" " * indent, break_on_hyphens=False
        ) or [line]


def print_error(line: str) -> None:
    """Write the one line about what went wrong; a terminal breaks it between words."""
    line = f"iprog-async: {line}"
    if sys.stderr.isatty():
        line = "\n".join(wrapped([line], 0, shutil.get_terminal_size().columns))
    _write(sys.stderr, f"{shown(line)}\n")


def shown(text: str) -> str:
    """Return a text as a terminal may have it: a gateway or a file may have put anything in it."""
    return _UNSHOWN.sub("\ufffd", text)


def emit(data: object) -> None:
    """Write one JSON document; it is ASCII, which every pipe can carry."""
    _write(sys.stdout, f"{json.dumps(data, indent=2)}\n")


@frozen
class Column:
    """A column of a table.

    Args:
        heading: What stands above it.
        number: Whether it is aligned to the right.
        wraps: Whether it gives way where the terminal is narrow.
        at_most: How wide it gets; longer cells end in an ellipsis.
    """

    heading: str
    number: bool = False
    wraps: bool = False
    at_most: int | None = None


def say_table(
    columns: Iterable[Column], rows: Iterable[Sequence[str]], *, title: str | None = None
) -> None:
    """Write a table as wide as the terminal; into a pipe or file, wide enough for most.

    Args:
        columns: The columns.
        rows: Cells, one for each column.
        title: What stands above it.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0)
    )
    rows = [[shown(cell) for cell in row] for row in rows]
    for place, column in enumerate(columns):
        cells = [column.heading, *(row[place] for row in rows)]
        table.add_column(
            column.heading,
            justify="right" if column.number else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            min_width=_longest_word(cells) if column.wraps else None,
            max_width=column.at_most,
        )
    for row in rows:
        # Text and not str: square brackets in a cell are no markup.
        table.add_row(*(Text(cell) for cell in row))
    free = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(width=_PIPE_WIDTH if free else None)
    with console.capture() as capture:
        console.print(table)
    lines = capture.get().splitlines()
    # Not said: the cells are clean, and the rest is what styles the table.
    _write(sys.stdout, "".join(f"{line.rstrip()}\n" for line in lines if line.strip()))


def _longest_word(cells: Iterable[str]) -> int:
    # Longer ones are broken all the same.
    return min(12, max(len(word) for cell in cells for word in cell.split()))


def forgive_encoding() -> None:
    """Let a terminal that can't show a character show its number, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Send what is still to come on a stream nowhere, the flush at exit included."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except OSError:
        # A stream without a file behind it has no reader that could go away.
        return


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        silence(stream)
