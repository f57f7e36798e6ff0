"""The same time limit for many calls, over one timer of the event loop.

Nearly all calls end long before their limit; a timer for each would cost a send a tenth of its
CPU time, for nothing, and so would `asyncio.timeout` do without one.
"""

from __future__ import annotations

import asyncio
from typing import Any


class TimeLimit:
    """The limit of what one task does, from when this is made until it is `Timeouts.end`ed.

    As `asyncio.timeout` does, it cancels the task, and takes that back from nobody else's
    cancelling.

    Args:
        loop: The event loop that runs the task.
    """

    __slots__ = ("_cancelled_before", "_is_over", "_task", "timer")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        task = asyncio.current_task(loop)
        assert task is not None  # noqa: S101 - calls are coroutines
        self._task: asyncio.Task[Any] = task
        self._cancelled_before = task.cancelling()
        self._is_over = False
        self.timer: asyncio.TimerHandle | None = None

    def expire(self) -> None:
        """Cancel what the task does."""
        self._is_over = True
        self._task.cancel()

    def take_back(self) -> bool:
        """Uncancel the task if this cancelled it; return whether nobody else has."""
        if not self._is_over:
            return False
        self._is_over = False
        return self._task.uncancel() <= self._cancelled_before


class Timeouts:
    """Hands out time limits, most of them of one length.

    Args:
        seconds: Their length.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # In order of their end, because all are equally long.
        self._ends: dict[TimeLimit, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> TimeLimit:
        """Begin a limit; `end` has to follow.

        When its time is over, what the task awaits raises `CancelledError`; if the limit's
        `take_back` is true then, nobody else wanted that.
        """
        loop = asyncio.get_running_loop()
        limit = TimeLimit(loop)
        if seconds != self.seconds:
            limit.timer = loop.call_later(seconds, limit.expire)
            return limit
        self._ends[limit] = ends_at = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_at(ends_at, self._look, loop)
        return limit

    def end(self, limit: TimeLimit) -> None:
        """Forget a limit, of which nothing remains in the task."""
        limit.take_back()
        if limit.timer is None:
            self._ends.pop(limit, None)
        else:
            limit.timer.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End those whose time is over, and look again when the next one's is."""
        self._timer = None
        now = loop.time()
        for limit, ends_at in list(self._ends.items()):
            if ends_at > now:
                self._timer = loop.call_at(ends_at, self._look, loop)
                return
            del self._ends[limit]
            limit.expire()
