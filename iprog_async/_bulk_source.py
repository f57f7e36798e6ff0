"""Reading the messages of a bulk run a window at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterable, Iterator
from itertools import islice

from iprog_async._messages import Message


Messages = Iterable[Message] | AsyncIterable[Message]

_CHUNK = 64


class MessageSource:
    """Hands out windows of messages: as many as fit, or what came before the source paused.

    Args:
        messages: Where they come from.
        window: The most messages of one window.
        linger: How many seconds to wait for company once a message is there.
    """

    def __init__(self, messages: Messages, window: int, linger: float) -> None:
        self._window = window
        self._linger = linger
        self._iterator: Iterator[Message] | None = None
        self._pump: _Pump | None = None
        if isinstance(messages, AsyncIterable):
            self._pump = _Pump(messages, window)
        else:
            self._iterator = iter(messages)

    async def next_window(self) -> list[Message]:
        """Return the next messages; an empty list means that the source has ended.

        Raises:
            Exception: Whatever the source raised, after all its messages were handed out.
        """
        if self._pump is not None:
            return await self._pump.take(self._linger)
        return await self._pull()

    async def _pull(self) -> list[Message]:
        assert self._iterator is not None  # noqa: S101 - one of the two is always there
        loop = asyncio.get_running_loop()
        window: list[Message] = []
        deadline = loop.time() + self._linger
        while len(window) < self._window:
            chunk = list(islice(self._iterator, min(_CHUNK, self._window - len(window))))
            window += chunk
            if not chunk or loop.time() >= deadline:
                break
            # A long list must not keep everybody else from the loop.
            await asyncio.sleep(0)
        return window

    async def aclose(self) -> None:
        """Stop reading."""
        if self._pump is not None:
            await self._pump.aclose()


class _Pump:
    """Reads an async source in a task of its own, at most one window ahead."""

    def __init__(self, messages: AsyncIterable[Message], window: int) -> None:
        self._messages = messages
        self._window = window
        self._buffer: list[Message] = []
        self._error: Exception | None = None
        self._done = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def take(self, linger: float) -> list[Message]:
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        while not (self._buffer or self._done):
            await self._wait()
        try:
            async with asyncio.timeout(linger):
                while not (self._done or len(self._buffer) >= self._window):
                    await self._wait()
        except TimeoutError:
            pass
        taken, self._buffer = self._buffer, []
        self._room.set()
        if not taken and self._error is not None:
            raise self._error
        return taken

    async def _wait(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def _read(self) -> None:
        try:
            async for message in self._messages:
                self._buffer.append(message)
                self._changed.set()
                while len(self._buffer) >= self._window:
                    self._room.clear()
                    await self._room.wait()
        except Exception as exc:
            # Kept for whoever takes the next window.
            self._error = exc
        finally:
            self._done = True
            self._changed.set()

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        # An async generator that is left half-read would be finalized with a warning.
        close = getattr(self._messages, "aclose", None)
        if close is not None:
            await close()
