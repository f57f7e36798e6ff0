"""Finding the one recipient that makes a gateway refuse a whole batch; pure decisions."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

from attrs import evolve

from iprog_async._outcomes import Outcome
from iprog_async._planner import Batch, halves


class Halving:
    """The parts of a batch that are still to be submitted; at first all of it.

    After an unknown outcome nothing is asked again: what is left keeps its refusal.

    Args:
        batch: What to submit.
    """

    def __init__(self, batch: Batch) -> None:
        self._waiting: list[tuple[Batch, Sequence[Outcome]]] = [(batch, ())]
        self._unknown = False

    def __bool__(self) -> bool:
        """Whether a part is left."""
        return bool(self._waiting)

    def next(self, *, may_ask: bool = True) -> tuple[Batch, Sequence[Outcome]]:
        """Take a part: with the refusal that it keeps, or nothing if it is to be submitted.

        Args:
            may_ask: Whether a part that was refused once may be submitted again.
        """
        part, refusal = self._waiting.pop()
        return part, (() if may_ask and not self._unknown else refusal)

    def split(self, part: Batch, outcomes: Sequence[Outcome]) -> bool:
        """Note what came of a part; return whether its halves take its place."""
        if len(part) > 1 and refused_for_one(outcomes):
            first, second = halves(part)
            middle = len(first)
            self._waiting += [(second, outcomes[middle:]), (first, outcomes[:middle])]
            return True
        self._unknown = self._unknown or any(outcome.state == "unknown" for outcome in outcomes)
        return False


def refused_for_one(outcomes: Sequence[Outcome]) -> bool:
    """Return whether one refusal met every message because of one recipient.

    Where the gateway refused each recipient by itself, each has an error of its own, and
    asking again could tell nothing new.
    """
    first = outcomes[0]
    if first.state != "not_sent" or first.error.blame != "recipient":
        return False
    return all(outcome.state == "not_sent" and outcome.error is first.error for outcome in outcomes)


def spared(outcome: Outcome) -> Outcome:
    """Return a refusal that is maybe another recipient's fault, as one that could heal.

    A journal would otherwise never let a later run send it; for parts that keep their refusal.
    """
    if outcome.state != "not_sent":
        return outcome
    error = copy(outcome.error)
    error.healable = True
    return evolve(outcome, error=error)
