"""Reading a run's messages ahead of what is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from iprog_async._bulk.preparation import Preparation, Window


class ReadAhead:
    """Reads a window while the one before it is sent, so that no connection waits for it.

    Args:
        preparation: Where the windows come from.
    """

    def __init__(self, preparation: Preparation) -> None:
        self._preparation = preparation
        self._next: asyncio.Task[Window] | None = None

    async def next_window(self) -> Window:
        """Return the next window, and begin to read the one after it.

        Raises:
            Exception: Whatever the source raised.
        """
        window = await self.reading()
        self._next = None if window.last else self._begin()
        return window

    def reading(self) -> asyncio.Task[Window]:
        """Return what reads the next window, begun if it is not under way."""
        self._next = self._next or self._begin()
        return self._next

    def _begin(self) -> asyncio.Task[Window]:
        return asyncio.create_task(self._preparation.next_window())

    async def rest(self) -> Sequence[Window]:
        """Return what has been read already, once nobody asks for more."""
        if self._next is None:
            return ()
        # If the source fails now, the reader learns that the run has halted all the same.
        read = await asyncio.gather(self._next, return_exceptions=True)
        return [window for window in read if isinstance(window, Window)]

    def cancel(self) -> asyncio.Future[Any]:
        """Stop reading; what it returns is done when nothing is read any more."""
        reading = () if self._next is None else (self._next,)
        for task in reading:
            task.cancel()
        return asyncio.gather(*reading, return_exceptions=True)
