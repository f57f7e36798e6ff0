"""A run through a router of which one gateway loses all answers: how many people that may cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from support.core.clock import settle
from support.core.fakes import FakeProvider, to_many
from support.routing.fakes import client, gateway, limited, lost, refused, texts_of, unreachable

from iprog_async import (
    Accepted,
    BreakerPolicy,
    BulkRun,
    Failover,
    Outcome,
    RoundRobin,
    Routed,
    RunHaltedError,
    SmsError,
    SmsProvider,
)
from iprog_async.adapter import Batching, PreparedMessage, accepted, failed
from iprog_async.testing import InstantClock


Building = Callable[[SmsProvider, SmsProvider, BreakerPolicy], SmsProvider]
FAILURES = 5


def _failover(a: SmsProvider, b: SmsProvider, policy: BreakerPolicy) -> SmsProvider:
    return Failover(b, a, breaker=policy, clock=InstantClock())


def _round_robin(a: SmsProvider, b: SmsProvider, policy: BreakerPolicy) -> SmsProvider:
    return RoundRobin(a, b, breaker=policy, clock=InstantClock())


def _routed(a: SmsProvider, b: SmsProvider, policy: BreakerPolicy) -> SmsProvider:
    def choose(number: str) -> Sequence[str]:
        return ("b", "a") if int(number) % 2 else ("a", "b")

    return Routed(choose, a, b, breaker=policy, clock=InstantClock())


ROUTERS = pytest.mark.parametrize("build", [_failover, _round_robin, _routed])
BETWEEN = [pytest.param(count, marks=pytest.mark.slow) for count in (2, 7)]


def slow(name: str, error: SmsError | None, max_batch: int) -> FakeProvider:
    """Return a gateway that ends each request in one way, after a while."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        for _ in range(3):
            await asyncio.sleep(0)
        if error is not None:
            return [failed(one, error) for one in batch]
        return [accepted(one, name, message_id=f"{name}-{one.index}") for one in batch]

    return FakeProvider(name=name, send=send, limits=Batching(max_batch=max_batch))


async def run_over(
    router: SmsProvider, people: int, *, concurrency: int = 100, halt_after_unknown: int = 20
) -> BulkRun:
    """Send to so many, and return the run when it is over."""
    async with (
        client(router) as sms,
        sms.send_many(
            to_many(people), concurrency=concurrency, halt_after_unknown=halt_after_unknown
        ) as run,
    ):
        with suppress(RunHaltedError):
            await run.drain()
    return run


@ROUTERS
@pytest.mark.parametrize("concurrency", [1, *BETWEEN, 100])
@pytest.mark.parametrize("max_batch", [1, 100])
@pytest.mark.parametrize("failures", [2, 5, 9])
async def test_a_gateway_that_loses_everything_costs_as_many_people_as_failures(
    build: Building, concurrency: int, max_batch: int, failures: int
) -> None:
    """However large batches are and however many travel at once, the others reach all the rest."""
    a, b = slow("a", None, max_batch), slow("b", lost(), max_batch)
    policy = BreakerPolicy(failures=failures, cooldown=1e9)

    people = 1000 if max_batch > 1 else 300  # more than have travelled when the breaker opens

    run = await run_over(build(a, b, policy), people, concurrency=concurrency)

    assert (people - failures, failures, 0) == (
        run.counts.accepted,
        run.counts.unknown,
        run.counts.not_sent,
    )
    assert failures == sum(texts_of(b))
    assert run.halted is None


@ROUTERS
@pytest.mark.parametrize("concurrency", [1, 100])
async def test_a_run_that_may_lose_fewer_is_as_careful(build: Building, concurrency: int) -> None:
    """Where `halt_after_unknown` is lower than the failures of a breaker, it is the bound."""
    a, b = slow("a", None, 100), slow("b", lost(), 100)
    policy = BreakerPolicy(failures=1000, cooldown=1e9)

    run = await run_over(build(a, b, policy), 1000, concurrency=concurrency, halt_after_unknown=4)

    assert 4 == run.counts.unknown == sum(texts_of(b))


async def test_a_failover_is_careful_with_its_second_gateway() -> None:
    """A first gateway that breaks off in the middle does not hand whole batches to a silent one."""
    wide = Batching(max_batch=100)
    a = gateway("a", None, None, None, None, unreachable(), batching=wide)
    b = slow("b", lost(), 100)
    router = Failover(a, b, clock=InstantClock(), breaker=BreakerPolicy(cooldown=1e9))

    run = await run_over(router, 1000)

    assert FAILURES == run.counts.unknown == sum(texts_of(b))


@pytest.mark.parametrize("other", [refused(blame="recipient"), refused(), limited(0)])
async def test_a_refusal_shows_nothing(other: SmsError) -> None:
    """A gateway that answers only what it refuses loses no more people than a silent one."""
    place = 0

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        nonlocal place
        place += 1
        return [failed(one, lost() if place % 2 else other) for one in batch]

    b = FakeProvider(name="b", send=send, limits=Batching(max_batch=100))
    router = RoundRobin(
        slow("a", None, 100), b, clock=InstantClock(), breaker=BreakerPolicy(cooldown=1e9)
    )

    run = await run_over(router, 1000)

    assert FAILURES == run.counts.unknown


async def test_each_gateway_shows_itself_and_then_takes_whole_batches() -> None:
    """One to one recipient and one to two show that a gateway answers, as with one gateway."""
    a, b = slow("a", None, 100), slow("b", None, 100)
    router = RoundRobin(a, b, clock=InstantClock())

    run = await run_over(router, 603, concurrency=1)

    assert ([1, 2, 95, 100, 100, 3], [1, 1, 2, 98, 100, 100]) == (texts_of(a), texts_of(b))
    assert 603 == run.counts.accepted


async def test_a_lost_answer_makes_a_run_careful_with_that_gateway_only() -> None:
    """After an unknown outcome the one that lost it takes few, until it accepts again."""
    wide = Batching(max_batch=100)
    a = gateway("a", batching=wide)
    b = gateway("b", None, None, None, None, lost(), None, batching=wide)
    router = RoundRobin(a, b, clock=InstantClock())

    run = await run_over(router, 1000, concurrency=1)

    after = texts_of(b)[5:]
    assert [1, 2] == after[:2]
    assert (run.counts.unknown, None) == (texts_of(b)[4], run.halted)
    assert 1000 == run.counts.accepted + run.counts.unknown


@pytest.mark.parametrize("router", [Failover, RoundRobin])
async def test_a_stopped_run_sends_nothing_that_waits_for_a_gateway(
    router: Callable[..., SmsProvider],
) -> None:
    """What waits until a gateway has shown itself is withdrawn, like what waits for a slot."""
    answer, asked = asyncio.Event(), asyncio.Event()

    async def wait(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        asked.set()
        await answer.wait()
        return [accepted(one, "a", message_id="1") for one in batch]

    a = FakeProvider(name="a", send=wait, limits=Batching(max_batch=100))
    outcomes: list[Outcome] = []
    async with client(router(a)) as sms, sms.send_many(to_many(500)) as run:
        await asked.wait()
        while sum(texts_of(a)) < FAILURES:  # noqa: ASYNC110 - the run itself tells nobody
            await asyncio.sleep(0)
        await settle()
        under_way = sum(texts_of(a))
        run.stop()
        answer.set()
        outcomes = [outcome async for outcome in run]

    assert under_way == FAILURES
    assert under_way == sum(isinstance(outcome, Accepted) for outcome in outcomes)
    assert under_way == sum(texts_of(a))


async def test_what_is_submitted_by_hand_leaves_as_it_is() -> None:
    """The bound is a run's: a batch that somebody submits to a router is one request."""
    a = gateway("a", batching=Batching(max_batch=100))
    router = Failover(a, clock=InstantClock())

    outcomes = await router.submit(
        [router.prepare(message, index) for index, message in enumerate(to_many(50))]
    )

    assert [50] == texts_of(a)
    assert {"accepted"} == {outcome.state for outcome in outcomes}
