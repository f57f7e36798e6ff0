"""Our own first-in-first-out queue for connections.

httpx's pool lets a waiting request time out (`PoolTimeout`); here a call waits its turn for as
long as its deadline allows, and the time for one attempt starts after that.
"""

from __future__ import annotations

import asyncio
from collections import deque


class SlotQueue:
    """Hands out numbered slots, the most recently used first: its connection is warm.

    Args:
        size: Number of slots.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._free = list(range(size - 1, -1, -1))
        self._waiting: deque[asyncio.Future[int]] = deque()

    @property
    def in_use(self) -> int:
        """Number of slots handed out."""
        return self.size - len(self._free)

    @property
    def has_free(self) -> bool:
        """Whether a slot can be had at once."""
        return bool(self._free) and not self._waiting

    def take(self) -> int:
        """Return a slot that `has_free` promises."""
        return self._free.pop()

    async def acquire(self) -> int:
        """Return a free slot, after all who asked earlier have theirs."""
        if self.has_free:
            return self._free.pop()
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The slot came at the moment of cancellation: pass it on.
                self.release(turn.result())
            raise

    def release(self, slot: int) -> None:
        """Give a slot back, to whoever waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(slot)
                return
        self._free.append(slot)
