"""Why rows were not sent: a line for each reason, and not for each row."""

from __future__ import annotations

import re
from typing import Any

from attrs import define, field

from iprog_async._core.errors import (
    DuplicateMessageError,
    ExpiredError,
    NumberRepeatedError,
    RunHaltedError,
    SmsError,
    SuppressedError,
)
from iprog_async._core.redaction import one_line


_MOST_KEPT = 50
_MOST_SHOWN = 5
_FIRST_LINES = 3
_LONGEST = 300
# A phone number or an id; what a reason counts is shorter.
_NUMBER = re.compile(r"\+?\d{5,}")


@define
class Reason:
    """Rows that have the same reason.

    Args:
        words: The reason as it is for all of them.
        lines: The first lines of the file that have it.
        count: How many have it.
    """

    words: str
    lines: list[int] = field(factory=list[int])
    count: int = 0

    def add(self, line: int) -> None:
        """Count one more row."""
        self.count += 1
        if len(self.lines) < _FIRST_LINES:
            self.lines.append(line)

    def __str__(self) -> str:
        more = self.count - len(self.lines)
        where = ", ".join(map(str, self.lines)) + (f" and {more} more" if more else "")
        return f"line{'s' if self.count > 1 else ''} {where}: {self.words}"


class Reasons:
    """Rows by their reason, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self.count = 0
        """How many rows there are in all."""
        self._kept: dict[str, Reason] = {}

    def add(self, line: int, number: str, error: SmsError, words: str) -> None:
        """Count a row.

        Args:
            line: Its line in the file.
            number: Its phone number, as the file has it.
            error: Why it was not sent.
            words: The error, in words.
        """
        words = one_line(_of_all(error) or words, _LONGEST)
        self._count(line, words, _NUMBER.sub("…", words.replace(repr(number), "'…'")))

    def add_words(self, line: int, words: str) -> None:
        """Count a row of which a gateway said something, and which has no error.

        Args:
            line: Its line in the file.
            words: The gateway's words.
        """
        words = one_line(words, _LONGEST)
        self._count(line, words, _NUMBER.sub("…", words))

    def _count(self, line: int, words: str, kind: str) -> None:
        self.count += 1
        reason = self._kept.get(kind)
        if reason is None:
            if len(self._kept) >= _MOST_KEPT:
                return
            reason = self._kept[kind] = Reason(words)
        if words != reason.words:
            # Of many numbers none is shown: readers would take it for the number of each line.
            reason.words = kind
        reason.add(line)

    def to_list(self) -> list[dict[str, Any]]:
        """Return the reasons as JSON-ready data, the most frequent first."""
        return [
            {"reason": reason.words, "count": reason.count, "first_lines": reason.lines}
            for reason in self._sorted()
        ]

    def lines(self, of: int | None = None) -> list[str]:
        """Return the most frequent reasons, a line each, and how many rows have others.

        Args:
            of: How many rows there are, if not all of them were counted here.
        """
        shown = self._sorted()[:_MOST_SHOWN]
        rest = (self.count if of is None else of) - sum(reason.count for reason in shown)
        return [*map(str, shown), *([f"and {rest} more, for other reasons"] if rest else [])]

    def _sorted(self) -> list[Reason]:
        return sorted(self._kept.values(), key=lambda reason: -reason.count)


def _of_all(error: SmsError) -> str | None:
    """Return what is said alike of each row that has such an error."""
    match error:
        case NumberRepeatedError():
            return "the number gets the text of an earlier line (--one-per-number)"
        case DuplicateMessageError():
            return "the same text for the same number as on an earlier line"
        case SuppressedError():
            return "the number is among those never to text (--suppress, --suppressions)"
        case ExpiredError():
            return "it was too late to send it (--not-after)"
        case RunHaltedError():
            return "the run stopped before their turn"
        case _:
            return None
