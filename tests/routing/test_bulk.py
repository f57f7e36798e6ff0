from __future__ import annotations

import pytest
from support.routing.fakes import client, gateway, lost, refused, texts_of, unreachable
from support.routing.wire import numbers_at, pair

from iprog_async import BreakerPolicy, Failover, Message, RetryPolicy, RoundRobin, RunHaltedError
from iprog_async._http.pool import EngineName
from iprog_async.adapter import Batching
from iprog_async.testing import InstantClock, Reply, drop
from iprog_async_providers.iprog import IprogProvider


NUMBERS = [f"+63917{index:07}" for index in range(300)]


async def test_mixed_batches_through_a_failover() -> None:
    """Texts, batches and gateways mix, and every message still has one outcome of its own."""
    messages = [Message(number, f"Hi {index % 3}") for index, number in enumerate(NUMBERS)]
    a = gateway("a", None, unreachable(), None, batching=Batching(max_batch=50))
    b = gateway("b", None, unreachable(), None, batching=Batching(max_batch=30))
    router = Failover(a, b, clock=InstantClock())
    async with client(router) as sms, sms.send_many(messages) as run:
        outcomes = {outcome.index: outcome async for outcome in run}

    assert set(range(300)) == outcomes.keys()
    assert [outcomes[index].message for index in range(300)] == messages
    assert {"accepted"} == {outcome.state for outcome in outcomes.values()}
    assert max(texts_of(a) + texts_of(b)) <= 30
    unreached = texts_of(a)[1] + texts_of(b)[1]
    assert 300 + unreached == sum(texts_of(a) + texts_of(b))


@pytest.mark.parametrize("engine", ["httpx", "asyncio"])
async def test_a_dead_first_gateway_texts_everyone_once(engine: EngineName) -> None:
    """Over real connections, a run behind a dead gateway reaches everybody, and nobody twice."""
    async with pair(dead=True, engine=engine, max_batch=7) as two:
        async with two.sms.send_many(Message(number, "Hi") for number in NUMBERS) as run:
            counts = await run.drain()

        assert 300 == counts.accepted
        assert sorted(number[1:] for number in NUMBERS) == sorted(numbers_at(two.b))


def _shared(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> RoundRobin:
    return RoundRobin(a, b, weights=[2, 1], clock=clock)


@pytest.mark.usefixtures("whole_batches")
async def test_round_robin_shares_a_run() -> None:
    """A run is spread over both gateways by weight, in whole batches."""
    async with pair(build=_shared, max_batch=10) as two:
        async with two.sms.send_many(Message(number, "Hi") for number in NUMBERS) as run:
            counts = await run.drain()

        assert (300, 200, 100) == (
            counts.accepted,
            len(numbers_at(two.a)),
            len(numbers_at(two.b)),
        )


async def test_a_gateway_that_loses_answers_is_left_before_the_run_halts() -> None:
    """The breaker sends the texts that follow elsewhere; those that were lost stay unknown."""

    def build(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
        return Failover(a, b, breaker=BreakerPolicy(failures=3), clock=clock)

    async with pair(a=drop(), build=build, max_batch=1) as two:
        messages = [Message(number, "Hi") for number in NUMBERS[:40]]
        async with two.sms.send_many(messages, concurrency=1) as run:
            counts = await run.drain()

        assert (37, 3, 0) == (counts.accepted, counts.unknown, counts.not_sent)
        assert (3, 37) == two.begun


async def test_a_run_halts_when_every_account_is_empty() -> None:
    """What all gateways refuse because of the account stops the run, as with one gateway."""
    credit = Reply.of_json({"status": 500, "message": "Invalid api token or no load balance"})

    def build(a: IprogProvider, b: IprogProvider, clock: InstantClock) -> Failover:
        return Failover(a, b, retry=RetryPolicy(attempts=1), clock=clock)

    async with pair(a=credit, b=credit, build=build, max_batch=1) as two:
        messages = [Message(number, "Hi") for number in NUMBERS]
        async with two.sms.send_many(messages, concurrency=1) as run:
            with pytest.raises(RunHaltedError):
                await run.drain()

        assert (1, 1) == two.begun


@pytest.mark.usefixtures("whole_batches")
async def test_one_recipients_trouble_is_not_anothers() -> None:
    """A batch refused for one number costs that number alone, also behind a router."""
    wide = Batching(max_batch=100)

    a = gateway("a", refused(blame="recipient"), None, batching=wide)
    async with client(Failover(a)) as sms:
        messages = [Message(number, "Hi") for number in NUMBERS[:100]]
        async with sms.send_many(messages) as run:
            counts = await run.drain()

    assert (100, [100, 50, 50]) == (counts.accepted, texts_of(a))


async def test_unknown_outcomes_in_a_row_halt_a_run() -> None:
    """With no breaker in the way, a run that loses every answer stops by itself."""
    router = Failover(gateway("a", lost()), breaker=BreakerPolicy(failures=100))
    async with client(router) as sms:
        messages = [Message(number, "Hi") for number in NUMBERS]
        async with sms.send_many(messages, concurrency=1, halt_after_unknown=5) as run:
            with pytest.raises(RunHaltedError):
                await run.drain()

    assert 5 == run.counts.unknown
