"""How fast one account may ask one gateway: an exact window, shared pauses, a gradual restart."""

from __future__ import annotations

import asyncio
from collections import deque

from iprog_async._clock import Clock
from iprog_async._rates import Rate


# After this many calls at once the restart is over and only the rate limits.
_FULL_SPEED = 64


class Pace:
    """Admits the calls of one account, first come, first served.

    A permit of the window comes back `per` seconds after its call *ended*: when a request
    reaches the gateway is somewhere between its start and its end, so only this keeps every
    window of the gateway's own clock within the limit.

    Args:
        rate: The most calls in any window, or `None`.
        clock: What tells the time.
    """

    def __init__(self, rate: Rate | None, clock: Clock) -> None:
        self.rate = rate
        self._clock = clock
        self._ended: deque[float] = deque()
        self._in_flight = 0
        self._resume_at = 0.0
        self._allowed: int | None = None
        self._turn = asyncio.Lock()
        self._queued = 0
        self._changed = asyncio.Event()

    async def admit(self, *, through_pauses: bool = True) -> bool:
        """Wait until one more call may start; each admitted call must be `finish`ed.

        Args:
            through_pauses: Whether to wait while the account is paused, too.

        Returns:
            Whether the call is admitted; it always is `through_pauses`.
        """
        # The lock is free for a moment while it passes on, so it can't say who came first.
        if not self._queued and self._delay() == 0:
            self._in_flight += 1
            return True
        self._queued += 1
        try:
            async with self._turn:
                admitted = await self._wait(through_pauses)
                self._in_flight += admitted
                return admitted
        finally:
            self._queued -= 1

    async def _wait(self, through_pauses: bool) -> bool:
        while (delay := self._delay()) != 0:
            if not through_pauses and self.remaining_pause():
                return False
            self._changed.clear()
            if delay is None:
                await self._changed.wait()
            else:
                await self._clock.sleep(delay)
        return True

    def finish(self, *, ok: bool) -> None:
        """Note that an admitted call ended; `ok` lets a restart go on faster."""
        self._in_flight -= 1
        if self.rate is not None:
            self._ended.append(self._clock.monotonic())
        if self._allowed is not None and ok:
            # One more for each answer doubles the calls at once from one round to the next.
            self._allowed = self._allowed + 1 if self._allowed < _FULL_SPEED else None
        self._changed.set()

    def withdraw(self) -> None:
        """Give back the permit of an admitted call that was never made."""
        self._in_flight -= 1
        self._changed.set()

    def tighten(self, rate: Rate) -> None:
        """Take the stricter of two limits that adapters of one account were given."""
        if self.rate is None or rate.count / rate.per < self.rate.count / self.rate.per:
            self.rate = rate

    def pause(self, seconds: float) -> None:
        """Keep every call of this account from starting for some seconds, then restart gently."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)
        self._allowed = 1

    def pause_until_window_moves(self) -> None:
        """Wait for our oldest call to leave the window, which the gateway says is used up."""
        if self.rate is not None and self._ended:
            self.pause(max(0.0, self._ended[0] + self.rate.per - self._clock.monotonic()))

    def remaining_pause(self) -> float:
        """Return how many seconds of a pause are left."""
        return max(0.0, self._resume_at - self._clock.monotonic())

    def _delay(self) -> float | None:
        """Seconds until the next call may start; `None`: when another call has ended."""
        if self._resume_at:
            pause = self.remaining_pause()
            if pause > 0:
                return pause
            self._resume_at = 0.0
        if self._allowed is not None and self._in_flight >= self._allowed:
            return None
        if self.rate is None:
            return 0
        now = self._clock.monotonic()
        while self._ended and self._ended[0] + self.rate.per <= now:
            self._ended.popleft()
        if self._in_flight + len(self._ended) < self.rate.count:
            return 0
        return self._ended[0] + self.rate.per - now if self._ended else None
