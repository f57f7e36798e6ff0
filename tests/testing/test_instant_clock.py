from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from support.waiting import LONG

from iprog_async.testing import InstantClock


START = datetime(2031, 5, 17, 9, 30, tzinfo=UTC)


async def test_sleeping_takes_virtual_time_only() -> None:
    """An hour passes at once, and on both of its faces."""
    clock = InstantClock(START)
    async with asyncio.timeout(LONG):
        await clock.sleep(3600)
    clock.advance(1)
    assert (clock.monotonic(), clock.now()) == (3601, START + timedelta(seconds=3601))
    assert clock.sleeps == [3600]


async def test_sleeps_at_once_share_their_time() -> None:
    """Three tasks that sleep together are done when the longest is."""
    clock = InstantClock()
    await asyncio.gather(*(clock.sleep(seconds) for seconds in (2, 5, 2)))
    assert (clock.monotonic(), clock.sleeps) == (5, [2, 5, 2])


async def test_others_run_while_one_sleeps() -> None:
    """A sleep yields to the loop, so that a busy wait can't starve the others."""
    clock, ran = InstantClock(), asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await clock.sleep(1)
    assert ran.is_set()
