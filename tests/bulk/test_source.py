from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from support.core.fakes import prepared, to_many
from support.core.misbehaving import ask_cancelled

from iprog_async import Message
from iprog_async._bulk.source import Messages, MessageSource, WindowSize


async def read_all(source: MessageSource) -> list[int]:
    """Return the sizes of all windows."""
    sizes: list[int] = []
    while window := await source.next_window():
        sizes.append(len(window))
    await source.aclose()
    return sizes


async def read_into(source: MessageSource, seen: list[Message]) -> None:
    """Collect the messages of a source that ends in an error."""
    while window := await source.next_window():
        seen += window


async def slowly(messages: list[Message], events: list[asyncio.Event]) -> AsyncIterator[Message]:
    """Yield messages, waiting for an event before each."""
    for message, event in zip(messages, events, strict=True):
        await event.wait()
        yield message


async def at_once(messages: list[Message]) -> AsyncIterator[Message]:
    """Yield messages without waiting."""
    for message in messages:
        yield message


@pytest.mark.parametrize(("count", "window", "expected"), [(0, 10, []), (25, 10, [10, 10, 5])])
async def test_windows_of_a_plain_iterable(count: int, window: int, expected: list[int]) -> None:
    """Windows are full until the source ends."""
    assert expected == await read_all(MessageSource(to_many(count), window, 5.0))


@pytest.mark.parametrize(("count", "window", "expected"), [(0, 10, []), (25, 10, [10, 10, 5])])
async def test_windows_of_an_async_iterable(count: int, window: int, expected: list[int]) -> None:
    """The same for an async source that does not pause."""
    assert expected == await read_all(MessageSource(at_once(to_many(count)), window, 5.0))


async def test_long_list_lets_others_run() -> None:
    """Reading a large window gives way to other tasks."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await MessageSource(to_many(1000), 1000, 5.0).next_window()
    task.cancel()

    assert turns > 10


async def test_slow_source_is_not_waited_for_longer_than_the_linger() -> None:
    """Once a message is there, company is waited for only so long."""
    events = [asyncio.Event(), asyncio.Event()]
    events[0].set()
    source = MessageSource(slowly(to_many(2), events), 10, 0.001)

    assert 1 == len(await source.next_window())
    events[1].set()
    assert [1] == await read_all(source)


async def test_pump_reads_at_most_one_window_ahead() -> None:
    """A source without end takes no memory without end."""
    pulled = 0

    async def endless() -> AsyncIterator[Message]:
        nonlocal pulled
        for message in to_many(1000):
            pulled += 1
            yield message

    source = MessageSource(endless(), 10, 5.0)
    await source.next_window()
    for _ in range(50):
        await asyncio.sleep(0)
    await source.aclose()

    assert pulled <= 20


async def test_window_of_an_async_source_grows_and_shrinks() -> None:
    """Each window has what was asked for, whatever the one before it had."""
    source = MessageSource(at_once(to_many(50)), 5, 60.0)
    sizes: list[int] = []
    for source.window in (5, 20, 10, 15):
        sizes.append(len(await source.next_window()))
    await source.aclose()

    assert [5, 20, 10, 15] == sizes


@pytest.mark.parametrize(
    ("sizes", "second", "last"),
    [
        pytest.param([1, 1, 1], 200, 200, id="different-texts"),
        pytest.param([1, 2], 4000, 10_000, id="two-with-the-same-text"),
        pytest.param([5], 4000, 10_000, id="one-text"),
        pytest.param([], 4000, 10_000, id="all-settled-by-an-earlier-run"),
    ],
)
def test_window_is_large_where_texts_are_equal(sizes: list[int], second: int, last: int) -> None:
    """One pair with the same text is reason enough to look at more, never at more than fit."""
    size = WindowSize(10_000, first=1000, smallest=200)
    seen = [size.now]
    for _ in range(5):
        size.note([[prepared(n) for n in range(count)] for count in sizes])
        seen.append(size.now)

    assert (1000, second, last) == (seen[0], seen[1], seen[-1])


def failing(count: int) -> Iterator[Message]:
    """Yield some messages, then fail."""
    yield from to_many(count)
    raise OSError("the file is gone")


async def failing_later(count: int) -> AsyncIterator[Message]:
    """Yield some messages, then fail."""
    for message in to_many(count):
        yield message
    raise OSError("the file is gone")


@pytest.mark.parametrize("make", [failing, failing_later])
@pytest.mark.parametrize("count", [0, 3, 64, 70])
async def test_error_of_the_source_comes_after_its_messages(
    make: Callable[[int], Messages], count: int
) -> None:
    """What a source yielded before it failed is handed out, then its own error is raised."""
    source = MessageSource(make(count), 100, 0.001)
    seen: list[Message] = []

    with pytest.raises(OSError, match="gone"):
        await read_into(source, seen)

    assert count == len(seen)
    with pytest.raises(OSError, match="gone"):
        await source.next_window()
    await source.aclose()


async def test_source_cut_short_by_a_cancellation_has_not_ended() -> None:
    """A cancellation out of the source itself is an error, not the end."""

    async def cut_short() -> AsyncIterator[Message]:
        for message in to_many(2):
            yield message
        raise asyncio.CancelledError

    source = MessageSource(cut_short(), 10, 0.001)

    assert 2 == len(await source.next_window())
    with pytest.raises(RuntimeError, match="cancelled"):
        await source.next_window()
    await source.aclose()


class _StrangeError(BaseException):
    """What an error is not, as tests' own exits are none."""


async def _strange() -> AsyncIterator[Message]:
    yield to_many(1)[0]
    raise _StrangeError


def _asking_what_was_cancelled() -> Iterator[Message]:
    yield to_many(1)[0]
    ask_cancelled()


@pytest.mark.parametrize(
    ("messages", "error"),
    [(_asking_what_was_cancelled, RuntimeError), (_strange, _StrangeError)],
)
async def test_source_that_breaks_off_has_not_ended(
    messages: Callable[[], Messages], error: type[BaseException]
) -> None:
    """Whatever comes out of it: what it would have given is not taken for nothing."""
    source = MessageSource(messages(), 10, 0.001)

    assert 1 == len(await source.next_window())
    with pytest.raises(error):
        await source.next_window()
    await source.aclose()


async def test_stop_wakes_whoever_waits() -> None:
    """A source that never yields again does not hold up the end of a run."""
    source = MessageSource(slowly(to_many(1), [asyncio.Event()]), 10, 5.0)
    waiting = asyncio.create_task(source.next_window())
    await asyncio.sleep(0)

    source.stop()

    assert [] == await waiting
    await source.aclose()


async def test_generator_is_closed_and_anything_else_left_alone() -> None:
    """A half-read generator is ended; an object that can be closed is its owner's."""
    ended: list[str] = []

    async def generator() -> AsyncIterator[Message]:
        try:
            for message in to_many(100):
                yield message
        finally:
            ended.append("generator")

    class Owned:
        def __aiter__(self) -> AsyncIterator[Message]:
            return self

        async def __anext__(self) -> Message:
            return to_many(1)[0]

        async def aclose(self) -> None:
            ended.append("owned")

    for messages in (generator(), Owned()):
        source = MessageSource(messages, 2, 0.001)
        await source.next_window()
        await source.aclose()

    assert ["generator"] == ended


async def test_closing_an_unread_source_is_fine() -> None:
    """Nothing was started, so nothing is left."""
    await MessageSource(at_once([]), 1, 0.1).aclose()
    source = MessageSource([], 1, 0.1)
    source.stop()
    await source.aclose()
