"""A gateway that is out of order is left alone, until one text tries it again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import pytest
from support.core.clock import settle
from support.routing.fakes import EMPTY, ONE_ROUND, gateway, lost, send, told, unreachable

from iprog_async import (
    BreakerPolicy,
    ConnectionFailedError,
    Failover,
    NotSent,
    Outcome,
    RetryPolicy,
    SmsError,
)
from iprog_async.adapter import PreparedMessage, accepted
from iprog_async.testing import InstantClock


async def test_a_dead_gateway_is_left_alone_and_then_tried(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After some failures texts go straight to the next; after the cooldown one tries again."""
    clock = InstantClock()
    a = gateway("a", *[unreachable()] * 3, None)
    router = Failover(a, gateway("b"), breaker=BreakerPolicy(failures=3), clock=clock)
    with caplog.at_level(logging.INFO, "iprog_async"):
        before = [told((await send(router))[0])[1] for _ in range(5)]
        clock.advance(30)
        after = [told((await send(router))[0])[1] for _ in range(2)]

    assert (["b"] * 5, ["a"] * 2, 5) == (before, after, len(a.sent))
    assert [
        "failover: a is out of order, left alone for 30 s",
        "failover: a works again",
    ] == caplog.messages


async def test_one_probe_at_a_time_under_concurrency() -> None:
    """While one text tries whether a gateway is back, all others go elsewhere."""
    clock, answer = InstantClock(), asyncio.Event()

    async def slow(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        await answer.wait()
        return [accepted(one, "a", message_id="1") for one in batch]

    a, b = gateway("a", unreachable(), slow), gateway("b")
    router = Failover(a, b, breaker=BreakerPolicy(failures=1), clock=clock)
    await send(router)
    clock.advance(30)
    tasks = [asyncio.create_task(send(router)) for _ in range(20)]
    for _ in range(50):
        await asyncio.sleep(0)
    probes = len(a.sent) - 1
    answer.set()
    by = [told(outcome)[1] for (outcome,) in await asyncio.gather(*tasks)]

    assert 1 == probes
    assert (1, 19) == (by.count("a"), by.count("b"))


async def test_a_probe_that_is_cancelled_makes_way_for_another() -> None:
    """A caller that goes away in the middle of a probe does not keep the gateway out for ever."""
    clock = InstantClock()

    async def never(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        await asyncio.Event().wait()
        return []

    router = Failover(
        gateway("a", unreachable(), never, None),
        gateway("b"),
        breaker=BreakerPolicy(failures=1),
        clock=clock,
    )
    await send(router)
    clock.advance(30)
    probe = asyncio.create_task(send(router))
    await settle()
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe

    assert "a" == told((await send(router))[0])[1]


@pytest.mark.parametrize("step", [unreachable(), lost(), EMPTY])
async def test_all_members_out_of_order(step: SmsError) -> None:
    """With nobody left to ask, a text is certainly not sent, may be tried later, halts no run."""
    a, b = gateway("a", step), gateway("b", step)
    router = Failover(a, b, retry=ONE_ROUND, breaker=BreakerPolicy(failures=1))
    for _ in range(2):
        await send(router)
    asked = len(a.sent) + len(b.sent)
    (outcome,) = await send(router)

    assert 2 == asked == len(a.sent) + len(b.sent)
    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, ConnectionFailedError)
    assert (True, "message") == (outcome.error.healable, outcome.error.blame)
    assert "every gateway that takes this message is out of order" in str(outcome.error)


async def test_who_is_left_without_credit_beside_one_out_of_order() -> None:
    """An empty account halts no run while the other gateway may come back."""
    router = Failover(
        gateway("a", lost()),
        gateway("b", EMPTY),
        retry=ONE_ROUND,
        breaker=BreakerPolicy(failures=1),
    )
    first, second = [told((await send(router))[0]) for _ in range(2)]

    assert ("unknown", "OutcomeUnknownError") == first
    assert ("not_sent", "ConnectionFailedError") == second


async def test_a_text_waits_for_a_probe_to_end() -> None:
    """With all others out of order, texts that meet a probe try again in the next round."""
    clock = InstantClock()

    async def slow(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        for _ in range(10):
            await asyncio.sleep(0)
        return [accepted(one, "a", message_id="1") for one in batch]

    a = gateway("a", unreachable(), slow, None)
    retry = RetryPolicy(attempts=30)
    router = Failover(a, retry=retry, breaker=BreakerPolicy(failures=1, cooldown=0), clock=clock)
    outcomes = await asyncio.gather(*[send(router) for _ in range(10)])

    assert {"accepted"} == {outcome.state for (outcome,) in outcomes}
