"""The messages that a file's rows stand for."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from iprog_async._bulk.preparation import Unsendable
from iprog_async._core.errors import (
    DuplicateMessageError,
    InvalidMessageError,
    NumberRepeatedError,
    SmsError,
)
from iprog_async._core.messages import Message
from iprog_async._sending.template import Template, value_of
from iprog_async.cli._bulk.columns import looks_like_number
from iprog_async.cli._bulk.csv_file import CsvFile, CsvRow
from iprog_async.cli._errors.wording import words_of_error


class CsvMessages:
    """A message for each row of a file; iterating again reads the file again.

    Args:
        file: The file.
        template: What everybody is told.
        column: Column of the phone numbers.
        key_column: Column of the keys, if there is one.
        limit: How many rows are read; all if `None`.

    Raises:
        InvalidMessageError: The file lacks a column; the error names those it has.
    """

    def __init__(
        self,
        file: CsvFile,
        template: Template,
        column: str,
        key_column: str | None = None,
        limit: int | None = None,
    ) -> None:
        self._column = file.check_column(
            column, "with the phone numbers", "--column", looks_like_number
        )
        called = {name: file.check_column(name, "for the text") for name in template.fields}
        self._called = {name: real for name, real in called.items() if name != real}
        if key_column is not None:
            key_column = file.check_column(key_column, "with the keys", "--key-column")
        self._file = file
        self._template = template
        self._key_column = key_column
        self._limit = limit
        self._schedule_at: datetime | None = None
        self._not_after: datetime | None = None
        # Four bytes a row: outcomes tell the index of their message, and people count lines.
        self._lines = array("I")

    def schedule(self, when: datetime) -> None:
        """Let the gateway keep all messages until a time."""
        self._schedule_at = when

    def expire_after(self, when: datetime) -> None:
        """Let no message leave after a time."""
        self._not_after = when

    def __iter__(self) -> Iterator[Message]:
        lines = self._lines = array("I")
        for row in islice(self._file, self._limit):
            lines.append(row.line)
            yield self._message(row)

    def line_of(self, index: int) -> int:
        """Return the line of a message that was read."""
        return self._lines[index]

    def words_of(self, error: SmsError) -> str:
        """Return an error in words, by lines and not by indexes."""
        if isinstance(error, NumberRepeatedError):
            return f"this number gets the text of line {self.line_of(error.first_index)}"
        if isinstance(error, DuplicateMessageError):
            return f"the same text for the same number as on line {self.line_of(error.first_index)}"
        return words_of_error(error)

    def _by_field(self, cells: dict[str, str]) -> dict[str, str]:
        """Return cells by what the text calls their columns, too."""
        for name, column in self._called.items():
            if column in cells:
                cells[name] = cells[column]
        return cells

    def _message(self, row: CsvRow) -> Message:
        cells = row.cells
        try:
            if row.problem:
                raise InvalidMessageError(row.problem)
            key = None if self._key_column is None else value_of(cells, self._key_column)
            number = value_of(cells, self._column)
            text = self._template.fill(self._by_field(cells))
            when, until = self._schedule_at, self._not_after
            return Message(number, text, schedule_at=when, key=key, not_after=until)
        except InvalidMessageError as exc:
            return Unsendable(cells.get(self._column, ""), "", problem=exc)
