"""One process among others: what it learns from them, and what it does without them."""

from __future__ import annotations

import asyncio
from itertools import chain

import pytest
from support.core.clock import VirtualClock
from support.limits.sharing import ACCOUNT, sharing

from iprog_async import Rate
from iprog_async._http.leases import Leases
from iprog_async._http.throttle import Throttle
from iprog_async._limits.account import Reply, Report
from iprog_async._limits.shared import SharedLimits
from iprog_async._limits.store import Decide, LimitStoreError, MemoryStore, R


class FlakyStore(MemoryStore):
    """A store that can be switched off."""

    working = True
    asked = 0

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Do it, or fail."""
        self.asked += 1
        if not self.working:
            raise LimitStoreError("it is away")
        return await super().change(name, decide)


async def call(throttle: Throttle, clock: VirtualClock, seconds: float = 0.01) -> float:
    """Make a call; return when it started."""
    await throttle.admit()
    started = clock.monotonic()
    await clock.sleep(seconds)
    throttle.finish(ok=True)
    return started


async def calls(throttle: Throttle, clock: VirtualClock, count: int) -> list[float]:
    """Make so many calls at once; return when they started."""
    return sorted(await asyncio.gather(*(call(throttle, clock) for _ in range(count))))


async def test_without_a_rate_no_call_waits_for_the_store() -> None:
    """A call starts at once, and the store is asked about the account beside it."""
    clock = VirtualClock()
    store = FlakyStore(clock.monotonic)
    (throttle,) = sharing(1, None, clock, lambda: store)

    assert [0.0] * 500 == await clock.run(calls(throttle, clock, 500))
    await clock.pass_time(10)

    assert store.asked < 10


async def test_a_process_with_nothing_to_tell_is_silent() -> None:
    """Once its calls have ended and are told, it asks no more."""
    clock = VirtualClock()
    store = FlakyStore(clock.monotonic)
    (throttle,) = sharing(1, Rate(10, 1), clock, lambda: store)
    await clock.run(calls(throttle, clock, 3))
    await clock.pass_time(5)
    asked = store.asked

    await clock.pass_time(3600)

    assert asked == store.asked


@pytest.mark.parametrize("rate", [None, Rate(100, 1), Rate(1000, 1)])
async def test_a_pause_that_one_process_is_told_holds_for_all(rate: Rate | None) -> None:
    """Calls of other processes start after it, and one of all comes first."""
    clock = VirtualClock()
    store = MemoryStore(clock.monotonic)
    throttles = sharing(4, rate, clock, lambda: store)
    for throttle in throttles:
        await clock.run(call(throttle, clock))
    throttles[0].pause(3.0)
    ends = clock.monotonic() + 3.0
    for throttle in throttles:
        # It keeps them in step, as a busy process is.
        await clock.pass_time(0.25)
        await throttle.admit(longest_pause=0)

    async def all_of_them() -> list[float]:
        found = await asyncio.gather(*(calls(throttle, clock, 5) for throttle in throttles))
        return sorted(chain.from_iterable(found))

    started = await clock.run(all_of_them())

    assert 20 == len(started)
    assert ends <= started[0]
    assert started[0] + 0.01 <= started[1]


async def test_without_the_store_a_process_goes_by_the_limits_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its calls are made, within the account's rate, and one warning says what that means."""
    clock = VirtualClock()
    store = FlakyStore(clock.monotonic)
    store.working = False
    (throttle,) = sharing(1, Rate(5, 10), clock, lambda: store)

    started = await clock.run(calls(throttle, clock, 15))
    await clock.pass_time(60)

    assert [0] * 5 + [10] * 5 + [20] * 5 == [int(start) for start in started]
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "it is away" in warning.getMessage()
    assert "several may exceed them together" in warning.getMessage()


async def test_what_ended_long_ago_is_not_kept_for_a_store_that_is_away() -> None:
    """However long it is away, a report tells of the calls since the one before, and no others."""
    clock = VirtualClock()
    told: list[int] = []

    async def away(report: Report) -> Reply:
        told.append(sum(count for _, count in report.ended))
        raise LimitStoreError("it is away")

    rate = Rate(5, 1)
    throttle = Throttle(rate, clock)
    throttle.share(Leases("me", away, throttle, clock))
    await clock.run(calls(throttle, clock, 500))
    # There are thirty seconds at most between two reports.
    assert 0 < max(told) <= rate.count * (30 + 2)


async def test_any_error_of_a_store_leaves_the_process_on_its_own() -> None:
    """A bug there never keeps a text waiting for ever."""

    class Broken(MemoryStore):
        async def change(self, name: bytes, decide: Decide[R]) -> R:
            raise RuntimeError(name, decide)

    clock = VirtualClock()
    (throttle,) = sharing(1, Rate(5, 10), clock, lambda: Broken(clock.monotonic))

    assert [0] * 5 == [int(start) for start in await clock.run(calls(throttle, clock, 5))]


async def test_the_limits_are_shared_again_once_the_store_is_back() -> None:
    """What was sent meanwhile is told then, and counts for the others."""
    clock = VirtualClock()
    store = FlakyStore(clock.monotonic)
    first, second = sharing(2, Rate(5, 100), clock, lambda: store)
    store.working = False
    await clock.run(calls(first, clock, 5))
    store.working = True
    waits = asyncio.create_task(call(first, clock))
    await clock.pass_time(40)
    waits.cancel()

    assert 100 == int(await clock.run(call(second, clock)))


async def test_who_closes_gives_back_what_is_left() -> None:
    """Other processes need not find out that this one is gone."""
    clock = VirtualClock()
    store = MemoryStore(clock.monotonic)
    first, second = sharing(2, Rate(2, 5), clock, lambda: store)
    await clock.run(calls(first, clock, 2))

    await clock.run(first.aclose())

    assert 5 == int(await clock.run(call(second, clock)))


async def test_a_cancelled_call_wastes_no_permit() -> None:
    """What it was to get goes to others."""
    clock = VirtualClock()
    store = MemoryStore(clock.monotonic)
    first, second = sharing(2, Rate(1, 10), clock, lambda: store)
    await clock.run(call(first, clock))
    waits = asyncio.create_task(call(first, clock))
    await clock.pass_time(1)
    waits.cancel()
    await clock.pass_time(1)

    assert 10 == int(await clock.run(call(second, clock)))


async def test_a_permit_of_a_process_that_was_stopped_is_void() -> None:
    """The others may have taken it for gone meanwhile, so it asks anew."""
    clock = VirtualClock()
    store = FlakyStore(clock.monotonic)
    (throttle,) = sharing(1, Rate(1, 10), clock, lambda: store)
    await throttle.admit()
    throttle.withdraw()
    asked = store.asked
    clock.jump(7)

    await throttle.admit()

    assert asked < store.asked


async def test_an_unused_permit_is_given_back_at_once() -> None:
    """Nobody waits for what nobody uses."""
    clock = VirtualClock()
    store = MemoryStore(clock.monotonic)
    first, second = sharing(2, Rate(1, 10), clock, lambda: store)
    await first.admit()
    first.withdraw()

    assert 1 > await clock.run(call(second, clock))


async def test_calls_made_before_sharing_count() -> None:
    """A process that begins to share has made calls on its own; the window knows of them."""
    clock = VirtualClock()
    limits = SharedLimits(MemoryStore(clock.monotonic))
    throttle = Throttle(Rate(2, 100), clock)
    await clock.run(call(throttle, clock))
    throttle.share(Leases(limits.owner, limits.of_account(ACCOUNT), throttle, clock))
    _, second = await clock.run(calls(throttle, clock, 2))
    assert second >= 100
