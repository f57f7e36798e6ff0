"""What becomes of an outbox's row after its text was tried; pure decisions."""

from __future__ import annotations

from enum import Enum

from iprog_async._core.errors import (
    ClientClosedError,
    ConnectionFailedError,
    JournalError,
    OutcomeUnknownError,
    RateLimitError,
    SendLaterError,
    SmsError,
    WrongLoopError,
)
from iprog_async._core.outcomes import met_this_time


class Verdict(Enum):
    """What to do with the row, and with the others."""

    SETTLED = "its outcome is on record"
    UNKNOWN = "it may have been sent: nobody sends it again"
    LATER = "it waits for another try"
    WAIT = "it waits until a policy allows it"
    PAUSE = "it waits, and so do all others for a moment: the gateway or the database is away"
    HALT = "it waits, and so do all others until somebody looks at the account"
    END = "this sender can't go on"


def verdict_of(error: SmsError) -> Verdict:
    """Return what to do after an error of a text."""
    if isinstance(error, OutcomeUnknownError):
        return _verdict_of_doubt(error)
    if isinstance(error, (ClientClosedError, WrongLoopError)):
        return Verdict.END
    if isinstance(error, SendLaterError):
        return Verdict.WAIT
    if isinstance(error, (ConnectionFailedError, RateLimitError)):
        return Verdict.PAUSE
    if error.blame == "account":
        return Verdict.PAUSE if isinstance(error, JournalError) else Verdict.HALT
    return Verdict.LATER if error.healable else Verdict.SETTLED


def _verdict_of_doubt(error: OutcomeUnknownError) -> Verdict:
    """Return what to do with a text that may have been sent: this time, or only an earlier one."""
    met = met_this_time(error)
    verdict = Verdict.UNKNOWN if met is error else verdict_of(met)
    return Verdict.UNKNOWN if verdict is Verdict.SETTLED else verdict
