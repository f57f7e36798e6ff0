"""A router asks all its members again, after a wait: its rounds, and what they cost."""

from __future__ import annotations

import asyncio

import pytest
from support.core.clock import settle
from support.routing.fakes import ONE_ROUND, gateway, limited, never, send, told, unreachable

from iprog_async import Failover, RateLimitError, RetryPolicy
from iprog_async._http.send_context import was_in_flight
from iprog_async.testing import InstantClock


async def test_rounds_end_with_the_last_attempt() -> None:
    """All members are asked in each round, with a wait between rounds and none at the end."""
    clock = InstantClock()
    a, b = gateway("a", unreachable()), gateway("b", unreachable())
    retry = RetryPolicy(attempts=3, base=0.5, max_wait=0.6)
    (outcome,) = await send(Failover(a, b, retry=retry, clock=clock))

    assert ("not_sent", "ConnectionFailedError") == told(outcome)
    assert (3, 3) == (len(a.sent), len(b.sent))
    assert len(clock.sleeps) == 2
    assert all(0 <= slept <= bound for slept, bound in zip(clock.sleeps, [0.5, 0.6], strict=True))


async def test_a_later_round_may_succeed() -> None:
    """What both members could not take at first is taken when one of them is back."""
    a = gateway("a", unreachable(), unreachable(), None)
    (outcome,) = await send(Failover(a, gateway("b", unreachable()), clock=InstantClock()))

    assert ("accepted", "a") == told(outcome)


async def test_pauses_use_up_no_attempt() -> None:
    """If all asked to slow down, the router waits for the soonest, as with one gateway."""
    clock = InstantClock()
    a, b = gateway("a", limited(20), limited(20), None), gateway("b", limited(7))
    (outcome,) = await send(Failover(a, b, retry=ONE_ROUND, clock=clock))

    assert ("accepted", "a") == told(outcome)
    assert [7, 7] == clock.sleeps


@pytest.mark.parametrize(
    ("asks", "sleeps"), [(limited(50), 2), (limited(), 2), (limited(0), 120), (limited(121), 0)]
)
async def test_pauses_are_bounded_in_all(asks: RateLimitError, sleeps: int) -> None:
    """A gateway that says "later" for ever is given up when `max_pause` is used up."""
    clock = InstantClock()
    router = Failover(gateway("a", asks), retry=ONE_ROUND, clock=clock)
    (outcome,) = await send(router)

    assert ("not_sent", "RateLimitError") == told(outcome)
    assert sleeps == len(clock.sleeps)
    assert sum(clock.sleeps) <= 120


async def test_cancelled_between_rounds_with_nothing_sent() -> None:
    """A cancellation while all of it waits says that nothing is on its way."""
    router = Failover(gateway("a", limited(90)))
    task = asyncio.create_task(send(router))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert not was_in_flight(caught.value)


async def test_routers_in_a_router_make_one_round_each() -> None:
    """The outer router has the only retry loop, however deep the members are."""
    a, b, c = (gateway(name, unreachable()) for name in "abc")
    patient = RetryPolicy(attempts=5, base=0)
    inner = Failover(a, b, name="inner", retry=patient)
    router = Failover(inner, c, retry=RetryPolicy(attempts=2, base=0))
    (outcome,) = await send(router.bind(never))

    assert ("not_sent", "ConnectionFailedError") == told(outcome)
    assert [2, 2, 2] == [len(one.sent) for one in (a, b, c)]
