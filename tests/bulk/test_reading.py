from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from support.core.fakes import FakeProvider, to_many

from iprog_async import Message, SmsClient


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
