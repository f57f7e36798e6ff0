"""What a run has spent, by what the gateway says it took."""

from __future__ import annotations

import logging
from decimal import Decimal

from attrs import frozen

from iprog_async._core.receipts import Receipt
from iprog_async._sending.tally import Tally


logger = logging.getLogger("iprog_async")


@frozen
class PriceDifference:
    """A text for which a gateway took another number of credits than it has segments.

    Args:
        provider: Name of the provider that sent it.
        segments: Its segments, by our own count: what a plan counts.
        credits: What the gateway says it took.
    """

    provider: str
    segments: int
    credits: Decimal

    def __str__(self) -> str:
        segments = "1 segment" if self.segments == 1 else f"{self.segments} segments"
        credit = "1 credit" if self.credits == 1 else f"{self.credits:f} credits"
        return f"{self.provider} took {credit} for a text of {segments}"


class Spending:
    """Adds up what a run spends, and tells once when the gateway's price is not the plan's."""

    def __init__(self) -> None:
        self.difference: PriceDifference | None = None
        """The first text whose price was another one than planned."""
        self._segments = 0
        self._extra = Decimal(0)
        # The last price that was the plan's: nearly always that of the next text, too.
        self._planned: tuple[Decimal | None, int] = (None, 0)

    @property
    def credits(self) -> Decimal:
        """Credits that were spent, and those that may have been.

        It is what the gateway says it took, and no less than a credit for each segment.
        """
        return self._segments + self._extra

    def add(self, tally: Tally) -> None:
        """Add what became of some messages."""
        self._segments += tally.segments
        for segments, receipt in tally.priced:
            if receipt.credits is self._planned[0] and segments == self._planned[1]:
                continue
            taken = taken_for(receipt)
            if taken == segments:
                self._planned = (taken, segments)
            elif taken is not None:
                self._differ(receipt.provider, segments, taken)

    def _differ(self, provider: str, segments: int, taken: Decimal) -> None:
        self._extra += max(taken - segments, Decimal(0))
        if self.difference is None:
            self.difference = PriceDifference(provider, segments, taken)
            logger.warning(
                "%s; plans count a credit for each segment, max_credits what the gateway took",
                self.difference,
            )


def taken_for(receipt: Receipt) -> Decimal | None:
    """Return the credits that a gateway says it took for a text; `None` if it says no such thing.

    Somebody else's adapter can put anything there, and the text is out already.
    """
    taken: object = receipt.credits
    return taken if isinstance(taken, Decimal) and taken.is_finite() else None
