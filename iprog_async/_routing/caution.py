"""Caution with a member: until it has shown that it works, only few people are put at risk."""

from __future__ import annotations

import asyncio

from attrs import frozen

from iprog_async._core.messages import Batch
from iprog_async._sending.tally import Tally
from iprog_async._sending.unknown_limit import UnknownLimit


@frozen
class Departure:
    """Messages off the front of a batch that may leave, and have to `arrive`.

    Args:
        count: How many.
        at_risk: Whether the member has yet to show that it answers such requests.
        limit: What counts them.
    """

    count: int
    at_risk: bool
    limit: UnknownLimit


class Caution:
    """Bounds the people who become unknown at one member before it is left alone.

    The rule is that of a run with one gateway, see `UnknownLimit`; what does not fit waits until
    the member has answered. It holds for what a run sends: what somebody submits by hand leaves
    as it is, and only shows whether the member works.

    Once too many are lost the member is left alone, and later tried with one text at a time; so
    the count begins anew.

    Args:
        most: How many people may become unknown while the member has shown nothing.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = UnknownLimit(most)
        self._changed = asyncio.Event()

    def take(self, batch: Batch, smallest: int, bound: int) -> Departure | None:
        """Return what of a batch may leave now; `None` if nothing may until something changes.

        Args:
            batch: What is to be sent.
            smallest: The fewest messages that can travel together.
            bound: How many people the run lets become unknown.
        """
        self._limit.most = min(self._most, bound)
        count = self._limit.size(batch, min(smallest, len(batch)))
        return self.let_go(batch, count) if count else None

    def let_go(self, batch: Batch, count: int) -> Departure:
        """Return so many messages of a batch as a departure, whatever else is under way."""
        departure = Departure(count, not self._limit.trusts(batch[:count]), self._limit)
        departure.limit.begin(count, at_risk=departure.at_risk)
        return departure

    async def wait(self) -> None:
        """Wait until something has changed, so that more may leave than before."""
        self._changed.clear()
        await self._changed.wait()

    def note(self, part: Batch, tally: Tally, departure: Departure | None) -> bool:
        """Note how a request ended; return whether too many people of runs are lost by now."""
        if departure is None:
            self._limit.note(part, tally, at_risk=False)
            return False
        limit = departure.limit
        too_many = limit.note(part, tally, at_risk=departure.at_risk) is not None
        # What left before the count began anew proves nothing new.
        return too_many and limit is self._limit

    def begin_anew(self) -> None:
        """Forget who was lost, and what was shown: the member is left alone from now on."""
        self._limit = UnknownLimit(self._most)
        self._changed.set()

    def arrive(self, departure: Departure) -> None:
        """Note that all messages of a departure have come to their outcomes."""
        departure.limit.end(departure.count, at_risk=departure.at_risk)
        self._changed.set()
