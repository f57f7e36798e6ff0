"""A gateway in virtual time: no sockets, an answer for each request as a test says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from iprog_async import HttpPool, RetryPolicy, SmsClient
from iprog_async._engines.base import Failure, RequestProgress, WireReply, WireRequest
from iprog_async_providers.iprog import IprogProvider
from support.core.clock import VirtualClock
from support.core.fakes import NUMBER, TOKEN


OK = WireReply(200, {}, b'{"status":200,"message_id":"iSms-1"}')

Answer = Callable[[float], WireReply]
"""Finds the answer to a request that came at a moment."""


def too_many(retry_after: float | None) -> WireReply:
    """Return an answer that asks to slow down."""
    headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
    return WireReply(429, headers, b"")


class VirtualGateway:
    """An engine that is its own gateway.

    Args:
        clock: What its time is.
        answer: Finds the answer, at the moment the request comes.
        latency: Seconds until then, from the number of requests under way.
    """

    def __init__(
        self, clock: VirtualClock, answer: Answer, latency: Callable[[int], float] = lambda _: 0.2
    ) -> None:
        self._clock = clock
        self._answer = answer
        self._latency = latency
        self._under_way = 0
        self.arrivals: list[float] = []
        self.at_once: list[int] = []

    @property
    def per_second(self) -> Counter[int]:
        """How many requests came in each second."""
        return Counter(int(arrival) for arrival in self.arrivals)

    def check(self, origin: str) -> None:
        """Reach everything."""

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Answer a request."""
        progress.connecting = progress.writing = True
        self._under_way += 1
        self.arrivals.append(self._clock.monotonic())
        self.at_once.append(self._under_way)
        reply = self._answer(self._clock.monotonic())
        try:
            await self._clock.sleep(self._latency(self._under_way))
        finally:
            self._under_way -= 1
        return reply

    async def aclose(self) -> None:
        """Do nothing."""


class Account:
    """A client of a virtual gateway.

    Args:
        gateway: Whom it sends through.
        clock: The gateway's clock.
        rate: The user's own limit.
        max_connections: The most requests at once.
        attempts: The most tries of one text.
    """

    def __init__(
        self,
        gateway: VirtualGateway,
        clock: VirtualClock,
        *,
        rate: str | None = None,
        max_connections: int = 100,
        attempts: int = 1,
    ) -> None:
        self.pool = HttpPool(clock=clock, max_connections=max_connections)
        self.pool.engine = gateway
        provider = IprogProvider(TOKEN, base_url="http://sms.example.test", rate=rate)
        self.client = SmsClient(provider, pool=self.pool, retry=RetryPolicy(attempts=attempts))

    async def send(self, count: int) -> None:
        """Send so many texts, all at once."""
        await asyncio.gather(*(self.client.send(NUMBER, f"Hi {n}") for n in range(count)))
