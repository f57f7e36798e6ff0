"""How much a run may still spend, with what is on its way counted as spent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

from iprog_async._bulk.spending import taken_for
from iprog_async._core.errors import ConfigurationError, CreditLimitError
from iprog_async._core.messages import Batch
from iprog_async._core.outcomes import Outcome
from iprog_async._sending.batching import cut_off


# What a segment may cost as long as no answer has told it: a header and a footer that the gateway
# adds make several segments of one.
_HIGHEST_PRICE = Decimal(10)


class CreditLimit:
    """Reserves the credits of each batch before it is sent.

    A segment is a credit, unless the gateway says that it took more: then the highest price that
    it told is the one that is reserved, also for what is on its way already. Until a text has
    been accepted nobody knows the price, so only so much is on its way as even a high one would
    pay for, or as few messages as can travel.

    Credits of messages that were certainly not sent come back; those of an unknown outcome do
    not, because the gateway may have taken them.

    Args:
        limit: The most credits that may be spent.
        may_grow: Whether more of them may be granted later, out of a limit that others share.
    """

    def __init__(self, limit: int, *, may_grow: bool = False) -> None:
        if not may_grow:
            check_limit(limit)
        self._limit = limit
        self._may_grow = may_grow
        self.wanted = asyncio.Event()
        """Set while more credits are needed than were granted."""
        self.on_grown: Callable[[], None] | None = None
        """Told when more may leave than before."""
        self._price = Decimal(1)
        self._is_price_known = False
        self._taken = Decimal(0)
        # Segments whose price was not told: of unknown outcomes, or where the gateway says nothing.
        self._untold = 0
        self._pending: dict[int, int] = {}
        self._pending_segments = 0
        self.exceeded: CreditLimitError | None = None
        """Why no more may be spent, once that is certain."""

    def size(self, batch: Batch, smallest: int) -> int:
        """Return how many messages off the front of a batch can be paid.

        Where they can't all be paid, it is none for now while others are on their way: some of
        their credits may come back.

        Args:
            batch: What is to be sent.
            smallest: The fewest messages that can travel together.
        """
        price = self._price if self._is_price_known else max(self._price, _HIGHEST_PRICE)
        count = self._affordable(batch, price)
        if count == len(batch):
            return count
        if self._may_grow:
            self.wanted.set()
            return 0
        if self._pending:
            # Some of it may come back, or tell the price.
            return 0
        if not self._is_price_known:
            fewest = cut_off(batch, smallest, smallest)
            if self._affordable(batch[:fewest], self._price) == fewest:
                return fewest
        count = count if count >= smallest else 0
        last = sum(prepared.segments.count for prepared in batch[:count]) * price
        self.exceeded = CreditLimitError(self._limit, self._spent + last)
        return count

    def grow(self, credits_granted: int) -> None:
        """Let more be spent; if it is nothing, there is no more to come."""
        self._limit += credits_granted
        self._may_grow = credits_granted > 0
        self.wanted.clear()
        if self.on_grown is not None:
            self.on_grown()

    @property
    def left(self) -> int:
        """Credits that are neither spent nor reserved."""
        return max(int(self._limit - self._spent - self._pending_segments * self._price), 0)

    def reserve(self, batch: Batch) -> None:
        """Reserve the credits of messages that are about to be sent."""
        for prepared in batch:
            segments = self._pending[prepared.index] = prepared.segments.count
            self._pending_segments += segments

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Note how messages ended for which there was a reservation."""
        for outcome in outcomes:
            segments = self._pending.pop(outcome.index)
            self._pending_segments -= segments
            if outcome.state == "accepted":
                self._is_price_known = True
                self._pay(segments, taken_for(outcome.receipt))
            elif outcome.state == "unknown":
                self._untold += segments

    def _pay(self, segments: int, taken: Decimal | None) -> None:
        if taken is None:
            self._untold += segments
            return
        self._taken += max(taken, Decimal(segments))
        self._price = max(self._price, taken / segments)

    @property
    def _spent(self) -> Decimal:
        return self._taken + self._untold * self._price

    def _affordable(self, batch: Batch, price: Decimal) -> int:
        left = self._limit - self._spent - self._pending_segments * price
        for count, prepared in enumerate(batch):
            left -= prepared.segments.count * price
            if left < 0:
                return count
        return len(batch)


def check_limit(limit: int) -> None:
    """Raise `ConfigurationError` unless it is a number of credits."""
    if limit < 1:
        raise ConfigurationError("max_credits is a number of credits, 1 or more")
