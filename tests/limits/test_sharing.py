"""Processes that share an account's limits: as one, they stay within them."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from typing import TypeVar

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from support.core.clock import VirtualClock
from support.limits.sharing import sharing

from iprog_async import Rate
from iprog_async._http.throttle import Throttle
from iprog_async._limits.store import Decide, MemoryStore


R = TypeVar("R")


@frozen
class Span:
    """From when to when a call was under way: the gateway saw it somewhere in between."""

    start: float
    end: float


async def play(
    throttles: list[Throttle], clock: VirtualClock, calls: list[tuple[int, int, int]]
) -> list[Span]:
    """Make calls at a process each, that arrive after so many seconds and take so many."""
    spans: list[Span] = []

    async def one(process: int, arrival: int, duration: int) -> None:
        await clock.sleep(arrival)
        throttle = throttles[process % len(throttles)]
        await throttle.admit()
        started = clock.monotonic()
        await clock.sleep(duration)
        throttle.finish(ok=True)
        spans.append(Span(started, clock.monotonic()))

    await asyncio.gather(*(one(*call) for call in calls))
    return spans


def fullest(spans: list[Span], per: float) -> int:
    """Return the most calls that a gateway may have seen in one window."""
    # A fullest window begins with the end of some call.
    starts, ends = sorted(s.start for s in spans), sorted(s.end for s in spans)
    return max(bisect_left(starts, end + per) - bisect_left(ends, end) for end in ends)


@pytest.mark.slow
@given(
    st.integers(2, 4),
    st.integers(1, 4),
    st.integers(1, 10),
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 20), st.integers(0, 15)),
        min_size=1,
        max_size=20,
    ),
)
async def test_no_window_sees_more_than_the_rate(
    processes: int, count: int, per: int, calls: list[tuple[int, int, int]]
) -> None:
    """Wherever between start and end a gateway counts a call, no window has too many."""
    clock = VirtualClock()
    store = MemoryStore(clock.monotonic)
    throttles = sharing(processes, Rate(count, per), clock, lambda: store)

    spans = await clock.run(play(throttles, clock, calls))

    assert fullest(spans, per) <= count
    assert len(calls) == len(spans)


class FarStore(MemoryStore):
    """A store that is so many seconds away: a state is locked while its change is on its way."""

    def __init__(self, clock: VirtualClock, seconds: float) -> None:
        super().__init__(clock.monotonic)
        self._clock, self._seconds = clock, seconds
        self._turn = asyncio.Lock()

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it."""
        await self._clock.sleep(self._seconds / 2)
        async with self._turn:
            answer = await super().change(name, decide)
            await self._clock.sleep(self._seconds)
        await self._clock.sleep(self._seconds / 2)
        return answer


@pytest.mark.slow
@pytest.mark.parametrize(("count", "away", "seconds"), [(1000, 0.0, 3), (200, 0.005, 2)])
async def test_a_high_rate_is_used_nearly_whole(count: int, away: float, seconds: int) -> None:
    """Four processes that have always something to send use most of a high rate."""
    clock = VirtualClock()
    store = FarStore(clock, away) if away else MemoryStore(clock.monotonic)
    throttles = sharing(4, Rate(count, 1), clock, lambda: store)
    spans: list[Span] = []

    async def worker(throttle: Throttle) -> None:
        while clock.monotonic() < seconds:
            await throttle.admit()
            started = clock.monotonic()
            await clock.sleep(0.005)
            throttle.finish(ok=True)
            spans.append(Span(started, clock.monotonic()))

    async def all_workers() -> None:
        await asyncio.gather(*(worker(throttle) for throttle in throttles for _ in range(20)))

    await clock.run(all_workers())

    assert fullest(spans, 1) <= count
    assert 0.95 * seconds * count <= len(spans)
