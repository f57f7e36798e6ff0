"""A clock on which every wait is over at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class InstantClock:
    """Virtual time for `HttpPool(clock=…)`: sleeping advances it and takes no real time.

    Several tasks that sleep at once share the time they sleep: three sleeps of two seconds
    end two seconds later. Timeouts of one attempt still run on the event loop's real clock.

    Args:
        start: Wall time at the beginning, aware; the start of 2026 if `None`.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self.sleeps: list[float] = []
        self._start = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._elapsed = 0.0

    def monotonic(self) -> float:
        """Return the virtual seconds since the clock was made."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the virtual wall time, aware."""
        return self._start + timedelta(seconds=self._elapsed)

    def advance(self, seconds: float) -> None:
        """Let virtual time pass without anybody sleeping."""
        self._elapsed += seconds

    async def sleep(self, seconds: float) -> None:
        """Record the wait, let other tasks run, and be that much later."""
        self.sleeps.append(seconds)
        wakes_at = self._elapsed + seconds
        await asyncio.sleep(0)
        self._elapsed = max(self._elapsed, wakes_at)
