"""The files that a bulk run leaves behind: of its outcomes, and of what it would leave out."""

from __future__ import annotations

import csv
import os
from typing import ClassVar, Self, TextIO

from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.outcomes import Accepted, Outcome
from iprog_async._core.redaction import one_line
from iprog_async._journal.entries import harmless


_OUTCOMES = ("line", "number", "state", "ref", "error", "status")
_OLDER_OUTCOMES = (_OUTCOMES[:-1],)
_LEFT_OUT = ("line", "number", "left_out", "reason")
_LONGEST_CELL = 500


class _Rows:
    """A CSV file, written a row at a time; it holds phone numbers: its mode is 0600."""

    header: ClassVar[tuple[str, ...]]

    def __init__(self, path: str | None, *, replace: bool) -> None:
        self.problem: str | None = None
        """Why nothing can be written any more."""
        self._file = None if path is None else _make(path, replace)
        self._rows = None if self._file is None else csv.writer(self._file)
        self._write(self.header)

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


class Results(_Rows):
    """A line for each outcome, written as they come.

    Args:
        path: Where it is made; `None` for no file.
        replace: Whether the results of an earlier run may be replaced. Other files never are.

    Raises:
        InvalidMessageError: It can't be written, or something else is there.
    """

    header = _OUTCOMES

    def __init__(self, path: str | None, *, replace: bool = False) -> None:
        super().__init__(path, replace=replace)

    def add(self, line: int, outcome: Outcome, words: str) -> None:
        """Write an outcome.

        Args:
            line: Line of the message in its own file.
            outcome: What became of it.
            words: What went wrong, in words.
        """
        if self._rows is None:
            return
        ref = outcome.receipt.ref if isinstance(outcome, Accepted) else None
        status = outcome.receipt.status.state if isinstance(outcome, Accepted) else None
        words = one_line(words, _LONGEST_CELL)
        cells = (outcome.message.to, outcome.state, ref, words, status)
        self._write((str(line), *(harmless(cell) for cell in cells)))


class LeftOutRows(_Rows):
    """A line for each row that a dry run found not to be sent.

    Args:
        path: Where it is made; `None` for no file.

    Raises:
        InvalidMessageError: It can't be written, or something else is there.
    """

    header = _LEFT_OUT

    def __init__(self, path: str | None) -> None:
        # What a run did is nothing that a preview may write over.
        super().__init__(path, replace=False)

    def add(self, line: int, number: str, kind: str, reason: str) -> None:
        """Write a row.

        Args:
            line: Its line in its own file.
            number: Its phone number, as it is there.
            kind: As what it is left out, in one word.
            reason: Why, in words.
        """
        if self._rows is not None:
            cells = (number, kind, one_line(reason, _LONGEST_CELL))
            self._write((str(line), *(harmless(cell) for cell in cells)))


def check_replaceable(path: str, *, replace: bool) -> None:
    """Raise `InvalidMessageError` if there is a file that must not be replaced.

    Args:
        path: Where it would be.
        replace: Whether it may be the results of an earlier run; a dry run's list always may.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            first = file.readline(_LONGEST_CELL).strip()
    except FileNotFoundError:
        return
    except OSError as exc:
        raise InvalidMessageError(f"--results {path!r} can't be used: {exc.strerror}") from None
    replaceable = [_LEFT_OUT, *([_OUTCOMES, *_OLDER_OUTCOMES] if replace else [])]
    if first not in {"", *map(",".join, replaceable)}:
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
