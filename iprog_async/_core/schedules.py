"""What becomes of the time of a scheduled text; pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeGuard
from zoneinfo import ZoneInfo

from iprog_async._core.errors import InvalidMessageError


EXACT = timedelta(0)
"""The steps of a gateway that keeps times as they are given."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_aware(when: object) -> TypeGuard[datetime]:
    """Return whether it is a datetime that names one moment, because it has a zone."""
    return isinstance(when, datetime) and when.utcoffset() is not None


def unaware_words(what: str, when: object) -> str:
    """Return what is wrong with a time that names no moment, and what to pass instead."""
    wrong = (
        f"{when.isoformat()} has no time zone"
        if isinstance(when, datetime)
        else f"{when!r} is no datetime"
    )
    return (
        f"{what} {wrong}; pass an aware datetime, such as "
        'datetime(…, tzinfo=ZoneInfo("Asia/Manila"))'
    )


def check_aware(when: object, what: str) -> None:
    """Raise `InvalidMessageError` for a time that has no zone, or is none.

    Args:
        when: The time, as a caller gave it.
        what: The name under which it was given, for the error.
    """
    if not is_aware(when):
        raise InvalidMessageError(unaware_words(what, when))


def since_epoch(when: datetime) -> timedelta:
    """Return which moment an aware time is, whatever its zone.

    Python compares two times of one zone by what its clocks show, which in the hour that they show
    twice says nothing: the same figures are two moments.
    """
    return when - _EPOCH


def is_before(when: datetime, other: datetime) -> bool:
    """Return whether an aware time comes before another one."""
    return since_epoch(when) < since_epoch(other)


def as_kept(when: datetime, step: timedelta) -> datetime:
    """Return a time as a gateway keeps it, in UTC: in its steps, and never too early.

    Args:
        when: An aware time.
        step: The steps, such as whole minutes; exact if zero.

    Raises:
        InvalidMessageError: It is at the end of the calendar.
    """
    try:
        moment = when.astimezone(UTC)
        beyond = (moment - _EPOCH) % step if step else EXACT
        return moment + (step - beyond) if beyond else moment
    except OverflowError:
        if not step:
            # No other zone can write it; to whom it is told exactly, it is as good as any.
            return when
        raise InvalidMessageError(f"schedule_at {when.isoformat()} is out of range") from None


def wall_clock(when: datetime, zone: ZoneInfo, step: timedelta) -> datetime:
    """Return a time as the clocks of a zone show it, for a gateway that is told no more.

    Args:
        when: An aware time.
        zone: Whose clocks.
        step: The steps in which the gateway keeps times.

    Raises:
        InvalidMessageError: These clocks show it twice, so that the gateway could not know which
            is meant; or it is at the end of the calendar.
    """
    try:
        local = as_kept(when, step).astimezone(zone)
    except OverflowError:
        raise InvalidMessageError(f"schedule_at {when.isoformat()} is out of range") from None
    if is_repeated(local):
        raise InvalidMessageError(
            repeated_words(f"schedule_at {when.isoformat()}", zone)
            + ", and the gateway is told no more than what they show; choose another time"
        )
    return local


def is_repeated(when: datetime) -> bool:
    """Return whether the clocks of its zone show a time twice, because they go back."""
    early, late = (when.replace(fold=fold).utcoffset() for fold in (0, 1))
    return early != late and not is_skipped(when)


def is_skipped(when: datetime) -> bool:
    """Return whether the clocks of its zone never show a time, because they go forward."""
    try:
        back = when.astimezone(UTC).astimezone(when.tzinfo)
    except OverflowError:
        return False
    return back.replace(tzinfo=None, fold=0) != when.replace(tzinfo=None, fold=0)


def repeated_words(what: str, zone: object) -> str:
    """Return what is wrong with a time that clocks show twice."""
    return f"{what} is there twice in {zone}, where clocks go back"


def skipped_words(what: str, when: datetime) -> str:
    """Return what is wrong with a time that clocks never show, and which one to take."""
    shown = when.astimezone(UTC).astimezone(when.tzinfo)
    return (
        f"{what} is never shown in {when.tzinfo}, where clocks go forward; write "
        f"{shown.isoformat(timespec='minutes')}"
    )


def words_of(when: datetime) -> str:
    """Return a time as people read it, with its zone."""
    zone = when.tzinfo
    label = zone.key if isinstance(zone, ZoneInfo) else f"UTC{when.isoformat()[-6:]}"
    return f"{when:%Y-%m-%d %H:%M} ({label})"


def check_future(when: datetime, now: datetime, what: str, advice: str = "") -> None:
    """Raise `InvalidMessageError` for a time that is over.

    Args:
        when: An aware time.
        now: This moment.
        what: What it is the time of, or where it was given, for the error.
        advice: What to write instead, if that is known.
    """
    if when <= now:
        there = words_of(now.astimezone(when.tzinfo))
        raise InvalidMessageError(f"{what} is in the past: it is {there} now{advice}")
