from __future__ import annotations

import asyncio

import pytest
from support.core.clock import settle

from iprog_async._http.timeouts import Timeouts


async def hold(timeouts: Timeouts, seconds: float) -> str:
    """Return how waiting for so long ends under the limit."""
    limit = timeouts.begin(timeouts.seconds)
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if limit.take_back():
            return "timeout"
        raise
    finally:
        timeouts.end(limit)
    return "done"


class Hours:
    """The time of the running loop, which passes only as told."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self._now = 1000.0
        patched.setattr(asyncio.get_running_loop(), "time", lambda: self._now)

    async def pass_until(self, seconds: float) -> None:
        """Go on to a moment after the beginning, and let everybody act on it."""
        self._now = 1000.0 + seconds
        await settle()


async def test_each_ends_at_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes too long is interrupted after the limit, counted from his own beginning."""
    timeouts, ended = Timeouts(30), list[str]()

    async def late(name: str) -> None:
        assert "timeout" == await hold(timeouts, 5000)
        ended.append(name)

    with monkeypatch.context() as patched:
        hours, tasks = Hours(patched), list[asyncio.Task[None]]()
        for begins, names in {0: "ab", 20: "c", 40: "d"}.items():
            await hours.pass_until(begins)
            tasks += [asyncio.create_task(late(name)) for name in names]
            await settle()
        seen = ["".join(ended)]
        for moment in (49, 51, 69, 71):
            await hours.pass_until(moment)
            seen.append("".join(ended))
        await asyncio.gather(*tasks)

    assert ["ab", "ab", "abc", "abc", "abcd"] == seen


async def test_those_in_time_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither during their wait nor after it does anybody hear of the limit."""
    timeouts = Timeouts(50)
    with monkeypatch.context() as patched:
        hours = Hours(patched)
        holding = asyncio.gather(*(hold(timeouts, seconds) for seconds in (0, 10, 20)))
        for moment in (0, 10, 20, 80):
            await hours.pass_until(moment)

        assert ["done"] * 3 == await holding
        assert "done" == await hold(timeouts, 0)


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
        limit = timeouts.begin(timeouts.seconds)
        monkeypatch.setattr(loop, "call_at", counted)
        timeouts.end(limit)
    monkeypatch.undo()
    await asyncio.sleep(0.03)

    assert [] == timers


async def test_cancellation_stays_a_cancellation() -> None:
    """Only the limit's own cancelling is taken back; who is cancelled from outside is cancelled."""
    task = asyncio.create_task(hold(Timeouts(5), 5))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("seconds", [0.01, 0.02])
async def test_a_limit_leaves_nothing_behind(seconds: float) -> None:
    """A task that a limit has ended goes on as one that nobody cancelled, whatever its length."""
    timeouts, task = Timeouts(0.01), asyncio.current_task()
    limit = timeouts.begin(seconds)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(60)

    assert limit.take_back()
    timeouts.end(limit)

    assert task is not None
    assert 0 == task.cancelling()
    await asyncio.sleep(0)


async def test_who_is_cancelled_as_the_limit_ends_is_cancelled() -> None:
    """The limit takes back its own cancelling, and not the one that came with it."""
    timeouts, task = Timeouts(60), asyncio.current_task()
    assert task is not None
    limit = timeouts.begin(60)
    limit.expire()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(60)

    assert not limit.take_back()
    timeouts.end(limit)

    assert 1 == task.cancelling()
    task.uncancel()


async def test_a_limit_that_was_swallowed_is_taken_back_in_the_end() -> None:
    """What is awaited may keep the cancelling to itself: the task is not left cancelled."""
    timeouts, task = Timeouts(60), asyncio.current_task()
    assert task is not None
    limit = timeouts.begin(60)
    limit.expire()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(60)

    timeouts.end(limit)

    assert 0 == task.cancelling()
