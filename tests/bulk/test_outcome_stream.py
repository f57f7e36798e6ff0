"""The outcomes that wait for a reader hold the workers up, and none is lost."""

from __future__ import annotations

import asyncio

from support.core.fakes import to_many

from iprog_async import JournalError, NotSent
from iprog_async._bulk.outcome_stream import OutcomeStream


def outcomes_of(*indexes: int) -> list[NotSent]:
    """Return outcomes of some messages."""
    messages = list(to_many(max(indexes) + 1))
    return [NotSent(index, messages[index], JournalError("busy")) for index in indexes]


def stream_of(size: int) -> OutcomeStream:
    """Return a stream in which so many batches may wait."""
    return OutcomeStream(size, lambda _: None)


async def test_a_worker_is_held_up_until_the_reader_is_through_what_it_took() -> None:
    """What the reader took at once counts as waiting as long as it has not been read."""
    stream = stream_of(2)
    held_up = [stream.add(outcomes_of(index)) for index in range(3)]
    first = asyncio.create_task(stream.room())

    assert await stream.read_on()
    await first
    held_up.append(stream.add(outcomes_of(3)))
    second = asyncio.create_task(stream.room())
    await asyncio.sleep(0)
    still_held_up = not second.done()
    stream.current.clear()
    assert await stream.read_on()
    await second

    assert [False, False, True, True] == held_up
    assert still_held_up
    assert [3] == [outcome.index for outcome in stream.current]


async def test_those_held_up_go_on_when_the_reader_waits_for_more() -> None:
    """A reader that has had everything lets everybody go on, also where nothing is left to take."""
    stream = stream_of(1)
    for index in range(3):
        stream.add(outcomes_of(index))
    held_up = [asyncio.create_task(stream.room()) for _ in range(2)]
    await asyncio.sleep(0)
    assert await stream.read_on()
    stream.current.clear()

    reading = asyncio.create_task(stream.read_on())
    await asyncio.gather(*held_up)
    stream.end()

    assert not await reading


async def test_the_order_is_kept_while_the_first_is_not_on_record() -> None:
    """What is on record waits behind what is not, and is not seen before it."""
    stream = stream_of(3)
    recorded: asyncio.Future[JournalError | None] = asyncio.get_running_loop().create_future()
    stream.add(outcomes_of(0), recorded)
    stream.add(outcomes_of(1))

    reading = asyncio.create_task(stream.read_on())
    await asyncio.sleep(0)
    seen_before = list(stream.current)
    recorded.set_result(None)
    assert await reading

    assert [] == seen_before
    assert [0, 1] == [outcome.index for outcome in stream.current]


async def test_a_reader_that_gives_up_for_now_loses_nothing() -> None:
    """A reader that is cancelled while an outcome is written finds it the next time."""
    stream = stream_of(1)
    recorded: asyncio.Future[JournalError | None] = asyncio.get_running_loop().create_future()
    stream.add(outcomes_of(0), recorded)
    reading = asyncio.create_task(stream.read_on())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    recorded.set_result(None)

    assert await stream.read_on()
    assert [0] == [outcome.index for outcome in stream.current]


async def test_a_worker_that_is_cancelled_in_the_queue_leaves_its_outcomes() -> None:
    """A run that is closed while the reader is slow keeps what its workers had."""
    stream = stream_of(1)
    stream.add(outcomes_of(0))
    stream.add(outcomes_of(1))
    waiting = asyncio.create_task(stream.room())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    await stream.close()

    assert [0, 1] == [outcome.index for outcome in stream.current]
    stream.current.clear()
    assert not await stream.read_on()
