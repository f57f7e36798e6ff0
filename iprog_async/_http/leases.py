"""One process's part in the limits that all processes of an account share.

The calls themselves stay in memory: a task of this process reports what ended and asks for what
is wanted, many calls at a time, so that no call costs a statement. Where the store can't be used,
each process goes by the account's limits alone: several together may then exceed them, which the
gateway answers with 429, and texts nobody twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from iprog_async._core.clock import Clock
from iprog_async._core.rates import Rate
from iprog_async._http.back_off import BackOff
from iprog_async._limits.account import OWNER_TTL, Reply, Report
from iprog_async._limits.store import LimitStoreError


logger = logging.getLogger("iprog_async")

Exchange = Callable[[Report], Awaitable[Reply]]

# How often a busy process reports, in seconds: this late it learns of a pause.
_BEAT = 0.2
# A process that waits longer than that reports all the same, so that it does not count as gone.
_LONGEST_WAIT = OWNER_TTL / 5
# A permit that was not used by then is void: the others may take us for gone soon.
_USE_WITHIN = OWNER_TTL / 2
# Between two reports: a fraction of the window, within bounds.
_PER_WINDOW = 100
_SHORTEST_GAP, _LONGEST_GAP = 0.002, 0.05
# Real seconds, for an answer of the store.
_ANSWER_WITHIN = 5.0
_BACK_OFF = BackOff(1.0, 30.0)


class Calls(Protocol):
    """What is known of an account's calls in this process."""

    rate: Rate | None

    @property
    def in_flight(self) -> int:
        """Number of admitted calls that have not ended."""
        ...

    @property
    def queued(self) -> int:
        """Number of calls that wait to be admitted."""
        ...

    def obey(self, pause: float) -> None:
        """Let the calls that wait look again, after a pause if there is one."""
        ...


class Leases:
    """Permits of one account that this process has been given.

    Args:
        owner: Names this process.
        exchange: Reports to the store.
        calls: The calls of this process.
        clock: What tells the time and waits.
    """

    def __init__(self, owner: str, exchange: Exchange, calls: Calls, clock: Clock) -> None:
        self._owner = owner
        self._exchange = exchange
        self._calls = calls
        self._clock = clock
        self._available = 0
        self._leased_at = 0.0
        self._held = 0
        self._taken = 0
        self._active = False
        self._ended: list[tuple[float, int]] = []
        self._succeeded = 0
        self._pause_until = 0.0
        self._reply = Reply()
        self._refused = False
        self._retry_in = 0.0
        self._failures = 0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def governs(self) -> bool:
        """Whether each call needs a permit; without the store the process is on its own."""
        return not self._retry_in and (self._calls.rate is not None or self._reply.restarting)

    @property
    def has_permit(self) -> bool:
        """Whether there is a permit for one more call; if not, one is asked for."""
        if self._available and self._clock.monotonic() - self._leased_at < _USE_WITHIN:
            return True
        self._available = 0
        return False

    def ask(self) -> None:
        """Note that a call waits for a permit."""
        if not self._refused:
            self._wake.set()
        self._start()

    def take(self) -> None:
        """Note that a call is admitted."""
        self._active = True
        if self._available:
            self._available -= 1
        self._taken += 1
        if self._task is None:
            self._start()

    def give_back(self) -> None:
        """Note that an admitted call was never made."""
        if self.governs:
            self._available += 1

    def note_end(self, *, ok: bool) -> None:
        """Note that a call ended."""
        self._succeeded += ok
        if self._calls.rate is not None:
            self._note_end(self._clock.monotonic())
        if self._reply.restarting:
            self._wake.set()
        if self._task is None:
            self._start()

    def adopt(self, ended: Iterable[float], pause_until: float) -> None:
        """Note what this process did on its own, before the limits were shared.

        Args:
            ended: When its calls ended.
            pause_until: Until when the gateway wants to be left alone.
        """
        self._ended += [(time, 1) for time in ended]
        self._pause_until = max(self._pause_until, pause_until)

    def _note_end(self, now: float) -> None:
        if self._ended and now - self._ended[-1][0] < _SHORTEST_GAP:
            # Together with those just before; counted from now, which is the safe side.
            self._ended[-1] = now, self._ended[-1][1] + 1
        else:
            self._ended.append((now, 1))

    def pause(self, seconds: float) -> None:
        """Tell all processes that the gateway wants to be left alone."""
        self._pause_until = max(self._pause_until, self._clock.monotonic() + seconds)
        self._wake.set()
        self._start()

    def _start(self) -> None:
        if self._task is None and not self._closed:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        """Report for as long as there is something to report."""
        try:
            delay: float | None = 0.0
            while delay is not None:
                started = self._clock.monotonic()
                self._wake.clear()
                await self._report()
                delay = self._delay()
                if delay is not None:
                    await self._sleep(delay)
                    await self._keep_gap(started)
        finally:
            self._task = None

    def _delay(self) -> float | None:
        """Return in how many seconds to report again, if nothing happens; `None`: never."""
        if self._closed:
            return None
        calls, active = self._calls, self._active
        self._active = False
        if self._retry_in:
            return self._retry_in if calls.queued or calls.in_flight or active else None
        if calls.queued:
            wait = self._reply.wait if self._refused else None
            return _BEAT if wait is None else min(_LONGEST_WAIT, wait)
        if calls.in_flight or active or self._available or self._ended or self._succeeded:
            return _BEAT
        return None

    async def _sleep(self, seconds: float) -> None:
        """Wait so long, or until something happens."""
        waits = asyncio.ensure_future(self._clock.sleep(seconds))
        happens = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait((waits, happens), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waits.cancel()
            happens.cancel()

    async def _keep_gap(self, started: float) -> None:
        rate = self._calls.rate
        gap = _SHORTEST_GAP
        if rate is not None:
            gap = min(max(rate.per / _PER_WINDOW, gap), _LONGEST_GAP)
        left = started + gap - self._clock.monotonic()
        if left > 0 and not self._closed:
            await self._clock.sleep(left)

    async def _report(self) -> None:
        report = self._make_report()
        ended, self._ended = self._ended, []
        succeeded, self._succeeded = self._succeeded, 0
        pause_until, self._pause_until = self._pause_until, 0.0
        self._taken = 0
        asked_at = self._clock.monotonic()
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                reply = await self._exchange(report)
        except Exception as exc:
            # Whether it was taken is unknown; told twice, it only makes everybody more careful.
            self._ended = self._recent(ended + self._ended)
            self._succeeded += succeeded
            self._pause_until = max(pause_until, self._pause_until)
            self._be_alone(exc)
        else:
            self._take_in(report, reply, asked_at)
        self._calls.obey(self._reply.pause)

    def _recent(self, ended: Iterable[tuple[float, int]]) -> list[tuple[float, int]]:
        """Return those ends that still count: the store may be away for days."""
        rate = self._calls.rate
        if rate is None:
            return []
        now = self._clock.monotonic()
        return [end for end in ended if end[0] > now - rate.per]

    def _make_report(self) -> Report:
        calls = self._calls
        now = self._clock.monotonic()
        # What is likely to be wanted before the next report, as much as since the last one.
        wanted = calls.queued + (self._taken if calls.rate is not None else 0)
        governs = self.governs
        self._available = min(self._available, wanted)
        return Report(
            owner=self._owner,
            rate=calls.rate,
            held=self._available + (calls.in_flight if governs else 0),
            wanted=max(0, wanted - self._available) if governs else 0,
            ended=tuple((max(0.0, now - time), count) for time, count in self._ended),
            succeeded=self._succeeded,
            pause=max(0.0, self._pause_until - now),
        )

    def _take_in(self, report: Report, reply: Reply, asked_at: float) -> None:
        if self._retry_in:
            logger.info("the limits that processes share can be reached again")
        self._failures, self._retry_in = 0, 0.0
        self._available += reply.granted
        self._leased_at = asked_at
        self._held = report.held + reply.granted
        self._refused = reply.granted < report.wanted
        self._reply = reply

    def _be_alone(self, exc: Exception) -> None:
        if not self._retry_in:
            reason = str(exc) if isinstance(exc, LimitStoreError) else type(exc).__name__
            logger.warning(
                "the limits that processes share can't be reached (%s); until they can, each "
                "process goes by the account's limits alone, and several may exceed them together",
                reason,
            )
        self._failures += 1
        self._retry_in = _BACK_OFF.longest_wait(self._failures)
        self._available = 0
        self._refused = False
        self._reply = Reply()

    async def aclose(self) -> None:
        """Stop, and give back what is left."""
        self._closed = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if (self._ended or self._held) and not self._retry_in:
            self._available = 0
            await self._report()
