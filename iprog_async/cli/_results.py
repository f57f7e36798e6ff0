"""The file of outcomes that a bulk run leaves behind."""

from __future__ import annotations

import csv
import os
from typing import Self, TextIO

from iprog_async._errors import InvalidMessageError
from iprog_async._journal_entries import harmless
from iprog_async._outcomes import Accepted, Outcome
from iprog_async._secrets import one_line


_HEADER = ("line", "number", "state", "ref", "error")
_LONGEST_CELL = 500


class Results:
    """A CSV file with a line for each outcome, written as they come.

    It holds phone numbers: its mode is 0600.

    Args:
        path: Where it is made; `None` for no file.
        replace: Whether an earlier one may be replaced. Other files never are.

    Raises:
        InvalidMessageError: It can't be written, or something else is there.
    """

    def __init__(self, path: str | None, *, replace: bool = False) -> None:
        self.problem: str | None = None
        """Why nothing can be written any more."""
        self._file = None if path is None else _make(path, replace)
        self._rows = None if self._file is None else csv.writer(self._file)
        self._write(_HEADER)

    def add(self, line: int, outcome: Outcome, words: str) -> None:
        """Write an outcome.

        Args:
            line: Line of the message in its own file.
            outcome: What became of it.
            words: Its error, in words.
        """
        if self._rows is None:
            return
        ref = outcome.receipt.ref if isinstance(outcome, Accepted) else None
        cells = (outcome.message.to, outcome.state, ref, one_line(words, _LONGEST_CELL))
        self._write((str(line), *(harmless(cell) for cell in cells)))

    def _write(self, cells: tuple[str, ...]) -> None:
        if self._rows is None or self._file is None:
            return
        try:
            self._rows.writerow(cells)
            # A process that is killed later leaves all that it knew.
            self._file.flush()
        except OSError as exc:
            self.problem = f"the results can't be written any more: {exc.strerror}"
            self._rows = None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            try:
                self._file.close()
            except OSError:
                # The disk is full, which was told already.
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def check_replaceable(path: str, *, replace: bool) -> None:
    """Raise `InvalidMessageError` if there is a file that must not be replaced."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            first = file.readline(_LONGEST_CELL).strip()
    except FileNotFoundError:
        return
    except OSError as exc:
        raise InvalidMessageError(f"--results {path!r} can't be used: {exc.strerror}") from None
    if first and not (replace and first == ",".join(_HEADER)):
        raise InvalidMessageError(
            f"--results {path!r} is there already, and tells what an earlier run did or is "
            "another file; choose another name"
        )


def _make(path: str, replace: bool) -> TextIO:
    check_replaceable(path, replace=replace)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as exc:
        raise InvalidMessageError(f"--results {path!r} can't be made: {exc.strerror}") from None
    return open(descriptor, "w", encoding="utf-8", newline="")
