"""How far a run has come, and how many of its messages have ended in each way."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from attrs import define

from iprog_async._core.errors import JournalConflictError, JournalError
from iprog_async._core.outcomes import Accepted, Outcome, met_this_time
from iprog_async._sending.tally import Tally


class State(IntEnum):
    """How far a run has come; it only ever moves on."""

    READING = 0
    """Messages are read and sent."""
    READ = 1
    """All messages are read, and what waits is sent."""
    DRAINING = 2
    """Nothing more is taken; what a worker has taken is sent."""
    STOPPED = 3
    """What has not left is not sent; what is on its way comes to its outcome."""
    ENDED = 4
    """The reader has had everything, or nobody reads any more."""


@define
class Counts:
    """How many messages of a run have ended in each way so far."""

    accepted: int = 0
    not_sent: int = 0
    unknown: int = 0
    resumed: int = 0
    """Those of the above that an earlier run had settled, by the journal."""
    failed: int = 0
    """Those of the accepted that the gateway reported as failed, in the answer that took them."""

    @property
    def total(self) -> int:
        """Messages with an outcome."""
        return self.accepted + self.not_sent + self.unknown

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count outcomes that came of no request."""
        for outcome in outcomes:
            if outcome.state == "accepted":
                self.accepted += 1
                self.failed += outcome.failed
            elif outcome.state == "not_sent":
                self.not_sent += 1
            else:
                self.unknown += 1


def count_tally(counts: Counts, tally: Tally, still_unknown: int = 0) -> None:
    """Count the outcomes of a request.

    Args:
        counts: What they are added to.
        tally: How the messages of the request ended.
        still_unknown: Those of the not sent that an earlier request may have sent.
    """
    counts.accepted += tally.accepted
    # As nearly always there is nothing else; this is done for each text.
    if tally.not_sent or tally.unknown or tally.failed:
        counts.not_sent += tally.not_sent - still_unknown
        counts.unknown += tally.unknown + still_unknown
        counts.failed += tally.failed


def was_settled(outcome: Outcome) -> bool:
    """Return whether an earlier run came to this outcome.

    A conflict is this run's own, and so is that the journal could not be asked.
    """
    return isinstance(outcome, Accepted) or not isinstance(
        met_this_time(outcome.error), (JournalConflictError, JournalError)
    )
