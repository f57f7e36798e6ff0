"""Rows of a run that wait until a policy allows them, while others go on."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from iprog_async._core.clock import Clock
from iprog_async._core.messages import PreparedMessage


MOST_WAITING = 10_000
# A clock may be set meanwhile, and a laptop sleep.
_LONGEST_SLEEP = 60.0
# A policy that names a moment that is over would be asked again and again.
_SHORTEST = timedelta(seconds=1)


class WaitingRows:
    """Keeps rows until their time has come.

    Args:
        clock: What tells the time and waits.
        on_due: Is given the rows whose time has come.
    """

    def __init__(
        self,
        clock: Clock,
        on_due: Callable[[Sequence[PreparedMessage]], None],
    ) -> None:
        self._clock = clock
        self._on_due = on_due
        self._rows: list[tuple[datetime, int, PreparedMessage]] = []
        self._alarm: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._rows)

    def __iter__(self) -> Iterator[PreparedMessage]:
        """Iterate over the rows that wait."""
        return (prepared for _, _, prepared in sorted(self._rows))

    def times(self) -> dict[int, datetime]:
        """Return until when each waits, by its index."""
        return {index: time for time, index, _ in self._rows}

    @property
    def is_full(self) -> bool:
        """Whether so many wait that no more should be read."""
        return len(self._rows) >= MOST_WAITING

    def add(self, time: datetime, prepared: PreparedMessage) -> None:
        """Let a row wait until a time."""
        time = max(time, self._clock.now() + _SHORTEST)
        heapq.heappush(self._rows, (time, prepared.index, prepared))
        if self._rows[0][2] is prepared:
            # Nothing was due earlier.
            self.stop()
            self._alarm = asyncio.create_task(self._ring())

    def stop(self) -> asyncio.Task[None] | None:
        """Let nobody be told any more; return what ends then."""
        if self._alarm is not None:
            self._alarm.cancel()
        return self._alarm

    async def _ring(self) -> None:
        while self._rows:
            left = (self._rows[0][0] - self._clock.now()).total_seconds()
            if left > 0:
                await self._clock.sleep(min(left, _LONGEST_SLEEP))
            due = self._take_due(self._clock.now())
            if due:
                self._on_due(due)

    def _take_due(self, now: datetime) -> list[PreparedMessage]:
        due: list[PreparedMessage] = []
        while self._rows and self._rows[0][0] <= now:
            due.append(heapq.heappop(self._rows)[2])
        return due
