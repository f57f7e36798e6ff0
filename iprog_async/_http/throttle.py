"""Rate limiter of one account at a gateway: an exact window, shared pauses, a gradual restart.

Beside what was configured it follows what the gateway shows: `Retry-After`, the number of calls
that are left, and how long its answers take.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping

from iprog_async._core.clock import Clock
from iprog_async._core.rates import Rate
from iprog_async._http.adaptive_limit import AdaptiveLimit
from iprog_async._http.leases import Leases
from iprog_async._http.queues import TurnQueue
from iprog_async._http.retry_after import until_calls_are_left, until_reset
from iprog_async._limits.account import FULL_SPEED


# The window of a gateway that tells how many calls are left, and nobody told us the rate.
_USUAL_WINDOW = 60.0
SHARED_LONGER_BY = 1.0
"""Seconds: no more is added to a pause on its way through the limits that processes share."""
# In digits; a longer one is no count, and could be too long for `int`.
_LONGEST_COUNT = 10


class Throttle:
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
        self._adaptive_limit = AdaptiveLimit()
        self._ended: deque[float] = deque()
        self._left: int | None = None
        self._left_until = 0.0
        self._in_flight = 0
        self._resume_at = 0.0
        # Until when the gateway asked for it; it may be asked again before, at `_resume_at`.
        self._told_until = 0.0
        self._allowed: int | None = None
        self._line = TurnQueue()
        self._changed = asyncio.Event()
        self._leases: Leases | None = None

    def share(self, leases: Leases) -> None:
        """Go by the limits that all processes of the account share, as far as they are known.

        Calls that ended before, within the window, and a pause count for all from now on.
        """
        self._forget(self._clock.monotonic())
        leases.adopt(self._ended if self.rate is not None else (), self._resume_at)
        self._leases = leases

    @property
    def in_flight(self) -> int:
        """Number of admitted calls that have not ended."""
        return self._in_flight

    @property
    def queued(self) -> int:
        """Number of calls that wait to be admitted."""
        return len(self._line)

    async def admit(self, longest_pause: float = math.inf) -> bool:
        """Wait until one more call may start; each admitted call must be `finish`ed.

        Args:
            longest_pause: The longest pause that the gateway asked for and the call waits out,
                in seconds. For 0 it waits for no used-up window either.

        Returns:
            Whether the call is admitted: not if there is a longer pause.
        """
        if self.admit_at_once():
            return True
        # Asked before it stands in line, and again while it does: others may wait out what it
        # does not.
        if self._is_paused_too_long(longest_pause) or not await self._line.enter(longest_pause):
            return False
        try:
            admitted = await self._wait(longest_pause)
            if admitted:
                self._begin()
            return admitted
        finally:
            self._line.leave()

    def admit_at_once(self) -> bool:
        """Admit one more call if it need not wait; return whether it is admitted."""
        if self._line or self._delay() != 0:
            return False
        self._begin()
        return True

    def _begin(self) -> None:
        self._in_flight += 1
        if self._leases is not None:
            self._leases.take()

    async def _wait(self, longest_pause: float) -> bool:
        while (delay := self._delay()) != 0:
            if self._is_paused_too_long(longest_pause):
                return False
            self._changed.clear()
            if delay is None:
                if self._leases is not None:
                    self._leases.ask()
                await self._changed.wait()
            else:
                await self._clock.sleep(delay)
        return True

    def _is_paused_too_long(self, longest_pause: float) -> bool:
        """Return whether there is a pause, and a longer one than a call waits out."""
        pause = self.remaining_pause()
        if pause > 0 and longest_pause:
            # What nobody gave a time for is waited out by whoever waits at all.
            pause = self.told_pause()
        return pause > longest_pause

    def finish(self, *, ok: bool) -> None:
        """Note that an admitted call ended; `ok` lets a restart go on faster."""
        self._in_flight -= 1
        if self.rate is not None or self._left is not None:
            self._note_end()
        if self._allowed is not None and ok:
            # One more for each answer doubles the calls at once from one round to the next.
            self._allowed = self._allowed + 1 if self._allowed < FULL_SPEED else None
            if not self.remaining_pause():
                # Whatever the gateway asked for, it works again.
                self._told_until = 0.0
        if self._leases is not None:
            self._leases.note_end(ok=ok)
        self._changed.set()

    def note_latency(self, seconds: float, at_once: int) -> None:
        """Note how long an answer took; many that come late lower the number of calls at once.

        Args:
            seconds: From getting a connection slot to the answer, or to the time-out.
            at_once: How many requests were under way.
        """
        in_flight = self._in_flight
        self._adaptive_limit.note(seconds, at_once if at_once < in_flight else in_flight)

    def note_answer(self, status: int, headers: Mapping[str, str]) -> None:
        """Note what an answer tells of how many calls are left, or that it tells nothing.

        Args:
            status: Its HTTP status.
            headers: Its header fields, names in lower case.
        """
        remaining = headers.get("x-ratelimit-remaining")
        if remaining is not None:
            self._note_remaining(remaining, headers)
        elif self._left is not None and status < 400:
            # An error may be another server's, in front of the gateway.
            self._forget_remaining()

    def _note_remaining(self, remaining: str, headers: Mapping[str, str]) -> None:
        """Note how many calls a gateway says are left: no more of them are made at once.

        Args:
            remaining: Its `X-RateLimit-Remaining`.
            headers: What may say until when that goes; if not, it goes for a window's length.
        """
        left = _count(remaining)
        if left is None:
            return
        if self._left is None and self.rate is None:
            # From now on the ends of calls are kept; this answer's call ended a moment ago.
            self._note_end()
        self._left = left
        read = until_reset if left else until_calls_are_left
        seconds = read(headers, self._clock.now)
        self._left_until = self._clock.monotonic() + (self._window if seconds is None else seconds)
        if left == 0 and seconds is None:
            self.pause_until_window_moves()
        elif left == 0 and seconds:
            self.pause(seconds)

    def _forget_remaining(self) -> None:
        """Note an answer that does not tell how many calls are left: what others told is over."""
        self._left = None
        if self.rate is None:
            self._ended.clear()
        self._changed.set()

    def withdraw(self) -> None:
        """Give back the permit of an admitted call that was never made."""
        self._in_flight -= 1
        if self._leases is not None:
            self._leases.give_back()
        self._changed.set()

    def tighten(self, rate: Rate) -> None:
        """Take the stricter of two limits that adapters of one account were given."""
        if self.rate is None or rate.count / rate.per < self.rate.count / self.rate.per:
            self.rate = rate

    def pause(self, seconds: float, most: float = math.inf) -> None:
        """Keep every call of this account from starting for as long as the gateway asked.

        Args:
            seconds: How long that is.
            most: After so many seconds one call may ask again: a gateway can mean one number or
                one kind of call, and ask for any time.
        """
        until = self._clock.monotonic() + seconds
        # To who asks again once it may, the gateway says anew how long it takes.
        self._told_until = max(self._told_until, until) if self.remaining_pause() else until
        self._hold_back(min(seconds, most))

    def _hold_back(self, seconds: float) -> None:
        """Let no call start for some seconds, in no process, then restart gently."""
        self._resume_at = max(self._resume_at, self._clock.monotonic() + seconds)
        self._allowed = 1
        self._line.send_away(self._is_paused_too_long)
        if self._leases is not None:
            self._leases.pause(seconds)

    def obey(self, pause: float) -> None:
        """Take over the pause that all processes share, if there is one; calls look again."""
        if pause > 0:
            until = self._clock.monotonic() + pause
            self._resume_at = max(self._resume_at, until)
            self._allowed = 1
            if pause > self._window + SHARED_LONGER_BY:
                # A shorter one may be a window that is used up, for which nobody gave a time.
                self._told_until = max(self._told_until, until)
            self._line.send_away(self._is_paused_too_long)
        self._changed.set()

    async def aclose(self) -> None:
        """Give back to other processes what is left of the shared limits."""
        if self._leases is not None:
            await self._leases.aclose()

    def pause_until_window_moves(self) -> None:
        """Wait for our oldest call to leave the window, which the gateway says is used up."""
        now = self._clock.monotonic()
        self._forget(now)
        if self._ended:
            self._hold_back(self._ended[0] + self._window - now)

    def told_pause(self) -> float:
        """Return how many seconds are left of a pause that the gateway asked for."""
        return max(0.0, self._told_until - self._clock.monotonic())

    def remaining_pause(self) -> float:
        """Return how many seconds are left of a pause, or until a used-up window moves."""
        # Most accounts are never paused.
        return max(0.0, self._resume_at - self._clock.monotonic()) if self._resume_at else 0.0

    def holds_back(self) -> bool:
        """Return whether a call that was admitted some time ago should wait after all."""
        return self._is_too_many(self._in_flight) or self.remaining_pause() > 0

    def _is_too_many(self, calls: int) -> bool:
        """Return whether so many calls at once are more than the gateway takes now."""
        ceiling = self._adaptive_limit.limit
        return (
            (self._allowed is not None and calls > self._allowed)
            or (ceiling is not None and calls > ceiling)
            or self._is_beyond_remaining(calls)
        )

    def _is_beyond_remaining(self, calls: int) -> bool:
        # With none left a pause was asked for; after it one call shows whether it is over.
        if self._left is None or calls <= max(1, self._left):
            return False
        # Of a window that is over, it says nothing about the next one.
        return self._clock.monotonic() < self._left_until

    @property
    def _window(self) -> float:
        return _USUAL_WINDOW if self.rate is None else self.rate.per

    def _note_end(self) -> None:
        now = self._clock.monotonic()
        self._ended.append(now)
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0] + self._window <= now:
            self._ended.popleft()

    def _delay(self) -> float | None:
        """Seconds until the next call may start; `None`: when another call has ended."""
        if self._resume_at:
            pause = self.remaining_pause()
            if pause > 0:
                return pause
            self._resume_at = 0.0
        if self._is_too_many(self._in_flight + 1):
            return None
        if self._leases is not None and self._leases.governs:
            return 0 if self._leases.has_permit else None
        if self.rate is None:
            return 0
        now = self._clock.monotonic()
        self._forget(now)
        if self._in_flight + len(self._ended) < self.rate.count:
            return 0
        return self._ended[0] + self.rate.per - now if self._ended else None


def _count(text: str) -> int | None:
    """Return a number that a gateway wrote, or `None` if it is none."""
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_COUNT else None
