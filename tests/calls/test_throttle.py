from __future__ import annotations

import asyncio
import math

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from support.core.clock import VirtualClock

from iprog_async import Rate
from iprog_async._http.throttle import Throttle


@frozen
class Span:
    """From when to when a call was under way: the gateway saw it somewhere in between."""

    start: float
    end: float


async def play(throttle: Throttle, clock: VirtualClock, calls: list[tuple[int, int]]) -> list[Span]:
    """Make calls that arrive after so many seconds and take so many."""
    spans: list[Span] = []

    async def one(arrival: int, duration: int) -> None:
        await clock.sleep(arrival)
        await throttle.admit()
        started = clock.monotonic()
        await clock.sleep(duration)
        throttle.finish(ok=True)
        spans.append(Span(started, clock.monotonic()))

    await asyncio.gather(*(one(*call) for call in calls))
    return spans


@given(
    st.integers(1, 4),
    st.integers(1, 10),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 15)), min_size=1, max_size=20),
)
async def test_no_window_sees_more_than_the_rate(
    count: int, per: int, calls: list[tuple[int, int]]
) -> None:
    """Wherever between start and end a gateway counts a call, no window has too many."""
    clock = VirtualClock()

    spans = await clock.run(play(Throttle(Rate(count, per), clock), clock, calls))

    # A fullest window begins with the end of some call.
    for edge in spans:
        seen = [s for s in spans if s.end >= edge.end and s.start < edge.end + per]
        assert len(seen) <= count
    assert len(calls) == len(spans)


async def test_calls_are_admitted_first_come_first_served() -> None:
    """Who comes while others wait goes to the end of the queue, at whatever moment."""
    clock = VirtualClock()
    throttle = Throttle(Rate(1, 10), clock)
    order: list[int] = []

    async def one(number: int) -> None:
        await throttle.admit()
        order.append(number)
        throttle.finish(ok=True)

    async def all_of_them() -> None:
        await asyncio.gather(*map(one, range(5)))

    await clock.run(all_of_them())

    assert [0, 1, 2, 3, 4] == order
    assert 40 == clock.monotonic()


async def test_newcomer_does_not_overtake_the_one_who_is_being_woken() -> None:
    """Between release of the turn and its next owner, nobody slips in."""
    clock = VirtualClock()
    throttle = Throttle(None, clock)
    throttle.pause(5)
    order: list[str] = []

    async def one(name: str) -> None:
        await throttle.admit()
        order.append(name)
        throttle.finish(ok=True)
        if name == "first":
            await one("newcomer")

    async def both() -> None:
        await asyncio.gather(one("first"), one("second"))

    await clock.run(both())

    assert ["first", "second", "newcomer"] == order


async def test_without_rate_nobody_waits() -> None:
    """`None` is no limit."""
    clock = VirtualClock()
    throttle = Throttle(None, clock)

    for _ in range(500):
        await throttle.admit()

    assert 0 == clock.monotonic()


async def test_pause_holds_everybody_and_restarts_gently() -> None:
    """After a pause one call goes ahead, then two, four, …, until answers flow again."""
    clock = VirtualClock()
    throttle = Throttle(None, clock)
    starts: dict[float, int] = {}

    async def one() -> None:
        await throttle.admit()
        starts[clock.monotonic()] = starts.get(clock.monotonic(), 0) + 1
        await clock.sleep(1)
        throttle.finish(ok=True)

    async def many() -> None:
        throttle.pause(5)
        throttle.pause(2)
        await asyncio.gather(*(one() for _ in range(200)))

    await clock.run(many())

    assert {5: 1, 6: 2, 7: 4, 8: 8, 9: 16, 10: 32, 11: 64, 12: 73} == starts


async def test_restart_stays_slow_while_nothing_answers() -> None:
    """A call that failed proves nothing about the gateway's patience."""
    clock = VirtualClock()
    throttle = Throttle(None, clock)
    throttle.pause(1)
    starts: list[float] = []

    async def one() -> None:
        await throttle.admit()
        starts.append(clock.monotonic())
        await clock.sleep(1)
        throttle.finish(ok=False)

    async def many() -> None:
        await asyncio.gather(*(one() for _ in range(4)))

    await clock.run(many())

    assert [1, 2, 3, 4] == starts


async def test_remaining_pause_counts_down() -> None:
    """What is left of a pause can be asked for."""
    clock = VirtualClock()
    throttle = Throttle(None, clock)
    assert 0 == throttle.remaining_pause()

    throttle.pause(5)
    await clock.pass_time(2)

    assert 3 == throttle.remaining_pause()


async def test_withdrawn_call_makes_room_at_once() -> None:
    """A permit that was not used does not wait for the window to pass."""
    clock = VirtualClock()
    throttle = Throttle(Rate(1, 60), clock)
    await throttle.admit()
    waiting = asyncio.create_task(throttle.admit())
    await clock.settle()
    assert not waiting.done()

    throttle.withdraw()
    await waiting

    assert 0 == clock.monotonic()


@pytest.mark.parametrize("waits_for", ["clock", "turn", "change"])
async def test_cancelled_wait_leaks_nothing(waits_for: str) -> None:
    """Whoever is cancelled in the queue leaves neither a permit nor a turn behind."""
    clock = VirtualClock()
    throttle = Throttle(Rate(1, 10), clock)
    await throttle.admit()
    if waits_for != "change":
        throttle.finish(ok=True)
    first = asyncio.create_task(throttle.admit())
    second = asyncio.create_task(throttle.admit())
    await clock.settle()

    cancelled = second if waits_for == "turn" else first
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    if waits_for == "change":
        throttle.finish(ok=True)
    await clock.pass_time(10)

    other = first if waits_for == "turn" else second
    assert other.done()
    assert not other.cancelled()
    throttle.finish(ok=True)
    await clock.run(throttle.admit())
    assert 20 == clock.monotonic()


@pytest.mark.parametrize(
    ("patience", "admitted"), [(0, False), (29, False), (31, True), (math.inf, True)]
)
@pytest.mark.parametrize("shared", [False, True])
async def test_a_pause_is_told_to_those_in_line(
    patience: float, admitted: bool, shared: bool
) -> None:
    """Whoever waits for no such pause leaves as it begins, though others before it wait on."""
    clock = VirtualClock()
    throttle = Throttle(Rate(1, 10), clock)
    await throttle.admit()
    throttle.finish(ok=True)
    ahead = asyncio.create_task(throttle.admit())
    behind = asyncio.create_task(throttle.admit(patience))
    last = asyncio.create_task(throttle.admit())
    await clock.settle()

    hold_back = throttle.obey if shared else throttle.pause
    hold_back(30)
    await clock.settle()

    assert [False, not admitted, False] == [task.done() for task in (ahead, behind, last)]
    assert (2 + admitted) == throttle.queued
    for task in (ahead, behind, last) if admitted else (ahead, last):
        await clock.pass_time(40)
        assert task.done()
        throttle.finish(ok=True)
    assert (True, admitted, True) == (await ahead, await behind, await last)


async def test_stricter_of_two_rates_wins() -> None:
    """Adapters of one account may disagree; the slower one is obeyed."""
    throttle = Throttle(Rate(60, 60), VirtualClock())

    throttle.tighten(Rate(100, 60))
    assert Rate(60, 60) == throttle.rate
    throttle.tighten(Rate(10, 60))
    assert Rate(10, 60) == throttle.rate


async def test_used_up_window_pauses_until_it_moves() -> None:
    """When the gateway says that nothing is left, we wait for our oldest call to leave."""
    clock = VirtualClock()
    throttle = Throttle(Rate(5, 10), clock)
    await throttle.admit()
    throttle.finish(ok=True)
    await clock.pass_time(4)

    throttle.pause_until_window_moves()

    assert 6 == throttle.remaining_pause()


async def test_used_up_window_is_waited_for_by_whoever_waits_at_all() -> None:
    """The gateway asked for no pause, so only calls that wait for none are turned away."""
    clock = VirtualClock()
    throttle = Throttle(Rate(5, 10), clock)
    await throttle.admit()
    throttle.finish(ok=True)
    throttle.pause_until_window_moves()

    assert (10, 0) == (throttle.remaining_pause(), throttle.told_pause())
    assert not await throttle.admit(longest_pause=0)
    assert await clock.run(throttle.admit(longest_pause=1))
    assert 10 == clock.monotonic()


@pytest.mark.parametrize(("shared", "told"), [(10.0, 0), (11.0, 0), (12.0, 12)])
async def test_a_shared_pause_longer_than_the_window_was_told(shared: float, told: float) -> None:
    """What other processes share may be a used-up window of theirs, unless it is longer."""
    throttle = Throttle(Rate(5, 10), VirtualClock())

    throttle.obey(shared)

    assert (shared, told) == (throttle.remaining_pause(), throttle.told_pause())


async def test_used_up_window_without_a_rate_says_nothing() -> None:
    """Without a known window there is nothing to wait for."""
    throttle = Throttle(None, VirtualClock())

    throttle.pause_until_window_moves()

    assert 0 == throttle.remaining_pause()
