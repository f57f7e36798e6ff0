"""How many requests a run has under way while nobody knows whether the gateway answers well."""

from __future__ import annotations

import asyncio


class Caution:
    """Bounds how many outcomes can become unknown before a run halts.

    A run halts after so many unknown outcomes in a row. Those that are under way at that moment
    may become unknown, too; so until the first request has come to a certain outcome, and again
    after each unknown one, only so many are under way as could be unknown without the run going
    beyond its bound.

    Args:
        most: The run halts after so many unknown outcomes in a row.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_a_row = 0
        self._under_way = 0
        self._limit: int | None = most
        self._changed = asyncio.Event()

    async def enter(self) -> None:
        """Wait until one more request may be under way; each that is has to `leave`."""
        while self._limit is not None and self._under_way >= self._limit:
            self._changed.clear()
            await self._changed.wait()
        self._under_way += 1

    def leave(self) -> None:
        """Note that a request is not under way any more."""
        self._under_way -= 1
        if self._limit is not None:
            self._changed.set()

    def note(self, *, unknown: bool) -> bool:
        """Note how a request ended, and return whether there are too many unknown ones in a row."""
        if unknown:
            self._in_a_row += 1
            self._bound(self._most - self._in_a_row)
        elif self._limit is not None or self._in_a_row:
            self._in_a_row = 0
            self._bound(None)
        return self._in_a_row >= self._most

    def lift(self) -> None:
        """Hold up nobody any more."""
        self._bound(None)

    def _bound(self, limit: int | None) -> None:
        self._limit = limit
        self._changed.set()
