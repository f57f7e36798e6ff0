"""Why a text that was not sent is not certainly unsent: somebody else may have sent it before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from iprog_async._core.errors import JournalUnknownError, OutcomeUnknownError, SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent, Outcome, Unknown
from iprog_async._journal.rows import Row


class Doubts:
    """Knows of which messages a `NotSent` says nothing about an earlier sending, and why.

    What somebody else may have sent stays unknown, unless it is accepted.
    """

    def __init__(self) -> None:
        self.reasons: dict[int, Callable[[SmsError], OutcomeUnknownError]] = {}
        """By the index of a message, what makes its error of why it was not sent this time."""

    def note_unsettled(self, prepared: PreparedMessage, row: Row) -> None:
        """Note that the journal does not know whether a message was sent before."""
        self.reasons[prepared.index] = partial(_still_unsettled, row)

    def note_unseen(self, batch: Iterable[PreparedMessage], problem: SmsError) -> None:
        """Note that the journal could not be asked whether messages were sent before."""
        for prepared in batch:
            # What it said at an earlier time says more.
            self.reasons.setdefault(prepared.index, partial(_out_of_sight, prepared.e164, problem))

    def told(self, outcomes: Sequence[Outcome]) -> tuple[Sequence[Outcome], int]:
        """Return what the caller is told of messages, and how many of them are in doubt."""
        told = [self.told_of(outcome) for outcome in outcomes]
        return told, sum(was.state != now.state for was, now in zip(outcomes, told, strict=True))

    def told_of(self, outcome: Outcome) -> Outcome:
        """Return what the caller is told of one message."""
        reason = self.reasons.get(outcome.index)
        if reason is None or not isinstance(outcome, NotSent):
            return outcome
        return Unknown(outcome.index, outcome.message, reason(outcome.error))

    def settle(self, batch: Iterable[PreparedMessage]) -> None:
        """Forget what was in doubt about messages."""
        for prepared in batch:
            self.reasons.pop(prepared.index, None)

    def clear(self) -> None:
        """Forget all."""
        self.reasons.clear()


def _still_unsettled(row: Row, refused: SmsError) -> OutcomeUnknownError:
    """Return the error of a message that may have been sent once, and was not sent again.

    Args:
        row: What the journal had of it.
        refused: Why it was not sent again.
    """
    before = row.detail or "an earlier run ended while it was on its way"
    error = OutcomeUnknownError(
        f"it is unknown whether the text for {row.number} was sent the first time: {before}. It "
        f"was not sent again: {refused}. Check at the gateway",
        provider=row.provider,
        reason=before,
    )
    error.not_resent = error.__cause__ = refused
    return error


def _out_of_sight(number: str, problem: SmsError, refused: SmsError) -> JournalUnknownError:
    """Return the error of a message that was not sent, and may have been by somebody else.

    Args:
        number: Whom it is for, as E.164.
        problem: Why the journal does not say whether it was.
        refused: Why it was not sent this time.
    """
    why = f": {refused}" if refused is not problem else ""
    error = JournalUnknownError(
        f"it was not sent this time{why}. Whether an earlier run, or another process, has sent the "
        f"text for {number} is unknown, as the journal can't say: {problem}. Ask the journal again "
        "before you send it in any other way",
        provider="",
        reason=f"the journal can't say whether it was sent before: {problem}",
    )
    error.not_resent, error.__cause__ = refused, problem
    return error
