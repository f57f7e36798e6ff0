"""How much a run may still spend, with what is on its way counted as spent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from iprog_async._errors import ConfigurationError, CreditLimitError
from iprog_async._messages import Batch
from iprog_async._outcomes import Outcome


class CreditLimit:
    """Reserves the segments of each batch before it is sent.

    Segments of messages that were certainly not sent come back; those of an unknown outcome
    do not, because the gateway may have charged them.

    Args:
        limit: The most segments that may be sent.
    """

    def __init__(self, limit: int) -> None:
        check_limit(limit)
        self._limit = limit
        self._spent = 0
        self._pending: dict[int, int] = {}
        self._settled = asyncio.Event()

    async def reserve(self, batch: Batch, smallest: int) -> int:
        """Reserve for as many messages of a batch as can be paid, from its first one on.

        Where they can't all be paid, it waits for what is on its way: some may come back.

        Args:
            batch: What is to be sent.
            smallest: The fewest messages that can travel together.

        Returns:
            The number of messages that may be sent.
        """
        while (count := self._affordable(batch)) < len(batch) and self._pending:
            self._settled.clear()
            await self._settled.wait()
        if count < min(smallest, len(batch)):
            return 0
        for prepared in batch[:count]:
            self._pending[prepared.index] = prepared.segments.count
            self._spent += prepared.segments.count
        return count

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Note how messages ended for which there was a reservation."""
        for outcome in outcomes:
            segments = self._pending.pop(outcome.index)
            if outcome.state == "not_sent":
                self._spent -= segments
        self._settled.set()

    def exceeded(self) -> CreditLimitError:
        """Return the error of a run that may spend no more."""
        return CreditLimitError(self._limit, self._spent)

    def _affordable(self, batch: Batch) -> int:
        left = self._limit - self._spent
        for count, prepared in enumerate(batch):
            left -= prepared.segments.count
            if left < 0:
                return count
        return len(batch)


def check_limit(limit: int) -> None:
    """Raise `ConfigurationError` unless it is a number of segments."""
    if limit < 1:
        raise ConfigurationError("max_credits is a number of segments, 1 or more")
