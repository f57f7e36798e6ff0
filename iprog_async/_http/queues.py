"""What calls stand in line for, first come, first served: their turn at a rate, a connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable


class SlotQueue:
    """Hands out numbered slots, the most recently used first: its connection is warm.

    httpx's pool lets a waiting request time out (`PoolTimeout`); here a call waits its turn for as
    long as its deadline allows, and the time for one attempt starts after that.

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


class TurnQueue:
    """Lets one at a time have its turn; who stands behind it may be sent away before."""

    def __init__(self) -> None:
        self._count = 0
        self._is_taken = False
        # Who was cancelled stays among them until it would be its turn: to look for one among
        # thousands takes its time.
        self._behind: deque[tuple[asyncio.Future[bool], float]] = deque()

    def __len__(self) -> int:
        """How many stand in line, with the one whose turn it is."""
        return self._count

    async def enter(self, patience: float) -> bool:
        """Wait for one's turn, which has to be given back with `leave`.

        Args:
            patience: What `send_away` goes by.

        Returns:
            Whether it is one's turn: not if one was sent away.
        """
        self._count += 1
        if not self._is_taken:
            self._is_taken = True
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._behind.append((turn, patience))
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._count -= 1
            elif turn.result():
                # It came at the moment of cancellation: pass it on.
                self.leave()
            raise

    def leave(self) -> None:
        """Give one's turn back, to whoever waits longest."""
        self._count -= 1
        while self._behind:
            turn, _ = self._behind.popleft()
            if not turn.done():
                turn.set_result(True)
                return
        self._is_taken = False

    def send_away(self, is_too_long: Callable[[float], bool]) -> None:
        """Let those go, without a turn, for whose patience it lasts too long now."""
        standing, self._behind = self._behind, deque()
        for place in standing:
            turn, patience = place
            if turn.done():
                continue
            if is_too_long(patience):
                self._count -= 1
                turn.set_result(False)
            else:
                self._behind.append(place)
