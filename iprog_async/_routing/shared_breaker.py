"""A circuit breaker that the processes of one account share: one opens it, one tries, all go on.

Failures in a row are counted in each process. Where the store can't be used, each process goes by
its own breaker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum

from iprog_async._core.clock import Clock
from iprog_async._limits.breaker import BreakerNews, BreakerReply, BreakerReport
from iprog_async._routing.circuit_breaker import Breaker, BreakerPolicy, Health


# How often a process that sends looks what the others have found, in seconds.
_LOOK_EVERY = 0.5
# After the store failed to answer it is left alone for so long.
_RETRY_AFTER = 10.0
_ANSWER_WITHIN = 2.0


class Leave(Enum):
    """What all processes together leave to one of them, where its own breaker admits it."""

    ASK = "ask"
    """To ask the gateway."""
    PROBE = "probe"
    """To try whether it works again; no other process does meanwhile."""
    NOTHING = "nothing"
    """Not to ask it."""


class SharedBreaker:
    """Keeps one process's breaker in step with those of the others.

    Args:
        owner: Names this process.
        report: Tells the store, and asks it.
        breaker: This process's.
        policy: When it is out of order.
        clock: What tells the time.
    """

    def __init__(
        self,
        owner: str,
        report: Callable[[BreakerReport], Awaitable[BreakerReply]],
        breaker: Breaker,
        policy: BreakerPolicy,
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._report = report
        self._breaker = breaker
        self._policy = policy
        self._clock = clock
        self._look_at = 0.0
        self._was_open = False
        self._untold: BreakerNews = "none"

    async def look(self) -> Leave:
        """Take over what other processes have found, and return what that leaves to us."""
        is_half_open = self._breaker.state == "half-open"
        if not is_half_open and self._clock.monotonic() < self._look_at:
            return Leave.ASK
        # If our own try is on its way, there is no other one.
        reply = await self._exchange(wants_probe=self._breaker.admits)
        if reply is None:
            return Leave.ASK
        self._breaker.follow(reply.left if reply.is_open else None)
        self._was_open = reply.is_open
        if not reply.is_open:
            return Leave.ASK
        return Leave.PROBE if reply.may_probe else Leave.NOTHING

    async def tell(self, leave: Leave, health: Health) -> None:
        """Tell the other processes what a request showed, if that changes anything for them.

        Args:
            leave: By which leave it was made.
            health: What it says about the gateway.
        """
        is_open = self._breaker.state != "closed"
        if is_open and not self._was_open:
            self._untold = "opened"
        elif self._was_open and not is_open:
            self._untold = "works"
        elif leave is Leave.PROBE:
            self._untold = "failed" if health is Health.FAILS else "gave up"
        self._was_open = is_open
        if self._untold != "none":
            await self._exchange(wants_probe=False)

    async def _exchange(self, *, wants_probe: bool) -> BreakerReply | None:
        """Tell what is untold, and ask; `None` if the store can't be used."""
        now = self._clock.monotonic()
        self._look_at = now + _LOOK_EVERY
        news, self._untold = self._untold, "none"
        report = BreakerReport(
            owner=self._owner,
            news=news,
            cooldown=self._policy.cooldown,
            wants_probe=wants_probe,
        )
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                return await self._report(report)
        except Exception:
            # The account's own limits say so in the log.
            if self._untold == "none":
                self._untold = news
            self._look_at = now + _RETRY_AFTER
            return None
