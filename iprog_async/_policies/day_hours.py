"""Hours of the day in the zones of a number; pure decisions over instants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.redaction import shown


_SPAN = re.compile(r"\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*")
_DAY = timedelta(days=1)
# Where several zones have to agree, the first hour of one can be after the last of another.
_MOST_LOOKS = 16


@frozen
class Span:
    """From when until when something is allowed.

    Args:
        opens: The first moment.
        closes: The first moment at which it is not allowed any more.
    """

    opens: datetime
    closes: datetime


@frozen
class DayHours:
    """The hours of each day at which texts may be sent, by the clocks of whoever gets them.

    Args:
        opens: When they begin.
        closes: When they end; on the next day if that is not later.
    """

    opens: time
    closes: time

    @classmethod
    def parse(cls, words: str) -> DayHours:
        """Read `"08:00-20:00"`; `"20:00-02:00"` goes over midnight, as does `"08:00-24:00"`.

        Raises:
            ConfigurationError: It is written in another way, or names no hours of a day.
        """
        given: object = words
        match = _SPAN.fullmatch(given) if isinstance(given, str) else None
        try:
            if match is None:
                raise ValueError
            opens = time(int(match[1]), int(match[2]))
            # The end of the day is the beginning of the next.
            closes = (
                time(0) if match[3] + match[4] == "2400" else time(int(match[3]), int(match[4]))
            )
            if opens == closes:
                raise ValueError
        except ValueError:
            raise ConfigurationError(
                f"{shown(given)} are no hours of a day; write them like 08:00-20:00, or 20:00-02:00"
                " over midnight"
            ) from None
        return cls(opens, closes)

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"

    @property
    def length(self) -> timedelta:
        """How long they are, on a day on which no clocks are changed."""
        began, ended = (
            timedelta(hours=at.hour, minutes=at.minute) for at in (self.opens, self.closes)
        )
        return (ended - began) % _DAY

    def next_span(self, now: datetime, zones: Sequence[ZoneInfo]) -> Span | None:
        """Return the hours that hold now, or the next ones, in which all zones agree.

        Args:
            now: This moment.
            zones: Whose clocks.

        Returns:
            The span; `None` if there is no moment at which all zones allow it.
        """
        moment = now
        for _ in range(_MOST_LOOKS):
            spans = [self._span(moment, zone) for zone in zones]
            opens = max(span.opens for span in spans)
            closes = min(span.closes for span in spans)
            if opens < closes:
                return Span(opens, closes)
            moment = opens
        return None

    def _span(self, now: datetime, zone: ZoneInfo) -> Span:
        """Return the hours of one zone that hold now, or its next ones."""
        day = now.astimezone(zone).date() - _DAY
        while True:
            opens, closes = self._of_day(day, zone)
            if now < closes and opens < closes:
                return Span(opens, closes)
            day += _DAY

    def _of_day(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return when the hours of one day begin and end.

        A time that clocks show twice, or never, as they are changed, is the later one where the
        hours begin, and the earlier one where they end.
        """
        last = day + _DAY if self.closes <= self.opens else day
        return max(_instants(day, self.opens, zone)), min(_instants(last, self.closes, zone))


def to_zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        ConfigurationError: There is none.
    """
    given: object = name
    try:
        if not isinstance(given, str):
            raise ValueError
        return ZoneInfo(given)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise ConfigurationError(
            f"{shown(given)} is no time zone; write it like Asia/Manila"
        ) from None


def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """Return the time zones in which a number may be, as E.164; none if nobody knows.

    It is where numbers like it are given out; whoever has it may travel, and take it along.
    """
    # Half a megabyte of tables, which most programs have no need for.
    from phonenumbers import timezone
    from phonenumbers.tzdata import TIMEZONE_DATA

    # Calling codes are no beginnings of one another.
    codes = (number[1:2], number[1:3], number[1:4])
    of_country = next((TIMEZONE_DATA[code] for code in codes if code in TIMEZONE_DATA), ())
    if len(of_country) == 1:
        # As in most countries; it saves taking the number apart.
        return _zones(of_country)
    return _zones(timezone.time_zones_for_number(_parse(number)))


def _parse(number: str) -> Any:
    import phonenumbers

    return phonenumbers.parse(number)


@lru_cache(maxsize=256)
def _zones(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(name) for name in names if name != "Etc/Unknown")


def _instants(day: date, clock: time, zone: ZoneInfo) -> list[datetime]:
    naive = datetime.combine(day, clock)
    return [naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
