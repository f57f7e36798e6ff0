"""The error of a code that is asked for too soon."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from iprog_async._core.errors import LimitExceededError


_SECONDS_UP_TO = 120


def too_soon(number: str, seconds: float, now: datetime) -> LimitExceededError:
    """Return the error that says when a number may be sent its next code.

    Args:
        number: As E.164.
        seconds: How long to wait.
        now: The time.
    """
    return LimitExceededError(
        f"{number} may be sent its next code in {_in_words(seconds)}: it had one a moment ago, or "
        "as many as a number may have. Nothing was sent; the last code is valid until it expires",
        until=now + timedelta(seconds=seconds),
    )


def _in_words(seconds: float) -> str:
    count, unit = math.ceil(seconds), "second"
    if seconds > _SECONDS_UP_TO:
        count, unit = math.ceil(seconds / 60), "minute"
    return f"{count} {unit}{'' if count == 1 else 's'}"
