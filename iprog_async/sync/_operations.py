"""What is awaited or iterated over for a thread, and what it means that a send was cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterator
from typing import Any, ClassVar, TypeVar, cast

from iprog_async._core.checks import Synchronous
from iprog_async._core.errors import SmsError
from iprog_async._http.send_context import was_in_flight
from iprog_async.sync._calls import Called, call, close, notes_of, this_thread
from iprog_async.sync._loop_thread import LoopThread


T = TypeVar("T")

_END = object()


async def awaited(made: Awaitable[T]) -> T:
    """Await what an operation returned."""
    return await made


def each(
    thread: LoopThread, items: AsyncIterator[T], *, owner: object, of: str = "gateway's list"
) -> Iterator[T]:
    """Yield what an async iterator yields, one after the other.

    Args:
        thread: Where the loop is.
        items: What to iterate over there.
        owner: The client, the journal or the list that is read: it is held, and so not closed,
            as long as somebody iterates.
        of: What is read, in words.
    """
    forked = (
        f"this process was forked off while its parent was reading the {of}, and can't go on with "
        "that: begin again here"
    )

    async def following() -> T | object:
        return await anext(items, _END)

    try:
        while True:
            thread.check(forked)
            if (item := call(thread, following())) is _END:
                break
            yield cast("T", item)
    finally:
        closing: Any = getattr(items, "aclose", None)
        if closing is not None and thread.is_current:
            close(thread, awaited(closing()))
        del owner


class WaitedFor(Synchronous):
    """Base of what needs no client: its calls wait for those of its async form."""

    _called: ClassVar[Called]
    """What it is, for an error."""

    def _call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine of the async form, and return its result."""
        try:
            thread = this_thread(self._called)
        except SmsError:
            # It is never awaited, and would complain.
            coroutine.close()
            raise
        return call(thread, coroutine)

    def _each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """Yield what the async form yields."""
        return each(this_thread(self._called), items, owner=self, of=self._called.name)


def cut_short(cancelled: asyncio.CancelledError) -> str:
    """Say what it means for a text that its send was cancelled."""
    if was_in_flight(cancelled):
        return "\n".join(notes_of(cancelled))
    return "the text was cancelled before it left: it was not sent"


def cut_short_keyed(_: asyncio.CancelledError) -> str:
    """Say it of a text with a key, which others may wait for: its send goes on."""
    return (
        "the text has a key, and may still be sent: send it once more with the same key to learn "
        "its outcome"
    )
