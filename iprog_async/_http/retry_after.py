"""Read the `Retry-After` header field (RFC 9110, section 10.2.3).

The cap on it is `RetryPolicy.max_pause`, see `_http/retry.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime


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
