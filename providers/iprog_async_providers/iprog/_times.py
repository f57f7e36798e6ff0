"""Times as IPROG writes them: on the clock of Manila."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from iprog_async.adapter import check_aware, wall_clock


MANILA = ZoneInfo("Asia/Manila")

MINUTE = timedelta(minutes=1)
"""The steps in which IPROG keeps times."""


def manila_time(when: datetime) -> str:
    """Return a time as IPROG wants it, `2025-03-08 05:00AM` in Manila's wall time, rounded up.

    Raises:
        InvalidMessageError: The time has no zone, or is out of every calendar.
    """
    check_aware(when, "scheduled_at")
    local = wall_clock(when, MANILA, MINUTE)
    # %p depends on the locale.
    return f"{local:%Y-%m-%d %I:%M}{'AM' if local.hour < 12 else 'PM'}"
