"""What is awaited or iterated over for a thread, and what it means that a send was cut short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, TypeVar, cast

from iprog_async._http.send_context import was_in_flight
from iprog_async.sync._calls import call, close, notes_of
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
        owner: The client, which stays open as long as somebody iterates.
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
