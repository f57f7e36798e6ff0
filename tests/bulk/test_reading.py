"""How far a run reads its source ahead, and what comes of a source that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
from support.bulk.runs import read, running
from support.core.fakes import FakeProvider, accept, to_many
from support.waiting import LONG

from iprog_async import Message, Outcome, SmsClient
from iprog_async.adapter import Batching, PreparedMessage


async def test_a_reader_that_stops_stops_the_reading() -> None:
    """While nobody reads outcomes no more than a few windows of a source are read."""
    read = 0

    def rows() -> Iterator[Message]:
        nonlocal read
        while True:
            read += 1
            yield Message("no number", "Hi")

    async with (
        SmsClient(FakeProvider()) as sms,
        sms.send_many(rows(), window=50, concurrency=10) as run,
    ):
        await anext(run)
        before = -1
        while before != read:
            before = read
            for _ in range(1000):
                await asyncio.sleep(0)

    # One that was reported, those that fit the queue of outcomes, one that waits, one ahead.
    assert read <= 50 * (1 + 10 + 1 + 2)


@pytest.mark.parametrize(
    ("different", "requests", "least", "most"),
    # The first window, and the one after it, which is as large as keeps the run busy.
    [(True, 10_000, 1000, 1000 + 100), (False, 120, 1500, 4000)],
)
async def test_only_equal_texts_are_looked_for_far_ahead(
    different: bool, requests: int, least: int, most: int
) -> None:
    """Where everybody is told something else, few messages are in memory."""
    read = sent = ahead = 0

    def rows() -> Iterator[Message]:
        nonlocal read, ahead
        for number in range(10_000):
            read += 1
            ahead = max(ahead, read - sent)
            yield Message(f"0917{number:07d}", f"Hi {number}" if different else "Hi")

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        nonlocal sent
        sent += len(batch)
        return await accept(batch)

    provider = FakeProvider(limits=Batching(max_batch=100), send=send)
    # However slow this machine is just now, a window is not cut short.
    async with (
        SmsClient(provider) as sms,
        sms.send_many(rows(), concurrency=20, linger=600) as run,
    ):
        counts = await run.drain()

    assert 10_000 == counts.accepted
    assert least <= ahead <= most
    assert len(provider.sent) <= requests


async def test_leaving_early_leaves_nothing_behind() -> None:
    """A run that is left while its slow source is read ahead ends the reading, too."""

    async def slow() -> AsyncIterator[Message]:
        for message in to_many(3):
            yield message
        await asyncio.Event().wait()

    before = asyncio.all_tasks()
    async with SmsClient(FakeProvider()) as sms:
        async with sms.send_many(slow(), linger=0) as run:
            await anext(run)

        assert before == asyncio.all_tasks()


@pytest.mark.parametrize("messages", ["plain", "async"])
async def test_error_of_the_source_comes_after_the_outcomes(messages: str) -> None:
    """What was read before the source failed is sent and told; then its own error comes."""

    def plain() -> Iterator[Message]:
        yield from to_many(30)
        raise OSError("the file is gone")

    async def asynchronous() -> AsyncIterator[Message]:
        for message in plain():
            yield message

    source = plain() if messages == "plain" else asynchronous()
    outcomes: list[Outcome] = []
    async with running(FakeProvider(), source) as run:
        with pytest.raises(OSError, match="gone"):
            await read(run, outcomes)

        with pytest.raises(StopAsyncIteration):
            await anext(run)

    assert ["accepted"] * 30 == [outcome.state for outcome in outcomes]


async def test_slow_reader_holds_the_sending_back() -> None:
    """Nobody reads, so soon nothing more is sent, and no connection slot is held meanwhile."""
    provider = FakeProvider()
    settings = {"max_connections": 1, "concurrency": 2, "window": 10}
    async with running(provider, to_many(1000), **settings) as run:
        for _ in range(200):
            await asyncio.sleep(0)
        held_back = len(provider.sent)
        counts = await run.drain()

    assert held_back <= 2 + 2 + 1
    assert 1000 == counts.accepted


async def test_source_is_read_only_as_far_as_needed() -> None:
    """The look-ahead is one window, whatever the length of the source."""
    pulled = 0

    def endless() -> Iterator[Message]:
        nonlocal pulled
        while True:
            pulled += 1
            yield Message("0917 123 4567", "Hi", key=str(pulled))

    async with running(FakeProvider(), endless(), concurrency=2, window=20) as run:
        async for outcome in run:
            if outcome.index >= 100:
                break

    assert pulled <= 160


@pytest.mark.slow
async def test_a_journal_is_asked_about_many_at_a_time(tmp_path: Path) -> None:
    """Where it has been used, windows grow also where everybody is told something else."""
    read = sent = ahead = 0

    def rows() -> Iterator[Message]:
        nonlocal read, ahead
        for number in range(3000):
            read += 1
            ahead = max(ahead, read - sent)
            yield Message(f"0917{number:07d}", f"Hi {number}")

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        nonlocal sent
        sent += len(batch)
        return await accept(batch)

    provider = FakeProvider(limits=Batching(max_batch=100), send=send)
    journal = tmp_path / "june.db"
    async with SmsClient(provider) as sms:
        async with sms.send_many([Message("09181234567", "Hi")], journal=journal) as earlier:
            await earlier.drain()
        sent = 0
        async with sms.send_many(rows(), journal=journal, linger=LONG) as run:
            counts = await run.drain()

    assert 3000 == counts.accepted
    assert ahead > 1500
