"""Spans of time as people write them: `30min`, `2h`, `90d`."""

from __future__ import annotations

import re
from datetime import timedelta

from iprog_async._core.errors import InvalidMessageError


_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WRITTEN = re.compile(rf"([1-9]\d{{0,5}}) ?({'|'.join(_UNITS)})", re.ASCII)


def duration(given: str, option: str) -> timedelta:
    """Read a span of time.

    Args:
        given: A whole number and a unit: s, min, h, d or w.
        option: Where it was given, for the error.

    Raises:
        InvalidMessageError: It is written in another way.
    """
    found = _WRITTEN.fullmatch(given.strip())
    if found is None:
        raise InvalidMessageError(f"{option} {given!r} is not written like 30min, 2h or 90d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
