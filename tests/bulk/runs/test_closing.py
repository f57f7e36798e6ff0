"""A run that is closed, or left: what it still tells, and what is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from support.bulk.runs import running
from support.core.fakes import FakeProvider, accept, to_many
from support.waiting import LONG

from iprog_async import Outcome, SmsClient
from iprog_async.adapter import Batching, PreparedMessage


async def test_settled_outcomes_survive_the_end_of_a_run() -> None:
    """A reader that comes late finds every outcome that was counted before the run was closed."""
    provider = FakeProvider()
    async with SmsClient(provider) as client, client.send_many(to_many(50), concurrency=3) as run:
        first = await anext(run)
        # Nobody reads on: workers fill the queue, and then wait with an outcome each.
        for _ in range(200):
            await asyncio.sleep(0)
    late = [outcome async for outcome in run]

    assert run.counts.total == 1 + len(late)
    assert set(range(run.counts.total)) == {first.index, *(outcome.index for outcome in late)}
    assert run.counts.total > 3


@pytest.mark.usefixtures("whole_batches")
async def test_what_is_on_its_way_is_counted() -> None:
    """A run that was stopped says how many have no outcome yet, until none is left."""
    arrived, answer = asyncio.Semaphore(0), asyncio.Event()

    async def wait(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        arrived.release()
        await answer.wait()
        return await accept(batch)

    provider = FakeProvider(send=wait, limits=Batching(max_batch=5))
    async with SmsClient(provider) as client, client.send_many(to_many(50), concurrency=3) as run:
        before = run.in_flight
        for _ in range(3):
            await arrived.acquire()
        run.stop()
        stopped = run.in_flight
        answer.set()
        await run.drain()

    assert (0, 15, 0, 15) == (before, stopped, run.in_flight, run.counts.accepted)


async def never(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Wait for ever."""
    await asyncio.Event().wait()
    raise AssertionError


async def test_closing_ends_a_reader_in_another_task() -> None:
    """Whoever waits for outcomes when the run is closed elsewhere is not left waiting."""
    async with running(FakeProvider(send=never), to_many(3)) as run:
        reading = asyncio.create_task(run.drain())
        await asyncio.sleep(0.001)
        await run.aclose()
        counts = await asyncio.wait_for(reading, LONG)
        await run.aclose()

    assert 0 == counts.total
