"""Stopping a run: what has not left does not leave, wherever it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from support.bulk.runs import broke, running
from support.core.clock import VirtualClock
from support.core.fakes import FakeProvider, accept, different_texts, to_many
from support.engines.pace_gateway import OK, Account, VirtualGateway, too_many
from support.journal.journaling import states_in
from support.routing.fakes import gateway, limited
from support.waiting import LONG

from iprog_async import (
    BulkRun,
    Counts,
    Failover,
    HttpPool,
    Journal,
    Message,
    Outcome,
    RunHaltedError,
    SmsClient,
)
from iprog_async._engines.base import Failure, WireReply
from iprog_async.adapter import PreparedMessage


_UNREACHABLE = Failure("connection refused", may_have_left=False)
_BROKEN = WireReply(503, {}, b"")


@frozen
class Waiting:
    """Where texts wait when the run is stopped.

    Args:
        answer: What the gateway says at a moment.
        before: How many requests came before the run was stopped, after half a second.
        accepted: How many of them were accepted in the end.
        account: How the client is made.
    """

    answer: Callable[[float], Any]
    before: int
    accepted: int
    account: dict[str, Any]


WAITING = {
    "for the rate": Waiting(lambda _: OK, 5, 5, {"rate": "5/10s"}),
    "for a connection": Waiting(lambda _: OK, 6, 6, {"max_connections": 2}),
    "in a pause": Waiting(lambda now: too_many(20) if now < 1 else OK, 15, 0, {}),
    "between two tries": Waiting(lambda _: _UNREACHABLE, 15, 0, {"attempts": 2}),
}


@pytest.mark.parametrize("where", WAITING)
async def test_what_waits_is_withdrawn(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After `stop` no request leaves, and the run ends without sitting out what it waited for."""
    case, clock = WAITING[where], VirtualClock()
    gateway = VirtualGateway(clock, case.answer, lambda _: 0.2)
    account = Account(gateway, clock, **case.account)
    monkeypatch.setattr("tenacity.wait.random.uniform", max)

    async def stopped() -> int:
        async with account.client.send_many(different_texts(100), concurrency=15) as run:
            reading = asyncio.create_task(run.drain())
            await clock.sleep(0.5)
            run.stop()
            return (await reading).accepted

    assert case.accepted == await clock.run(stopped())
    assert case.before == len(gateway.arrivals)
    assert clock.monotonic() < 0.7


async def test_a_router_that_waits_is_withdrawn() -> None:
    """A router's own pause ends, too, and keeps what another member has taken by then."""
    fussy = gateway("fussy", None, limited(20))
    provider = Failover(fussy, region="PH")
    clock = VirtualClock()
    client = SmsClient(provider, pool=HttpPool(clock=clock))

    async def stopped() -> tuple[Counts, float]:
        async with client.send_many(different_texts(10), concurrency=2) as run:
            reading = asyncio.create_task(run.drain())
            await clock.sleep(5)
            run.stop()
            return await reading, clock.monotonic()

    counts, seconds = await clock.run(stopped())
    assert (1, 1) == (counts.accepted, counts.total)
    assert 5.0 == seconds
    assert 3 == len(fussy.sent)


async def _until(condition: Callable[[], bool], clock: VirtualClock) -> None:
    while not condition():
        # For the journal's thread, which knows no virtual time.
        await asyncio.sleep(0.001)
        await clock.settle()


async def test_a_stopped_run_is_resumed(tmp_path: Path) -> None:
    """What was withdrawn is not on record as sent, and the next run sends all of it, once."""
    path, messages, clock = tmp_path / "j.db", different_texts(12), VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK, lambda _: 0.0)
    slow, fast = Account(gateway, clock, rate="5/10s"), Account(gateway, clock)
    with Journal.open(path) as journal:
        async with slow.client.send_many(messages, concurrency=10, journal=journal) as run:
            reading = asyncio.create_task(run.drain())
            await _until(lambda: 5 == len(gateway.arrivals), clock)
            await clock.pass_time(1)
            await _until(lambda: 5 == run.counts.accepted, clock)
            run.stop()
            await _until(reading.done, clock)
        assert ["accepted"] * 5 == states_in(path)

        async with fast.client.send_many(messages, journal=journal) as run:
            reading = asyncio.create_task(run.drain())
            await _until(lambda: 12 == len(gateway.arrivals), clock)
            await clock.pass_time(1)
            await _until(reading.done, clock)
    assert (12, 5) == (run.counts.accepted, run.counts.resumed)
    assert 12 == len(gateway.arrivals)


async def test_closing_a_run_that_was_stopped() -> None:
    """A run that is stopped and closed at once ends, and nothing of it counts as on its way."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: too_many(20))
    account = Account(gateway, clock)

    async def stopped() -> BulkRun:
        async with account.client.send_many(different_texts(20), concurrency=5) as run:
            await clock.sleep(1)
            run.stop()
        return run

    run = await clock.run(stopped())
    assert () == run.abandoned
    assert 5 == len(gateway.arrivals)


async def test_unknowns_under_way_do_not_go_beyond_the_bound() -> None:
    """A gateway that answers 503 to everything gets twenty texts, not one for each worker."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: _BROKEN)
    account = Account(gateway, clock)

    async def halted() -> BulkRun:
        async with account.client.send_many(different_texts(500), concurrency=100) as run:
            with pytest.raises(RunHaltedError):
                await run.drain()
        return run

    run = await clock.run(halted())
    assert 20 == run.counts.unknown == len(gateway.arrivals)


async def test_a_gateway_that_breaks_gets_no_more_than_was_under_way() -> None:
    """When a gateway breaks in the middle of a run, nothing follows what was under way then."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda now: OK if now < 1 else _BROKEN)
    account = Account(gateway, clock)

    async def halted() -> BulkRun:
        async with account.client.send_many(
            different_texts(1000), concurrency=50, window=100
        ) as run:
            with pytest.raises(RunHaltedError):
                await run.drain()
        return run

    run = await clock.run(halted())
    assert run.counts.accepted > 0
    assert run.counts.unknown <= 50


async def test_after_an_answer_the_run_is_at_full_speed() -> None:
    """Until the first answer twenty requests are under way, and after it all that may be."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK)
    account = Account(gateway, clock)

    async def drained() -> None:
        async with account.client.send_many(different_texts(500), concurrency=80) as run:
            await run.drain()

    await clock.run(drained())
    assert 80 == max(gateway.at_once)
    assert sum(arrival < 0.2 for arrival in gateway.arrivals) <= 20


async def test_a_run_at_its_credit_limit_sends_what_is_paid_for() -> None:
    """Reaching `max_credits` calls nothing back: what was taken before is within the limit."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK)
    account = Account(gateway, clock, max_connections=2)

    async def halted() -> BulkRun:
        async with account.client.send_many(
            different_texts(10), concurrency=7, max_credits=5
        ) as run:
            with pytest.raises(RunHaltedError):
                await run.drain()
        return run

    run = await clock.run(halted())
    assert 5 == run.counts.accepted == len(gateway.arrivals)


async def test_leaving_the_loop_stops_the_sending() -> None:
    """`break` is enough: nothing goes on in the background."""
    provider = FakeProvider()

    async with running(provider, to_many(1000), concurrency=2) as run:
        async for _ in run:
            break
    sent = len(provider.sent)
    await asyncio.sleep(0.01)

    assert sent == len(provider.sent) < 1000


async def test_stop_lets_what_is_under_way_end() -> None:
    """After `stop()` nothing more is sent, and every text that was has its outcome."""
    three, release = asyncio.Event(), asyncio.Event()

    async def wait(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if len(provider.sent) == 3:
            three.set()
        await release.wait()
        return await accept(batch)

    provider = FakeProvider(send=wait)
    async with running(provider, to_many(100), concurrency=3) as run:
        reading = asyncio.create_task(run.drain())
        await three.wait()
        run.stop()
        release.set()
        counts = await reading

    assert 3 == counts.accepted == counts.total == len(provider.sent)


async def one_then_silence(halted: asyncio.Event) -> AsyncIterator[Message]:
    """Yield one message and then nothing, as a queue of work does."""
    yield to_many(1)[0]
    halted.set()
    await asyncio.Event().wait()


async def test_stop_does_not_wait_for_a_silent_source() -> None:
    """A run over a queue of work ends when told, though the queue says nothing."""
    silent = asyncio.Event()
    async with running(FakeProvider(), one_then_silence(silent), linger=0.001) as run:
        await anext(run)
        await silent.wait()
        run.stop()
        counts = await asyncio.wait_for(run.drain(), LONG)

    assert 1 == counts.accepted


async def test_halt_does_not_wait_for_a_silent_source() -> None:
    """A run that halts itself ends, though its source would go on some day."""
    source = one_then_silence(asyncio.Event())
    async with running(FakeProvider(send=broke), source, linger=0.001) as run:
        with pytest.raises(RunHaltedError):
            await asyncio.wait_for(run.drain(), LONG)

    assert 1 == run.counts.not_sent
