"""What a loader is told of messages that no worker will send."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from iprog_async._core import errors
from iprog_async._core.errors import (
    DuplicateMessageError,
    JournalConflictError,
    NumberRepeatedError,
    SmsError,
)
from iprog_async._core.messages import Message
from iprog_async._core.outcomes import NotSent
from iprog_async.fleet._sifting import Sifted


_TIME = "a time"


def outcome_of(sifted: Sifted) -> NotSent:
    """Return what is told of a message that was taken out of the database again.

    The error is that of a run in one process, but for what was loaded or sent before: that is a
    conflict, whatever became of it. Of the message its number is left.
    """
    return NotSent(sifted.position, Message(sifted.number, ""), _error_of(sifted))


def _error_of(sifted: Sifted) -> SmsError:
    number = sifted.number
    match sifted.kind:
        case "duplicates":
            return DuplicateMessageError(sifted.first)
        case "repeated":
            return NumberRepeatedError(sifted.first)
        case "refused":
            return unpacked(sifted.refusal)
        case "conflicts":
            why = f"{number} waits for another text of this campaign, which was loaded before"
        case "waiting":
            why = f"{number} waits for this very text, which was loaded before"
        case "on_record":
            why = f"the journal has the outcome of this text for {number}"
    return JournalConflictError(number, why)


def packed(error: SmsError) -> str:
    """Return an error as JSON, with all that it holds, for a column of the database.

    Args:
        error: One of the library's own; of a class derived from one it is that one.
    """
    ours = next(cls for cls in type(error).__mro__ if vars(errors).get(cls.__name__) is cls)
    return json.dumps([ours.__name__, error.args, vars(error)], default=_to_json)


def unpacked(text: str) -> SmsError:
    """Return the error that was packed."""
    name, args, state = json.loads(text, object_hook=_from_json)
    cls: type[SmsError] = vars(errors)[name]
    # As pickle does it: what an error was made with may be in other words than what it holds.
    error = cls.__new__(cls, *args)
    vars(error).update(state)
    return error


def _to_json(value: object) -> object:
    if isinstance(value, datetime):
        return {_TIME: value.isoformat()}
    return str(value)


def _from_json(value: dict[str, Any]) -> object:
    return datetime.fromisoformat(value[_TIME]) if _TIME in value else value
