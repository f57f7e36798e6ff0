from __future__ import annotations

from datetime import UTC, datetime, timedelta

from iprog_async._core.clock import SystemClock


async def test_system_clock_tells_the_time_and_waits() -> None:
    """Wall time is aware and in UTC; a wait moves the monotonic time on."""
    clock = SystemClock()
    started = clock.monotonic()

    await clock.sleep(0.001)

    assert clock.monotonic() - started >= 0.001
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert UTC is clock.now().tzinfo
