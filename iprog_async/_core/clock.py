"""Time as the library sees it, so that tests need not wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol


def _monotonic() -> float:
    return time.monotonic()


def _uptime_of_this_system() -> Callable[[], float]:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return _monotonic if clock is None else partial(time.clock_gettime, clock)


uptime = _uptime_of_this_system()
"""Seconds since this machine started, those too in which it slept, where the system counts them."""


class Clock(Protocol):
    """What tells the time and waits."""

    def monotonic(self) -> float:
        """Seconds since some point in the past; never goes back."""
        ...

    def now(self) -> datetime:
        """Wall time, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The real clock."""

    monotonic = staticmethod(time.monotonic)

    def now(self) -> datetime:
        """Return the wall time in UTC."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(seconds)
