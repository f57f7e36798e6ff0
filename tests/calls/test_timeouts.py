from __future__ import annotations

import asyncio

import pytest

from iprog_async._http.timeouts import Timeouts


async def hold(timeouts: Timeouts, seconds: float) -> str:
    """Return how waiting for so long ends under the limit."""
    timeout = timeouts.begin()
    try:
        async with timeout:
            await asyncio.sleep(seconds)
    except TimeoutError:
        return "timeout"
    finally:
        timeouts.end(timeout)
    return "done"


async def test_each_ends_at_its_own_time() -> None:
    """Who takes too long is interrupted after the limit, counted from his own beginning."""
    loop, timeouts = asyncio.get_running_loop(), Timeouts(0.03)
    ended: list[float] = []

    async def late(after: float) -> None:
        await asyncio.sleep(after)
        began = loop.time()
        assert "timeout" == await hold(timeouts, 5)
        ended.append(loop.time() - began)

    await asyncio.gather(late(0), late(0), late(0.02), late(0.05))

    assert all(0.03 <= took < 1 for took in ended)
    assert 4 == len(ended)


async def test_those_in_time_are_left_alone() -> None:
    """Neither during their wait nor after it does anybody hear of the limit."""
    timeouts = Timeouts(0.05)

    assert ["done"] * 3 == await asyncio.gather(*(hold(timeouts, n / 100) for n in range(3)))
    await asyncio.sleep(0.06)
    assert "done" == await hold(timeouts, 0.0)


async def test_one_timer_serves_all_and_stops_when_none_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand limits cost one timer, which is not set again for nobody."""
    loop, timeouts = asyncio.get_running_loop(), Timeouts(0.02)
    call_at, timers = loop.call_at, list[float]()

    def counted(when: float, *args: object, **settings: object) -> asyncio.TimerHandle:
        timers.append(when)
        return call_at(when, *args, **settings)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - passed on as it came

    for _ in range(1000):
        timeout = timeouts.begin()
        monkeypatch.setattr(loop, "call_at", counted)
        async with timeout:
            pass
        timeouts.end(timeout)
    monkeypatch.undo()
    await asyncio.sleep(0.03)

    assert [] == timers


async def test_cancellation_stays_a_cancellation() -> None:
    """Only the limit makes a `TimeoutError`; who is cancelled from outside is cancelled."""
    task = asyncio.create_task(hold(Timeouts(5), 5))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
