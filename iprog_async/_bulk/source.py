"""Reading the messages of a bulk run a window at a time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from iprog_async._core.messages import Batch, Message


Messages = Iterable[Message] | AsyncIterable[Message]

_CHUNK = 64
_GROWTH = 4


class WindowSize:
    """How many messages to look at together: as many as it takes to find equal texts.

    Where everybody is told something else, nothing travels together, however many are looked at.
    What is read far ahead all the same takes memory and a tenth more time: it has left the
    processor's caches when its turn comes, and the garbage collector looks through it meanwhile.

    Args:
        largest: As many as fill the requests of a run.
        first: How many are looked at first.
        smallest: As many as it takes to keep a run busy.
    """

    def __init__(self, largest: int, first: int, smallest: int) -> None:
        self._largest = largest
        self._smallest = min(smallest, largest)
        self.now = min(first, largest)

    def note(self, batches: Sequence[Batch]) -> None:
        """Note what a window came to, as the next ones are likely to be like it."""
        if batches and max(map(len, batches)) == 1:
            self.now = self._smallest
        else:
            self.now = min(self.now * _GROWTH, self._largest)


class MessageSource:
    """Hands out windows of messages: as many as fit, or what came before the source paused.

    Args:
        messages: Where they come from.
        window: The most messages of one window.
        linger: How many seconds to wait for further messages once one is there.
    """

    def __init__(self, messages: Messages, window: int, linger: float) -> None:
        self.window = window
        """The most messages of the next window."""
        self.pauses = False
        """Whether a window was empty only because nothing came for so long."""
        self._linger = linger
        self._iterator: Iterator[Message] = iter(())
        self._error: Exception | None = None
        self._pump: _Pump | None = None
        if isinstance(messages, AsyncIterable):
            self._pump = _Pump(messages)
        else:
            self._iterator = iter(messages)

    async def next_window(self, patience: float | None = None) -> list[Message]:
        """Return the next messages; an empty list means that the source has ended, or pauses.

        Args:
            patience: For how many seconds to wait for the first of them; for ever if `None`.

        Raises:
            Exception: Whatever the source raised, after all its messages were handed out.
        """
        if self._pump is None:
            return await self._pull()
        self.pauses = not await self._pump.has_more(self.window, patience)
        return [] if self.pauses else await self._pump.take(self.window, self._linger)

    def stop(self) -> None:
        """Wake whoever waits for messages: there are no more."""
        if self._pump is not None:
            self._pump.stop()

    async def _pull(self) -> list[Message]:
        loop = asyncio.get_running_loop()
        window: list[Message] = []
        deadline = loop.time() + self._linger
        while len(window) < self.window and self._error is None:
            before = len(window)
            try:
                # One by one: what came before an error must not be lost with it.
                for message in islice(self._iterator, min(_CHUNK, self.window - before)):
                    window.append(message)
            except asyncio.CancelledError as exc:
                # Nobody cancels what awaits nothing: it came from the source.
                self._error = _cut_short(exc)
            except Exception as exc:
                self._error = exc
            if len(window) == before or loop.time() >= deadline:
                break
            # A long list must not keep everybody else from the loop.
            await asyncio.sleep(0)
        if not window and self._error is not None:
            raise self._error
        return window

    async def aclose(self) -> None:
        """Stop reading."""
        if self._pump is not None:
            await self._pump.aclose()


class _Pump:
    """Reads an async source in a task of its own, at most one window ahead."""

    def __init__(self, messages: AsyncIterable[Message]) -> None:
        self._messages = aiter(messages)
        self._window = 0
        self._buffer: list[Message] = []
        self._error: BaseException | None = None
        self._done = False
        self._stopped = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def has_more(self, window: int, patience: float | None) -> bool:
        self._window = window
        # It may be a larger one than before.
        self._room.set()
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(patience):
                while not (self._buffer or self._done or self._stopped):
                    await self._wait()
        except TimeoutError:
            return False
        return True

    async def take(self, window: int, linger: float) -> list[Message]:
        try:
            async with asyncio.timeout(linger):
                while not (self._done or self._stopped or len(self._buffer) >= window):
                    await self._wait()
        except TimeoutError:
            pass
        if self._stopped:
            return []
        taken, self._buffer = self._buffer[:window], self._buffer[window:]
        self._room.set()
        if not taken and self._error is not None:
            raise self._error
        return taken

    def stop(self) -> None:
        self._stopped = True
        self._changed.set()

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
        except asyncio.CancelledError as exc:
            if not self._stopped:
                # Not by us: a source that was cut short must not look like one that has ended.
                self._error = _cut_short(exc)
            raise
        except BaseException as exc:
            # Kept for whoever takes the next window.
            self._error = exc
            if not isinstance(exc, Exception):
                raise
        finally:
            self._done = True
            self._changed.set()

    async def aclose(self) -> None:
        try:
            if self._task is not None:
                self._task.cancel()
                await asyncio.gather(self._task, return_exceptions=True)
        finally:
            # A generator that is left half-read would be finalized some time later; anything else
            # that can be closed belongs to whoever made it.
            messages: Any = self._messages
            if inspect.isasyncgen(messages):
                await messages.aclose()


def _cut_short(cancelled: asyncio.CancelledError) -> RuntimeError:
    error = RuntimeError("the source of the messages was cancelled")
    error.__cause__ = cancelled
    return error
