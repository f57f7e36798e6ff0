"""Batches through a gateway that was out of order: how many texts a try may cost."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from support.core.fakes import LATER, prepared
from support.routing.fakes import breaker as breaker_of
from support.routing.fakes import gateway, limited, lost, refused, texts_of
from support.routing.wire import Pair, numbers_at, pair

from iprog_async import BreakerPolicy, Failover, Message, Outcome, RetryPolicy, SmsProvider
from iprog_async._routing.caution import Caution
from iprog_async._routing.circuit_breaker import Health
from iprog_async._routing.members import Member
from iprog_async.adapter import Batching
from iprog_async.testing import InstantClock, Reply
from iprog_async_providers.iprog import IprogProvider


NUMBERS = [f"+63917{index:07}" for index in range(100)]
WIDE = Batching(max_batch=100, max_scheduled=100)
CHOOSY = Batching(max_batch=100, max_scheduled=100, min_scheduled=2)
POLICY = BreakerPolicy(failures=1, cooldown=30)


def router_of(*members: SmsProvider) -> tuple[Failover, InstantClock]:
    """Return a failover that tries once and opens at the first failure, and its clock."""
    clock = InstantClock()
    retry = RetryPolicy(attempts=1)
    return Failover(*members, retry=retry, breaker=POLICY, clock=clock), clock


async def send(
    router: SmsProvider, count: int = 10, first: int = 0, **details: Any
) -> list[str | None]:
    """Submit a batch; return who accepted each text, or how else it ended."""
    batch = [
        router.prepare(Message(number, "Hi", **details), first + index)
        for index, number in enumerate(NUMBERS[:count])
    ]
    return [_told(outcome) for outcome in await router.submit(batch)]


def _told(outcome: Outcome) -> str:
    return outcome.receipt.provider if outcome.state == "accepted" else outcome.state


async def test_one_text_of_a_batch_is_the_probe() -> None:
    """A gateway that is still out of order costs one text; the others go to the next gateway."""
    a, b = gateway("a", lost(), batching=WIDE), gateway("b", batching=WIDE)
    router, clock = router_of(a, b)
    assert ["unknown"] * 10 == await send(router)
    clock.advance(30)

    found = await send(router)

    assert ["unknown", *["b"] * 9] == found
    assert ([10, 1], [9]) == (texts_of(a), texts_of(b))


async def test_the_rest_follows_a_probe_that_gets_through() -> None:
    """When the one text is accepted, the others of its batch go to the same gateway at once."""
    a, b = gateway("a", lost(), None, batching=WIDE), gateway("b", batching=WIDE)
    router, clock = router_of(a, b)
    await send(router)
    clock.advance(30)

    found = await send(router)

    assert ["a"] * 10 == found
    assert ([10, 1, 9], []) == (texts_of(a), texts_of(b))


async def test_a_refused_probe_proves_that_the_gateway_works() -> None:
    """A refusal because of the one recipient closes the breaker, and the rest goes together."""
    bad = refused(blame="recipient")
    a, b = gateway("a", lost(), bad, None, batching=WIDE), gateway("b", batching=WIDE)
    router, clock = router_of(a, b)
    await send(router)
    clock.advance(30)

    assert ["not_sent", *["a"] * 9] == await send(router)
    assert [10, 1, 9] == texts_of(a)


@pytest.mark.parametrize("count", [2, 10])
async def test_a_probe_that_proves_nothing(count: int) -> None:
    """When the gateway only asks to slow down, nothing more of the batch tries it."""
    a, b = gateway("a", lost(), limited(5), None, batching=WIDE), gateway("b", batching=WIDE)
    router, clock = router_of(a, b)
    await send(router)
    clock.advance(30)

    assert ["b"] * count == await send(router, count)
    assert ([10, 1], [count]) == (texts_of(a), texts_of(b))


@pytest.mark.parametrize(("count", "sizes"), [(2, [2]), (3, [3]), (4, [2, 2]), (9, [2, 7])])
async def test_a_scheduled_probe_has_company(count: int, sizes: list[int]) -> None:
    """Where no scheduled text travels alone, neither the probe nor what is left does."""
    a = gateway("a", lost(), None, batching=CHOOSY)
    router, clock = router_of(a)
    await send(router)
    clock.advance(30)

    assert ["a"] * count == await send(router, count, schedule_at=LATER)
    assert [10, *sizes] == texts_of(a)


async def test_batches_that_meet_a_probe_go_elsewhere() -> None:
    """Of many batches at once, one text tries the gateway, and all others go to the next."""
    a, b = gateway("a", lost(), lost(), batching=WIDE), gateway("b", batching=WIDE)
    router, clock = router_of(a, b)
    await send(router)
    clock.advance(30)

    found = await asyncio.gather(*(send(router, 10, 10 * turn) for turn in range(20)))

    ends = Counter(end for batch in found for end in batch)
    assert {"unknown": 1, "b": 199} == ends
    assert [10, 1] == texts_of(a)


async def test_a_member_takes_no_batch_for_a_probe() -> None:
    """What is too many for a probe, such as half a batch that was refused, is not sent."""
    a = gateway("a", batching=WIDE)
    breaker, clock = breaker_of(failures=1)
    member = Member(a, breaker, Caution(1))
    batch = [prepared(index, number) for index, number in enumerate(NUMBERS[:3])]
    admission = breaker.admit()
    assert admission is not None
    breaker.settle(admission, Health.FAILS)
    clock.advance(30)

    assert (None, []) == (await member.submit(batch, None, "failover"), a.sent)
    assert 1 == len(await member.submit(batch[:1], None, "failover") or ())
    assert 3 == len(await member.submit(batch, None, "failover") or ())


def _failover(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
    retry = RetryPolicy(attempts=1, max_pause=0)
    policy = BreakerPolicy(failures=1, cooldown=0)
    return Failover(a, b, region="PH", retry=retry, breaker=policy, clock=clock)


async def _run(two: Pair) -> dict[str, int]:
    messages = [Message(number, f"Hi {turn}") for turn in range(12) for number in NUMBERS]
    run = two.sms.send_many(messages, concurrency=1, halt_after_unknown=1000)
    async with run:
        counts = await run.drain()
    return {"accepted": counts.accepted, "unknown": counts.unknown}


@pytest.mark.usefixtures("whole_batches")
async def test_a_gateway_that_stays_broken_costs_a_text_for_each_try() -> None:
    """Over real sockets, eleven tries of a gateway that answers 503 leave eleven texts unknown."""
    async with pair(a=Reply(503), build=_failover, max_batch=100) as two:
        found = await _run(two)

        assert {"accepted": 1200 - 111, "unknown": 111} == found
        assert (100 + 11, 1200 - 111) == (len(numbers_at(two.a)), len(numbers_at(two.b)))
