"""Request rates as people write them."""

from __future__ import annotations

import re

from attrs import field, frozen, validators

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import shown


_UNITS = {
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "min": 60.0,
    "minute": 60.0,
    "h": 3600.0,
    "hour": 3600.0,
}
_DAYS = {"d": 86400.0, "day": 86400.0}
_RATE = re.compile(r"\s*(\d{1,9})\s*/\s*(?:(\d{1,9})\s*)?([a-z]+)\s*", re.ASCII)


@frozen
class Rate:
    """At most `count` requests in any `per` seconds.

    Args:
        count: Number of requests.
        per: Length of the window, in seconds.
    """

    count: int = field(validator=validators.ge(1))
    per: float = field(default=60.0, validator=validators.gt(0))

    @classmethod
    def parse(cls, text: str, *, of_people: bool = False) -> Rate:
        """Read `"60/min"`, `"10/s"` or `"100/15s"`; raises `ConfigurationError` for others.

        Args:
            text: The rate.
            of_people: Whether it is how often somebody is texted, such as `"5/day"`.
        """
        units = _UNITS | _DAYS if of_people else _UNITS
        match = _RATE.fullmatch(text.lower())
        if match is None or match[3] not in units or not int(match[1]) * int(match[2] or 1):
            like = "5/day, 1/10min or 3/2h" if of_people else "60/min, 10/s or 100/15s"
            raise ConfigurationError(f"{shown(text)} is no rate; write it like {like}")
        return cls(int(match[1]), int(match[2] or 1) * units[match[3]])

    def __str__(self) -> str:
        return f"{self.count}/{self.per:g}s"


def to_rate(value: Rate | str | None) -> Rate | None:
    """Turn what users pass as `rate=` into a `Rate`; `None` is no limit.

    Raises:
        ConfigurationError: It is neither a rate nor the words for one.
    """
    given: object = value
    if isinstance(given, str):
        return Rate.parse(given)
    if given is None or isinstance(given, Rate):
        return given
    raise ConfigurationError(f"{shown(given)} is no rate; write it like 60/min, 10/s or 100/15s")
