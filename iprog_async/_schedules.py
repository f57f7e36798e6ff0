"""What becomes of the time of a scheduled text; pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from iprog_async._errors import InvalidMessageError


EXACT = timedelta(0)
"""The steps of a gateway that keeps times as they are given."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
