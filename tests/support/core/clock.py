"""Virtual time that passes in order, however many tasks sleep."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from iprog_async.testing import InstantClock


T = TypeVar("T")

_START = datetime(2026, 1, 1, tzinfo=UTC)
# More than any chain of tasks that wake one another in these tests.
_ROUNDS = 30


def soon(seconds: float, clock: InstantClock | None = None) -> datetime:
    """Return a time so many seconds after what a clock says, or after where clocks begin."""
    return (clock or InstantClock()).now() + timedelta(seconds=seconds)


async def settle() -> None:
    """Let every task go on until all of them wait; on a busy machine, too, unlike a short sleep."""
    for _ in range(_ROUNDS):
        await asyncio.sleep(0)


class VirtualClock:
    """A clock whose sleepers wake one after another, in order of time."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def monotonic(self) -> float:
        """Return the virtual seconds since the start."""
        return self._now

    def now(self) -> datetime:
        """Return the virtual wall time."""
        return _START + timedelta(seconds=self._now)

    async def sleep(self, seconds: float) -> None:
        """Wait until `run` has brought the clock there."""
        wakes = asyncio.Event()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), wakes))
        await wakes.wait()

    async def settle(self) -> None:
        """Let every task go on until all of them wait."""
        await settle()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let virtual time pass until the work is done."""
        task = asyncio.create_task(work)
        await self.settle()
        while not task.done():
            await self._wake_next()
        return task.result()

    async def pass_time(self, seconds: float) -> None:
        """Let some virtual time pass, and whoever wakes in it go on."""
        await self.settle()
        ends = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= ends:
            await self._wake_next()
        self._now = ends

    async def _wake_next(self) -> None:
        time, _, wakes = heapq.heappop(self._sleepers)
        self._now = max(self._now, time)
        wakes.set()
        await self.settle()

    def jump(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as while a process is stopped."""
        self._now += seconds


class FastClock:
    """Real time, but so many times as fast: for real sockets, which no virtual time drives.

    Args:
        times: How many of its seconds pass in a real one.
    """

    def __init__(self, times: float) -> None:
        self._times = times
        self.sleeps: list[float] = []

    def monotonic(self) -> float:
        """Return the seconds since some point in the past."""
        return time.monotonic() * self._times

    def now(self) -> datetime:
        """Return the wall time, as it is."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait a fraction of the time."""
        self.sleeps.append(seconds)
        await asyncio.sleep(seconds / self._times)
