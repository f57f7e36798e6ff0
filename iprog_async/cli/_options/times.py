"""Times as people write them, on the clock of one zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from attrs import frozen

from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.schedules import is_repeated, is_skipped, repeated_words, skipped_words
from iprog_async.cli._options.written_dates import with_iso_date


_EXAMPLES = '"2027-01-31 08:00", 2027-01-31T08:00+08:00, "tomorrow 8:00", 9:00 or "in 2 hours"'

# Far from the ends of the calendar, where a change of zone has no date any more.
_FIRST_YEAR, _LAST_YEAR = 1970, 2999

_CLOCK = r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?)?"
_HALF = r"(?: ?(?P<half>[ap])\.?m\.?)?"
_DATE = r"\d{4}-\d\d-\d\d"
_WORD = r"yesterday|today|tomorrow"
_DAY = rf"(?P<date>{_DATE})[T ]|(?P<word>{_WORD})(?: at)? "
_OFFSET = r"(?: ?(?P<offset>Z|[+-]\d\d:?\d\d))?"
_ABSOLUTE = re.compile(rf"(?:{_DAY})?{_CLOCK}{_HALF}{_OFFSET}", re.ASCII | re.IGNORECASE)
_WHOLE_DAY = re.compile(rf"{_DATE}|{_WORD}", re.ASCII | re.IGNORECASE)
_RELATIVE = re.compile(
    r"in (?P<count>\d{1,5}) ?(?P<unit>min|minutes?|h|hours?|days?|weeks?)",
    re.ASCII | re.IGNORECASE,
)
_MINUTES = {"m": 1, "h": 60}
_DAYS = {"d": 1, "w": 7}
_DAYS_FROM_TODAY = {"yesterday": -1, "today": 0, "tomorrow": 1}


@frozen
class WallClock:
    """What a time without an offset is read by.

    Args:
        zone: Whose clocks; `None` if nobody knows.
        now: This moment, as an aware `datetime`.
        zone_option: The option that sets `zone`, for errors; empty where there is none.
        gateways: Whether it is the gateway's own clock, of which an offset tells it no more.
    """

    zone: ZoneInfo | None
    now: datetime
    zone_option: str = "--tz"
    gateways: bool = False

    def read(self, given: str, option: str) -> datetime:
        """Return the moment that somebody wrote, as an aware `datetime`.

        Args:
            given: A day and a time, with or without an offset; a time alone, which is the next
                such time; or `in` so many minutes, hours, days or weeks.
            option: Where it was given, for the error.

        Raises:
            InvalidMessageError: It is no such time, names none, or names two: clocks go forward
                and back.
        """
        return self._read(_words(given), f"{option} {given!r}")

    def read_bound(self, given: str, option: str, *, last: bool) -> datetime:
        """Return where a span of time begins or ends: a time, or a whole day, which is in it.

        Args:
            given: As for `read`, but a time alone is today's.
            option: Where it was given, for the error.
            last: Whether the span ends there.

        Raises:
            InvalidMessageError: As for `read`.
        """
        words = _words(given)
        if _WHOLE_DAY.fullmatch(words):
            words += " 23:59:59" if last else " 00:00"
        elif is_time_alone(words):
            words = f"today {words}"
        return self._read(words, f"{option} {given!r}")

    def _read(self, words: str, what: str) -> datetime:
        if match := _RELATIVE.fullmatch(words):
            return self._after(int(match["count"]), match["unit"][0].lower(), what)
        match = _ABSOLUTE.fullmatch(words)
        if match is None:
            raise InvalidMessageError(f"{what} is no time; write {_EXAMPLES}")
        return self._absolute(match, what)

    def _after(self, count: int, unit: str, what: str) -> datetime:
        soon = self._shown(_whole_minute(self.now))
        if unit in _MINUTES:
            return self._shown(soon.astimezone(UTC) + timedelta(minutes=count * _MINUTES[unit]))
        # In two days is at the same time of day, also if clocks are changed in between.
        there = soon.replace(tzinfo=None) + timedelta(days=count * _DAYS[unit])
        _check_year(there, what)
        return there.replace(tzinfo=UTC) if self.zone is None else self._in_zone(there, what)

    def _absolute(self, match: re.Match[str], what: str) -> datetime:
        offset = _offset(match["offset"], what)
        if offset is None and self.zone is None:
            zone = f"{self.zone_option} Europe/Berlin, or " if self.zone_option else ""
            raise InvalidMessageError(
                f"{what} names no time zone, and the gateway none of its own; add "
                f"{zone}an offset: 2027-01-31T08:00+08:00"
            )
        clock = _clock_time(match, what)
        here = self.now.astimezone(self.zone if offset is None else offset).replace(tzinfo=None)
        naive = datetime.combine(_day(match, here, clock, what), clock)
        if offset is not None:
            return naive.replace(tzinfo=offset)
        return self._in_zone(naive, what)

    def _in_zone(self, naive: datetime, what: str) -> datetime:
        """Return the one moment at which the zone's clocks show a time."""
        early, late = (naive.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if is_skipped(early):
            raise InvalidMessageError(skipped_words(what, early))
        if is_repeated(early):
            advice = (
                "choose another time: the gateway is told no more than what they show"
                if self.gateways
                else f"write {_iso(early)} or {_iso(late)}"
            )
            raise InvalidMessageError(f"{repeated_words(what, self.zone)}; {advice}")
        return early

    def _shown(self, moment: datetime) -> datetime:
        return moment if self.zone is None else moment.astimezone(self.zone)


def to_zone(name: str, option: str = "--tz") -> ZoneInfo:
    """Return a time zone by its IANA name.

    Raises:
        InvalidMessageError: There is none; the error names the nearest.
    """
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        near = get_close_matches(name, available_timezones(), 1, 0.5) or ["Asia/Manila"]
        raise InvalidMessageError(
            f"{option} {name!r} is no time zone; write it like {near[0]}"
        ) from None


def is_time_alone(given: str) -> bool:
    """Return whether a time says nothing of its day."""
    match = _ABSOLUTE.fullmatch(_words(given))
    return match is not None and not (match["date"] or match["word"])


def _words(given: str) -> str:
    return with_iso_date(" ".join(given.split()))


def _day(match: re.Match[str], here: datetime, clock: time, what: str) -> date:
    """Return the day of a time; of a time alone, the one on which it comes next."""
    if match["date"]:
        try:
            day = date.fromisoformat(match["date"])
        except ValueError:
            raise InvalidMessageError(f"{what}: there is no such date") from None
        _check_year(day, what)
        return day
    if match["word"]:
        return here.date() + timedelta(days=_DAYS_FROM_TODAY[match["word"].lower()])
    return here.date() + timedelta(days=clock <= here.time())


def _check_year(day: date, what: str) -> None:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InvalidMessageError(
            f"{what}: the year {day.year} is out of range; write one of "
            f"{_FIRST_YEAR} to {_LAST_YEAR}"
        )


def _offset(mark: str | None, what: str) -> tzinfo | None:
    if not mark:
        return None
    try:
        return datetime.fromisoformat(f"2000-01-01T00:00{mark.upper()}").tzinfo
    except ValueError:
        raise InvalidMessageError(f"{what}: there is no such offset") from None


def _clock_time(match: re.Match[str], what: str) -> time:
    hour, half = int(match["hour"]), (match["half"] or "").lower()
    if half:
        # Twelve is zero in both halves of a day.
        hour = hour % 12 + (12 if half == "p" else 0) if 1 <= hour <= 12 else 99
    elif match["minute"] is None:
        raise InvalidMessageError(f"{what}: write the minutes, too: {hour}:00")
    try:
        return time(hour, int(match["minute"] or 0), int(match["second"] or 0))
    except ValueError:
        raise InvalidMessageError(f"{what}: there is no such time of day") from None


def _whole_minute(moment: datetime) -> datetime:
    """Round up: gateways know whole minutes, and nothing is to happen too early."""
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + timedelta(minutes=1)


def _iso(when: datetime) -> str:
    return when.isoformat(timespec="minutes")
