"""How the messages of a request ended, counted once for everybody who asks."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from iprog_async._core.errors import OutcomeUnknownError, SmsError
from iprog_async._core.messages import Batch
from iprog_async._core.outcomes import Outcome
from iprog_async._core.receipts import Receipt


@define
class Tally:
    """How the messages of one request ended.

    Args:
        accepted: How many were accepted.
        failed: Those of the accepted that the gateway reported as failed in the same answer.
        not_sent: How many were certainly not sent.
        unknown: How many may have been sent.
        segments: Segments of all that were sent, or may have been.
        last_unknown: The last error of an unknown outcome.
        account: The first refusal that every message of the account would meet.
        priced: Accepted texts for which the gateway says what it took, as segments and receipt.
    """

    accepted: int = 0
    failed: int = 0
    not_sent: int = 0
    unknown: int = 0
    segments: int = 0
    last_unknown: OutcomeUnknownError | None = None
    account: SmsError | None = None
    priced: list[tuple[int, Receipt]] = field(factory=list[tuple[int, Receipt]])


def tally_of(part: Batch, outcomes: Sequence[Outcome]) -> Tally:
    """Count how messages ended, in one pass: there is one for each text that is ever sent."""
    if len(outcomes) == 1 and (outcome := outcomes[0]).state == "accepted":
        # As nearly always where everybody is told something else.
        receipt, count = outcome.receipt, part[0].segments.count
        priced = [] if receipt.credits is None else [(count, receipt)]
        return Tally(1, int(receipt.status.state == "failed"), 0, 0, count, None, None, priced)
    tally = Tally()
    accepted = segments = 0
    for prepared, outcome in zip(part, outcomes, strict=True):
        if outcome.state == "not_sent":
            tally.not_sent += 1
            if tally.account is None and outcome.error.blame == "account":
                tally.account = outcome.error
            continue
        count = prepared.segments.count
        segments += count
        if outcome.state == "accepted":
            accepted += 1
            receipt = outcome.receipt
            if receipt.status.state == "failed":
                tally.failed += 1
            if receipt.credits is not None:
                tally.priced.append((count, receipt))
        else:
            tally.unknown += 1
            tally.last_unknown = outcome.error
    tally.accepted, tally.segments = accepted, segments
    return tally
