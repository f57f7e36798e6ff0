"""Read when a gateway may be asked again: `Retry-After` (RFC 9110, 10.2.3), `X-RateLimit-Reset`.

The cap on it is `RetryPolicy.max_pause`, see `_http/retry.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache


# Seconds; no gateway counts calls for longer, so what is told to be longer is a date.
_LONGEST_WINDOW = 86_400


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return how many seconds a gateway asks to wait, or `None` where it does not say.

    Args:
        headers: Header fields of the answer, names in lower case.
        now: Wall time for a date without a `Date` field beside it; the real one if `None`.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        when = _date(value)
        if when is None:
            return None
        # Against the gateway's own clock where it shows one: ours may be minutes off.
        seconds = (when - (_date(headers.get("date", "")) or now or _now())).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def until_reset(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Return in how many seconds `X-RateLimit-Reset` says that a window ends, or `None`.

    Args:
        headers: Header fields of the answer, names in lower case. The field is in seconds from
            now or since 1970.
        now: Tells the wall time for the latter without a `Date` field beside it.
    """
    value = headers.get("x-ratelimit-reset")
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return None
    if seconds > _LONGEST_WINDOW:
        seconds -= (_date(headers.get("date", "")) or now()).timestamp()
    return seconds if 0 <= seconds <= _LONGEST_WINDOW else None


def until_calls_are_left(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Return in how many seconds a gateway with no call left says it has some, or `None`.

    Args:
        headers: Header fields of the answer, names in lower case.
        now: Tells the wall time for a date without a `Date` field beside it.
    """
    # Where both are told, it is the one that goes for this answer, and needs no common clock.
    seconds = retry_after(headers, now())
    if seconds is None:
        return until_reset(headers, now)
    return seconds if seconds <= _LONGEST_WINDOW else None


# The same for all answers of a second, and reading it takes long.
@lru_cache(maxsize=4)
def _date(value: str) -> datetime | None:
    try:
        # Imported here: it is a large module, and few gateways name a date.
        from email.utils import parsedate_to_datetime

        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)
