"""Batch bisection: finds the one recipient that makes a gateway refuse a whole batch; pure.

A refused batch is halved, and its halves are submitted, down to the recipient itself. Where one
recipient alone can't travel, since the gateway takes scheduled texts only from so many on, no part
gets smaller than that. Instead each recipient of a small part is left out in turn: once the others
are accepted, it was that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import compress

from attrs import evolve, frozen

from iprog_async._core.errors import ExpiredError, InvalidMessageError, SmsError
from iprog_async._core.messages import Batch
from iprog_async._core.outcomes import Outcome
from iprog_async._sending.batching import halves


@frozen
class _Part:
    """A part of a batch that waits.

    Args:
        batch: Its messages.
        refusals: What they were refused with together, if they were.
        left_out: Which of them is left out next time, if one is.
        ended: Whether the refusals are final, as they are.
    """

    batch: Batch
    refusals: Sequence[Outcome] = ()
    left_out: int | None = None
    ended: bool = False

    @property
    def asked(self) -> Batch:
        """The messages to submit."""
        if self.left_out is None:
            return self.batch
        return [*self.batch[: self.left_out], *self.batch[self.left_out + 1 :]]


class Bisection:
    """The parts of a batch that are still to be submitted; at first all of it.

    After an unknown outcome nothing is asked again: what is left keeps its refusal.

    Args:
        batch: What to submit.
        smallest: The fewest messages of a request.
    """

    def __init__(self, batch: Batch, smallest: int = 1) -> None:
        self._smallest = smallest
        self._waiting = [_Part(batch)]
        self._current = self._waiting[0]
        self._unknown = False

    def __bool__(self) -> bool:
        """Whether a part is left."""
        return bool(self._waiting)

    def next(self, *, may_ask: bool = True) -> tuple[Batch, Sequence[Outcome]]:
        """Take a part: with the outcomes that it keeps, or nothing if it is to be submitted.

        Args:
            may_ask: Whether a part that was refused once may be submitted again.
        """
        part = self._current = self._waiting.pop()
        if part.ended:
            return part.batch, part.refusals
        if part.refusals and (self._unknown or not may_ask):
            return part.batch, [as_healable(refusal) for refusal in part.refusals]
        return part.asked, ()

    def split(self, outcomes: Sequence[Outcome]) -> bool:
        """Note what came of the part taken last; return whether smaller ones take its place."""
        part = self._current
        if part.left_out is None and (in_time := still_in_time(part.batch, outcomes)):
            self._waiting += _parted(part.batch, outcomes, in_time)
            return True
        if len(part.batch) > 1 and refused_for_one(outcomes):
            self._waiting += self._narrowed(part, outcomes)
            return True
        self._unknown = self._unknown or any(outcome.state == "unknown" for outcome in outcomes)
        if part.left_out is not None:
            self._waiting.append(_alone(part, part.left_out, outcomes))
        return False

    def _narrowed(self, part: _Part, outcomes: Sequence[Outcome]) -> Sequence[_Part]:
        """Return what takes the place of a part that was refused for one recipient."""
        count, smallest = len(part.batch), self._smallest
        if part.left_out is None:
            part = evolve(part, refusals=outcomes)
            # With one more than the smallest in each, one can still be left out.
            if smallest == 1 or count >= 2 * (smallest + 1):
                return _halved(part)
            if count > smallest:
                return [evolve(part, left_out=0)]
        elif part.left_out + 1 < count:
            return [evolve(part, left_out=part.left_out + 1)]
        elif count >= 2 * smallest:
            # More than one of them is bad.
            return _halved(part)
        kept = [as_healable(refusal) for refusal in part.refusals]
        return [_Part(part.batch, kept, ended=True)]


def _parted(batch: Batch, outcomes: Sequence[Outcome], in_time: Sequence[bool]) -> list[_Part]:
    """Return the messages that may still leave, and the expired ones with their outcomes."""
    late = [not may_leave for may_leave in in_time]
    expired = _Part(list(compress(batch, late)), list(compress(outcomes, late)), ended=True)
    return [_Part(list(compress(batch, in_time))), expired]


def _halved(part: _Part) -> Sequence[_Part]:
    first, second = halves(part.batch)
    middle = len(first)
    return [_Part(second, part.refusals[middle:]), _Part(first, part.refusals[:middle])]


def _alone(part: _Part, place: int, others: Sequence[Outcome]) -> _Part:
    """Return the one recipient that was left out, with its refusal."""
    refusal = part.refusals[place]
    if any(outcome.state != "accepted" for outcome in others):
        # What happened to the others does not show that it was this one's fault.
        refusal = as_healable(refusal)
    return _Part(part.batch[place : place + 1], [refusal], ended=True)


def refused_for_one(outcomes: Sequence[Outcome]) -> bool:
    """Return whether one refusal met every message because of one recipient.

    Where the gateway refused each recipient by itself, each has an error of its own, and
    asking again could tell nothing new.
    """
    refusal = _one_refusal(outcomes)
    return refusal is not None and refusal.blame == "recipient"


def _one_refusal(outcomes: Sequence[Outcome]) -> SmsError | None:
    """Return the error that kept a whole request from being sent; `None` if it was not so.

    Of a router's batch, some may have been accepted while the others were refused.
    """
    first = outcomes[0]
    if first.state != "not_sent":
        return None
    one = all(outcome.state == "not_sent" and outcome.error is first.error for outcome in outcomes)
    return first.error if one else None


def still_in_time(batch: Batch, outcomes: Sequence[Outcome]) -> Sequence[bool]:
    """Return which messages of an expired request may still leave; nothing if none may.

    Ends that are near one another travel together, by the earliest of them. An adapter may need
    some time, and refuse for an end before all of them: the same request would fare no better.
    """
    refusal = _one_refusal(outcomes)
    if not isinstance(refusal, ExpiredError):
        return ()
    until = refusal.not_after
    in_time = [
        end is not None and end > until for end in (waits.message.not_after for waits in batch)
    ]
    return in_time if any(in_time) and not all(in_time) else ()


def as_healable(outcome: Outcome) -> Outcome:
    """Return a refusal that is maybe another recipient's fault, as one that could heal.

    A journal would otherwise never let a later run send it; for parts that keep their refusal.
    """
    if outcome.state != "not_sent":
        return outcome
    error = copy(outcome.error)
    error.healable = True
    return evolve(outcome, error=error)


def as_too_few(outcome: Outcome) -> Outcome:
    """Return the outcome of a message that travelled with fewer others than its gateway takes.

    A check that refused it says nothing of it beside others, whom a later run may have.
    """
    if outcome.state == "not_sent" and isinstance(outcome.error, InvalidMessageError):
        return as_healable(outcome)
    return outcome
