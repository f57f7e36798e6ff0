"""A gateway that asks everybody to slow down, over real sockets."""

from __future__ import annotations

import asyncio
import json
import math
from asyncio import StreamWriter
from itertools import pairwise

import pytest
from support.core.clock import FastClock
from support.core.fakes import TOKEN, to_many
from support.routing.wire import accept

from iprog_async import HttpPool, Message, SmsClient
from iprog_async._http import adaptive_limit
from iprog_async._http.pool import EngineName
from iprog_async.testing import Behaviour, RawGateway, RawRequest, Reply
from iprog_async_providers.iprog import IprogProvider


CONCURRENCY = 20
_IN_VAIN = 3
_TOO_MANY = Reply.of_json({"message": "Too many"}, 429, {"Retry-After": "1"})


class Busy:
    """Refuses all that is on its way at first, and three more; then it accepts everything.

    Args:
        clock: What tells the time.
    """

    def __init__(self, clock: FastClock) -> None:
        self._clock = clock
        self._all_are_there = asyncio.Event()
        self._all_are_back = asyncio.Event()
        self.arrivals: list[float] = []
        self.at_once: list[int] = []
        self.allowed: list[int] = []
        self._accepted = 0

    async def play(self, request: RawRequest, writer: StreamWriter) -> bool:
        """Answer after a moment, and keep how many requests were under way."""
        place = len(self.arrivals)
        self.arrivals.append(self._clock.monotonic())
        self.at_once.append(request.under_way)
        self.allowed.append(1 + self._accepted)
        if place + 1 == CONCURRENCY:
            self._all_are_there.set()
        await self._all_are_there.wait()
        refused = place < CONCURRENCY + _IN_VAIN
        await asyncio.sleep(0.005)
        if self._accepted >= CONCURRENCY:
            # By now as many may come as at first; the answers wait for the last of them.
            if request.under_way == CONCURRENCY:
                self._all_are_back.set()
            await self._all_are_back.wait()
        self._accepted += not refused
        reply = _TOO_MANY if refused else accept(request)
        writer.write(reply.head() + reply.body)
        return True


@pytest.mark.parametrize("engine", ["asyncio", "httpx"])
async def test_run_meets_a_gateway_that_refuses_everything_for_a_while(
    engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All share one pause: one call a second asks whether it is over, and nobody stampedes."""
    # On a fast clock a busy machine looks like a slow gateway, which is asked less at once.
    monkeypatch.setattr(adaptive_limit, "_IN_TIME", math.inf)
    clock = FastClock(20)
    busy = Busy(clock)
    messages = [Message(to.to, f"Hi {index}") for index, to in enumerate(to_many(100))]
    async with (
        RawGateway(Behaviour("busy", busy.play)) as gateway,
        HttpPool(engine=engine, clock=clock) as pool,
    ):
        sms = SmsClient(IprogProvider(TOKEN, base_url=gateway.base_url), pool=pool)
        async with sms.send_many(messages, concurrency=CONCURRENCY) as run:
            counts = await run.drain()
        texts = [json.loads(request.body)["message"] for request in gateway.requests]

    refused = CONCURRENCY + _IN_VAIN
    assert (100, 100 + refused) == (counts.accepted, len(texts))
    assert {message.text for message in messages} == set(texts[refused:])
    # What was on its way meets the refusal; then one asks for all, a pause after the other.
    assert [1] * (_IN_VAIN + 1) == busy.at_once[CONCURRENCY : refused + 1]
    asked = busy.arrivals[CONCURRENCY - 1 : refused + 1]
    assert all(later - earlier >= 1 for earlier, later in pairwise(asked))
    # With each answer one more may go, until all do.
    assert all(
        at_once <= allowed
        for at_once, allowed in zip(busy.at_once[refused:], busy.allowed[refused:], strict=True)
    )
    assert CONCURRENCY == max(busy.at_once[refused:])
