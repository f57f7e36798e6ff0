"""Reading a CSV file row by row, as often as wanted, without ever holding it."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Self, TypeVar

from attrs import frozen

from iprog_async._core.errors import InvalidMessageError
from iprog_async.cli._bulk.columns import Holds, columns_called, meant_column
from iprog_async.cli._bulk.csv_lines import (
    LONGEST_LINE,
    UnchangedFile,
    before_header,
    looks_like_utf16,
    raw_lines,
)


T = TypeVar("T")

_DELIMITERS = (",", ";", "\t")
_OTHER_DELIMITERS = ("|", "^", "~")
# So that the zero in front stays: ="09171234567".
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_SAMPLE = 50


@frozen
class CsvRow:
    """One row of a file.

    Args:
        line: Line on which it begins, from 1.
        cells: Its cells by the names of their columns; missing ones are not there.
        problem: Why its cells can't be trusted, or empty.
    """

    line: int
    cells: dict[str, str]
    problem: str = ""


class CsvFile:
    """A CSV file in UTF-8 with a header, its delimiter a comma, semicolon or tab.

    A first line such as `sep=;` names the delimiter, and is not the header, nor are empty lines.

    Args:
        path: The file; it is read more than once, so it can't be a pipe.
        column: Name of a column that it has; of the delimiters, one that finds it is taken.

    Raises:
        InvalidMessageError: It can't be read, or has no header; the error names the line.
    """

    def __init__(self, path: str, column: str) -> None:
        self.path = path
        try:
            self._unchanged = UnchangedFile(path)
        except (OSError, ValueError) as exc:
            raise InvalidMessageError(f"{path!r} can't be read: {_why(exc)}") from None
        # A part of a file is read at a time, and each one is looked at: a run may take all night.
        self._file = io.BufferedReader(self._unchanged)
        try:
            self._before_header = 0
            self._delimiter, self.columns = self._header(column)
        except BaseException:
            self._file.close()
            raise

    def check_column(
        self, name: str, use: str, option: str = "", holds: Holds | None = None
    ) -> str:
        """Return the column that has a name; capitals count only where two columns differ by them.

        Args:
            name: The name.
            use: What it is needed for, in words.
            option: The option that names it; in the text, where there is none.
            holds: What its cells have to be like, to tell which other column was meant.

        Raises:
            InvalidMessageError: There is none, or more than one.
        """
        called = columns_called(name, self.columns)
        if len(called) == 1:
            return called[0]
        found = self.columns.count(name)
        shown = ", ".join(column for column in self.columns if column)
        wrong = f"has {found} columns {name!r}" if found else f"has no column {name!r}"
        by = f" ({option})" if option else ""
        near = "" if found else meant_column(name, self.columns, self._sample(), holds)
        meant = f"{option} {shlex.quote(near)}" if option else f"{{{near}}}"
        hint = self._other_delimiter() or (f". Did you mean {meant}?" if near else "")
        raise InvalidMessageError(f"{self.path} {wrong} {use}{by}; its columns are: {shown}{hint}")

    def _other_delimiter(self) -> str:
        """Return what to do about a header that seems to be separated by another sign."""
        if len(self.columns) != 1:
            return ""
        sign = next((sign for sign in _OTHER_DELIMITERS if sign in self.columns[0]), "")
        if not sign:
            return ""
        return f". Is it separated by {sign!r}? Then write sep={sign} as its first line"

    def _sample(self) -> list[dict[str, str]]:
        try:
            return [row.cells for row in islice(self, _SAMPLE)]
        except InvalidMessageError:
            # What is wrong with a row is told when its turn comes.
            return []

    def __iter__(self) -> Iterator[CsvRow]:
        """Read the file from its beginning; rows without anything in them are left out.

        Raises:
            InvalidMessageError: A line breaks the format, or the file was changed meanwhile.
        """
        self._unchanged.check()
        reader = csv.reader(self._lines(), delimiter=self._delimiter, strict=True)
        self._take(reader, lambda: next(reader))
        while True:
            line = self._before_header + reader.line_num + 1
            cells = self._take(reader, lambda: next(reader, None))
            if cells is None:
                return
            if any(cells):
                yield self._row(line, cells)

    def _row(self, line: int, cells: list[str]) -> CsvRow:
        wide = len(self.columns)
        extra = any(cells[wide:])
        problem = ""
        if extra:
            problem = f"this row has {len(cells)} cells, and the header {wide}: a cell that holds "
            problem += f"{self._delimiter!r} stands in quotation marks"
        return CsvRow(line, dict(zip(self.columns, map(_text_of, cells), strict=False)), problem)

    def _header(self, column: str) -> tuple[str, tuple[str, ...]]:
        if not self._file.seekable():
            raise InvalidMessageError(f"{self.path} can't be read twice; save it as a file")
        if looks_like_utf16(self._file):
            raise InvalidMessageError(
                f'{self.path} is UTF-16, as Excel\'s "Unicode Text" is; save it as CSV in UTF-8, '
                'which Excel calls "CSV UTF-8"'
            )
        self._before_header, named = before_header(self._file)
        delimiters = _DELIMITERS if named is None else (named,)
        found = {delimiter: self._first_row(delimiter) for delimiter in delimiters}
        headers = {sign: row for sign, row in found.items() if isinstance(row, tuple)}
        found_by = {sign: len(columns_called(column, row)) == 1 for sign, row in headers.items()}
        best = max(headers, key=lambda sign: (found_by[sign], len(headers[sign])), default="")
        columns = headers.get(best, ())
        broken = next((row for row in found.values() if isinstance(row, Exception)), None)
        if broken is not None and len(columns) < 2 and not found_by.get(best):
            # What is one strange name by one delimiter is most likely what is broken by another.
            raise broken
        if not any(columns):
            raise InvalidMessageError(f"{self.path} is empty; its first line names the columns")
        return best, columns

    def _first_row(self, delimiter: str) -> tuple[str, ...] | InvalidMessageError:
        reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        try:
            cells = self._take(reader, lambda: next(reader, None))
        except InvalidMessageError as exc:
            return exc
        return tuple(cell.strip() for cell in cells or ())

    def _take(self, reader: Iterable[list[str]], read: Callable[[], T]) -> T:
        try:
            return read()
        except csv.Error as exc:
            line = self._before_header + getattr(reader, "line_num", 1)
            raise InvalidMessageError(
                f"{self.path}, line {line}: this is no proper CSV ({exc}); is a quotation mark "
                "there, or some lines before, that has no partner?"
            ) from None
        except OSError as exc:
            raise InvalidMessageError(f"{self.path} can't be read: {_why(exc)}") from None

    def _lines(self) -> Iterator[str]:
        """Yield the lines of the file; decoding them one by one tells which one is broken."""
        for line, data in enumerate(raw_lines(self._file), 1):
            if line <= self._before_header:
                continue
            if len(data) >= LONGEST_LINE or b"\0" in data:
                wrong = "a NUL byte" if b"\0" in data else f"more than {LONGEST_LINE} bytes"
                raise self._no_text(line, f"has {wrong}")
            try:
                yield data.decode()
            except UnicodeDecodeError as exc:
                raise self._no_text(line, f"is no UTF-8 (byte {exc.start + 1})") from None

    def _no_text(self, line: int, wrong: str) -> InvalidMessageError:
        return InvalidMessageError(
            f"{self.path}, line {line} {wrong}; save the file as CSV in UTF-8"
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _text_of(cell: str) -> str:
    """Return a cell without what spreadsheets put around a text that looks like a number."""
    formula = _TEXT_FORMULA.fullmatch(cell) if cell.startswith("=") else None
    return cell if formula is None else formula[1]


def _why(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc)
