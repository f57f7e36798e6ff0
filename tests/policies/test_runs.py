"""What policies do to the rows of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from support.core.clock import VirtualClock
from support.core.fakes import FakeProvider, Wire, accept, different_texts, to_many
from support.engines.pace_gateway import OK, VirtualGateway
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    SLOW_DOWN,
    PostingProvider,
    posting,
    run_over,
    sent_to,
    states_in,
)
from support.outbox.looking import until
from support.policies.rules import Counting, Noting, rewriting

from iprog_async import (
    Allow,
    AuthenticationError,
    Decision,
    Failover,
    HttpPool,
    Journal,
    Message,
    NotSent,
    Outcome,
    Outgoing,
    PolicyRefusedError,
    Refuse,
    Rewrite,
    SmsClient,
    WaitUntil,
)
from iprog_async._bulk import waiting_rows
from iprog_async.adapter import Batching, PreparedMessage
from iprog_async_providers.iprog import IprogProvider


MANY = Batching(max_batch=100)


def refusing_odd(text: Outgoing) -> Decision:
    """Refuse the odd numbers."""
    return Refuse("odd") if int(text.number) % 2 else Allow()


def states_of(outcomes: list[Any]) -> list[str]:
    """Return the states, by index."""
    return [outcome.state for outcome in outcomes]


async def test_rows_that_are_refused_are_not_sent(path: Path | str) -> None:
    """The others of their batch go on, and the journal has no row of them."""
    wire = Wire(ACCEPTED)
    provider = PostingProvider(limits=MANY)
    with Journal.open(path) as journal:
        async with SmsClient(provider, pool=wire.pool, policies=[refusing_odd]) as client:
            outcomes = await run_over(client, to_many(6), journal=journal)

    assert ["accepted", "not_sent"] * 3 == states_of(outcomes)
    refused = [outcome.error for outcome in outcomes if isinstance(outcome, NotSent)]
    assert {PolicyRefusedError} == set(map(type, refused))
    assert ["accepted"] * 3 == states_in(path)
    assert sorted(sent_to(wire)) == ["+639170000000", "+639170000002", "+639170000004"]


async def test_a_row_is_asked_about_when_its_turn_comes() -> None:
    """A number that says STOP during the run gets nothing from then on, though it was read."""
    stopped: set[str] = set()
    provider = FakeProvider()
    rule = Noting(lambda text: Refuse("STOP") if text.number in stopped else Allow())
    async with (
        SmsClient(provider, policies=[rule]) as client,
        client.send_many(different_texts(5), concurrency=1, window=5) as run,
    ):
        await anext(run)
        stopped.add("+639170000004")
        states = [outcome.state async for outcome in run]

    assert ["accepted"] * 3 + ["not_sent"] == states


async def test_a_row_that_waits_for_the_rate_is_asked_about_as_it_leaves() -> None:
    """STOP also holds for what had its turn already, and stands in the queue of the rate."""
    clock = VirtualClock()
    gateway = VirtualGateway(clock, lambda _: OK)
    pool = HttpPool(clock=clock)
    pool.engine = gateway
    stopped: set[str] = set()
    rule = Noting(lambda text: Refuse("STOP") if text.number in stopped else Allow())
    provider = IprogProvider("t", base_url="http://sms.example.test", rate="1/100s")
    async with (
        SmsClient(provider, pool=pool, policies=[rule]) as client,
        client.send_many(different_texts(3), concurrency=3) as run,
    ):
        reading = asyncio.create_task(run.drain())
        await clock.pass_time(1)
        assert 3 == len(rule.asked)
        stopped.add("+639170000001")
        await clock.pass_time(1000)
        counts = await reading

    assert (2, 1, 2) == (counts.accepted, counts.not_sent, len(gateway.arrivals))


async def test_a_policy_that_counts_is_not_asked_again() -> None:
    """However long the text waits: what it counted stays counted."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    pool.engine = VirtualGateway(clock, lambda _: OK)
    rule = Counting()
    provider = IprogProvider("t", base_url="http://sms.example.test", rate="1/100s")
    async with (
        SmsClient(provider, pool=pool, policies=[rule]) as client,
        client.send_many(different_texts(3), concurrency=3) as run,
    ):
        await clock.run(run.drain())

    assert 3 == len(rule.asked) == len(rule.settled)


async def test_rows_wait_while_others_go_on(path: Path | str) -> None:
    """Those that wait are asked about again at their time, and have no claim until then."""
    clock, wire = VirtualClock(), Wire(ACCEPTED)
    morning = clock.now() + timedelta(hours=3)

    def rule(text: Outgoing) -> Decision:
        return WaitUntil(morning) if int(text.number) % 2 and text.now < morning else Allow()

    pool = HttpPool(http=wire.http, clock=clock)
    with Journal.open(path) as journal:
        async with (
            SmsClient(PostingProvider(), pool=pool, policies=[rule]) as client,
            client.send_many(different_texts(6), journal=journal) as run,
        ):
            reading = asyncio.create_task(run.drain())
            await until(lambda: run.counts.accepted == 3 and not run.in_flight)
            await until(lambda: states_in(path) == ["accepted"] * 3)
            await clock.pass_time(3 * 3600 - 60)
            assert 3 == run.counts.accepted
            await clock.pass_time(120)
            counts = await reading

    assert 6 == counts.accepted == len(wire.requests)


async def test_rows_that_wait_are_sent_by_the_next_run(path: Path | str) -> None:
    """A run that ends while they wait has no claim of them, so that another one sends them."""
    night = Noting(lambda _: WaitUntil(wire.clock.now() + timedelta(hours=5)))
    wire = Wire(ACCEPTED)
    clock = VirtualClock()
    pool = HttpPool(http=wire.http, clock=clock)
    with Journal.open(path) as journal:
        async with (
            SmsClient(PostingProvider(), pool=pool, policies=[night]) as client,
            client.send_many(different_texts(5), journal=journal) as run,
        ):
            reading = asyncio.create_task(run.drain())
            await until(lambda: len(night.asked) == 5)
            run.stop()
            counts = await reading
    assert (0, []) == (counts.total, states_in(path))

    with Journal.open(path) as journal:
        async with posting(wire) as client:
            outcomes = await run_over(client, different_texts(5), journal=journal)
    assert ["accepted"] * 5 == states_of(outcomes)


async def test_so_many_rows_wait_and_no_more_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, whatever the size of the source; what was read is sent, and it goes on."""
    monkeypatch.setattr(waiting_rows, "MOST_WAITING", 10)
    clock = VirtualClock()
    read = 0

    async def source() -> AsyncIterator[Message]:
        nonlocal read
        for message in different_texts(200):
            read += 1
            yield message

    morning = clock.now() + timedelta(hours=12)
    rule = Noting(lambda text: Allow() if text.now >= morning else WaitUntil(morning))
    pool = HttpPool(clock=clock)
    async with (
        SmsClient(FakeProvider(), pool=pool, policies=[rule]) as client,
        client.send_many(source(), concurrency=2, window=5, linger=0) as run,
    ):
        reading = asyncio.create_task(run.drain())
        await until(lambda: len(rule.asked) >= 10)
        await clock.settle()
        assert read < 40
        assert {morning} == set(run.waiting.values())
        assert 10 <= len(run.waiting) <= read
        await clock.pass_time(12 * 3600)
        counts = await reading

    assert (200, {}) == (counts.accepted, run.waiting)


async def test_what_waits_does_not_wait_for_a_slow_source() -> None:
    """Its time comes while every worker waits for the next row, whatever became of others."""
    clock = VirtualClock()
    go_on, answered = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[Message]:
        for message in different_texts(4):
            yield message
        await go_on.wait()

    async def answer(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if batch[0].e164.endswith("3"):
            await answered.wait()
        return await accept(batch)

    soon = clock.now() + timedelta(minutes=5)

    def decide(text: Outgoing) -> Decision:
        if text.number.endswith("1"):
            return Refuse("no")
        return WaitUntil(soon) if text.number.endswith("2") and text.now < soon else Allow()

    rule = Noting(decide)
    async with (
        SmsClient(FakeProvider(send=answer), pool=HttpPool(clock=clock), policies=[rule]) as client,
        client.send_many(source(), linger=0, concurrency=3) as run,
    ):
        await until(lambda: run.counts.total == 2 and len(rule.asked) == 4)
        await clock.settle()
        answered.set()
        await until(lambda: run.counts.total == 3)
        await clock.pass_time(400)
        await until(lambda: run.counts.total == 4)
        go_on.set()
        counts = await run.drain()

    assert (3, 1) == (counts.accepted, counts.not_sent)


async def test_a_refusal_that_all_would_meet_halts_the_run() -> None:
    """As an empty account does; what waits and what was not read is not sent."""
    error = AuthenticationError("the account is closed", provider="mine")
    morning = VirtualClock().now() + timedelta(days=1)

    def rule(text: Outgoing) -> Decision:
        return Refuse(error) if text.number.endswith("3") else WaitUntil(morning)

    provider = FakeProvider()
    async with SmsClient(provider, pool=HttpPool(clock=VirtualClock()), policies=[rule]) as client:
        outcomes = await run_over(client, different_texts(5), concurrency=1)

    assert 5 == len(outcomes)
    assert {"not_sent"} == {outcome.state for outcome in outcomes}
    assert [] == provider.sent


@pytest.mark.parametrize("credits", [None, 100])
async def test_rewritten_rows_travel_as_what_they_are(credits: int | None) -> None:  # noqa: A002 - the argument's own word
    """Equal texts together, each asked about once, and paid for with the segments they have."""

    def rule(text: Outgoing) -> Decision:
        asked.append(text.number)
        name = "Ana" if int(text.number) % 2 else 200 * "x"
        return Rewrite(evolve(text.message, text=name))

    asked: list[str] = []
    provider = FakeProvider(limits=MANY)
    async with (
        SmsClient(provider, policies=[rule]) as client,
        client.send_many(to_many(10), max_credits=credits) as run,
    ):
        counts = await run.drain()

    assert 10 == counts.accepted == len(asked) == len(set(asked))
    assert {("Ana",), (200 * "x",)} == {
        tuple({prepared.wire.text for prepared in batch}) for batch in provider.sent
    }
    assert 5 + 10 == run.credits


async def test_a_rewritten_row_is_the_same_row_in_the_next_run(path: Path | str) -> None:
    """The journal knows it by the text that was asked for, whatever a policy made of it."""
    numbers = iter(range(100))
    wire = Wire(ACCEPTED)
    rules = [rewriting(lambda text: f"{next(numbers)} {text}")]
    states: list[str] = []
    for _ in range(2):
        with Journal.open(path) as journal:
            async with posting(wire, policies=rules) as client:
                states += states_of(await run_over(client, to_many(5), journal=journal))

    assert ["accepted"] * 10 == states
    assert 5 == len(wire.requests)


@pytest.mark.parametrize("reply", [ACCEPTED, REFUSED, BROKEN, BUSY, SLOW_DOWN])
async def test_each_row_that_was_allowed_is_settled_once(reply: Any, path: Path | str) -> None:
    """With the outcome that it has, also where the run halts."""
    rule = Counting()
    provider = PostingProvider(limits=MANY)
    wire = Wire(reply)
    with Journal.open(path) as journal:
        async with SmsClient(provider, pool=wire.pool, policies=[rule]) as client:
            outcomes = await run_over(client, to_many(30), journal=journal, halt_after_unknown=5)

    assert len(rule.asked) == len(rule.settled) == len(set(rule.settled))
    states = {outcome.message.to: outcome.state for outcome in outcomes}
    assert set(rule.settled) <= set(states.items())


async def test_a_run_that_is_left_gives_back_what_it_did_not_send() -> None:
    """A `break` while rows wait for the rate costs nobody a text of their limit."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    gateway = pool.engine = VirtualGateway(clock, lambda _: OK)
    rule = Counting()
    provider = IprogProvider("t", base_url="http://sms.example.test", rate="1/100s")
    async with (
        SmsClient(provider, pool=pool, policies=[rule]) as client,
        client.send_many(different_texts(5), concurrency=5) as run,
    ):
        reading = asyncio.create_task(anext(run))
        await clock.pass_time(1)
        await reading

    assert 1 == len(gateway.arrivals)
    assert sorted(["accepted"] + 4 * ["not_sent"]) == sorted(state for _, state in rule.settled)


async def test_an_abandoned_request_counts_as_sent() -> None:
    """What was on its way when the run was closed may be out, which policies are told."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    pool.engine = VirtualGateway(clock, lambda _: OK, latency=lambda _: 1000.0)
    rule = Counting()
    provider = IprogProvider("t", base_url="http://sms.example.test", rate="100/s")
    async with (
        SmsClient(provider, pool=pool, policies=[rule]) as client,
        client.send_many(different_texts(1)) as run,
    ):
        reading = asyncio.create_task(anext(run))
        await clock.pass_time(1)
        reading.cancel()

    assert 1 == len(run.abandoned)
    assert [("+639170000000", "unknown")] == rule.settled


async def test_no_byte_leaves_after_the_time_of_an_answer() -> None:
    """Retries, pauses and rates can't carry a text beyond the time until which it was allowed."""
    clock = VirtualClock()
    pool = HttpPool(clock=clock)
    gateway = pool.engine = VirtualGateway(clock, lambda _: OK)
    ends = clock.now() + timedelta(seconds=250)

    def rule(text: Outgoing) -> Decision:
        return Allow(until=ends) if text.now < ends else Refuse("too late")

    provider = IprogProvider("t", base_url="http://sms.example.test", rate="1/100s")
    router = Failover(provider, clock=clock)
    async with (
        SmsClient(router, pool=pool, policies=[rule]) as client,
        client.send_many(different_texts(6), concurrency=6) as run,
    ):
        counts = await clock.run(run.drain())

    assert (3, 3) == (counts.accepted, counts.not_sent)
    assert max(gateway.arrivals) < 250


async def test_a_run_without_policies_asks_nobody() -> None:
    """Nothing is kept, and nothing is awaited, for what is not there."""
    async with SmsClient(FakeProvider()) as client, client.send_many(to_many(2)) as run:
        outcomes = [outcome async for outcome in run]

    assert not any(isinstance(outcome, NotSent) for outcome in outcomes)
