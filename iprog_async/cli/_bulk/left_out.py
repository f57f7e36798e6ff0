"""What a preview finds that would not be sent."""

from __future__ import annotations

from iprog_async._core.errors import (
    DuplicateMessageError,
    ExpiredError,
    JournalConflictError,
    NumberRepeatedError,
    SmsError,
    SuppressedError,
)
from iprog_async._core.outcomes import NotSent
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.reasons import Reasons
from iprog_async.cli._bulk.results_file import LeftOutRows


class LeftOut:
    """Takes rows that would not be sent: counts why, and writes them to a file.

    Args:
        messages: The messages that rows stand for.
        rows: Where they are written.
    """

    def __init__(self, messages: CsvMessages, rows: LeftOutRows) -> None:
        self.invalid = Reasons()
        """Why rows can't be sent."""
        self.messages = messages
        self._rows = rows

    def __call__(self, outcome: NotSent) -> None:
        """Take a row."""
        line, words = self.messages.line_of(outcome.index), self.messages.words_of(outcome.error)
        kind = _kind(outcome.error)
        self._rows.add(line, outcome.message.to, kind, words)
        if kind == "invalid":
            self.invalid.add(line, outcome.message.to, outcome.error, words)


def _kind(error: SmsError) -> str:
    match error:
        case NumberRepeatedError():
            return "repeated"
        case DuplicateMessageError():
            return "duplicate"
        case SuppressedError():
            return "suppressed"
        case JournalConflictError():
            return "conflict"
        case ExpiredError():
            return "too late"
        case _:
            return "invalid"
