"""Two gateways of bare sockets behind one client, and the requests that both saw together."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from attrs import frozen

from iprog_async import BreakerPolicy, Failover, HttpPool, Journal, RetryPolicy, SmsClient
from iprog_async._http.pool import EngineName
from iprog_async.testing import InstantClock, RawGateway, RawRequest, Reply, Step
from iprog_async_providers.iprog import IprogProvider


LIMIT = 30.0
"""Seconds for one request."""


@frozen
class Pair:
    """A client over two gateways, `a` and `b`."""

    sms: SmsClient[Any]
    a: RawGateway
    b: RawGateway
    clock: InstantClock

    @property
    def begun(self) -> tuple[int, int]:
        """Of how many requests at least one byte arrived at each."""
        return self.a.begun, self.b.begun


def accept(request: RawRequest) -> Reply:
    """Accept as IPROG does, one or many."""
    numbers = json.loads(request.body)["phone_number"].split(",")
    if len(numbers) == 1:
        return Reply.of_json({"status": 200, "message_id": f"id-{numbers[0]}", "sms_rate": "1"})
    ids = ",".join(f"id-{number}" for number in numbers)
    return Reply.of_json({"status": 200, "message_ids": ids, "sms_rates": "1"})


def numbers_at(gateway: RawGateway) -> list[str]:
    """Return the recipients that a gateway was asked for, in order."""
    bodies = [json.loads(request.body) for request in gateway.requests]
    return [number for body in bodies for number in body["phone_number"].split(",")]


Build = Callable[[IprogProvider, IprogProvider, InstantClock], Any]


def failover(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
    """Return a failover that tries everything twice."""
    retry = RetryPolicy(attempts=2, base=0, max_pause=0)
    return Failover(a, b, region="PH", retry=retry, breaker=BreakerPolicy(), clock=clock)


@asynccontextmanager
async def pair(
    *,
    a: Step = accept,
    b: Step = accept,
    dead: bool = False,
    engine: EngineName = "asyncio",
    build: Build = failover,
    max_batch: int = 100,
    journal: Journal | None = None,
) -> AsyncGenerator[Pair]:
    """Start two gateways that repeat one step each, and a client over both.

    Args:
        a: What the first does.
        b: What the second does.
        dead: Whether the first is not there at all.
        engine: Which HTTP library moves the bytes.
        build: Makes the router.
        max_batch: The most recipients of one request.
        journal: The client's.
    """
    clock = InstantClock()
    async with (
        RawGateway(a) as first,
        RawGateway(b) as second,
        HttpPool(engine=engine, clock=clock) as pool,
    ):
        urls = [first.base_url, second.base_url]
        if dead:
            async with RawGateway() as gone:
                urls[0] = gone.base_url
        members = [
            IprogProvider("t" * 20, name=name, base_url=url, max_batch=max_batch)
            for name, url in zip("ab", urls, strict=True)
        ]
        router = build(members[0], members[1], clock)
        async with SmsClient(router, pool=pool, timeout=LIMIT, journal=journal) as sms:
            yield Pair(sms, first, second, clock)
