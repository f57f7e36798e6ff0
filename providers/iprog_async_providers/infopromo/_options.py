"""Settings and options, and their checks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo

from attrs import field, frozen

from iprog_async import ConfigurationError, InvalidMessageError, count_segments
from iprog_async.adapter import check_aware, clean_secret, shown, wall_clock


MessageType = Literal["plain", "unicode", "whatsapp", "viber", "otp"]
# What the server wants besides, and this library has no place for.
_NOT_OFFERED = {"voice": "a language and a gender", "mms": "the address of a picture"}
MINUTE = timedelta(minutes=1)
"""The steps in which servers keep times."""


def _check_type(_: object, __: object, value: str | None) -> None:
    if value in _NOT_OFFERED:
        raise InvalidMessageError(
            f"type {value!r} is not offered: the gateway wants {_NOT_OFFERED[value]} with it"
        )
    if value is not None and value not in get_args(MessageType):
        types = ", ".join(get_args(MessageType))
        raise InvalidMessageError(f"type is one of {types}, not {shown(value)}")


@frozen
class InfopromoOptions:
    """What Ultimate SMS alone can do with a message.

    Args:
        type: The gateway's type of message; if `None`, `"unicode"` for a text that does not fit
            GSM-7 and `"plain"` for any other. This library is about these two; for the others
            it only passes the word on.
        dlt_template_id: Id of the registered template, which Indian plans demand.

    Raises:
        InvalidMessageError: There is no such type, or it is not offered.
    """

    type: MessageType | None = field(default=None, validator=_check_type)
    dlt_template_id: str | None = None

    def type_of(self, text: str) -> MessageType:
        """Return the type that a text is sent as."""
        # Servers before 3.8 hand a text to the upstream as it is declared.
        return self.type or ("plain" if count_segments(text).encoding == "GSM-7" else "unicode")

    def says_nothing_about(self, text: str) -> bool:
        """Return whether a text is sent in the same way without these options."""
        usual = InfopromoOptions().type_of(text)
        return self.dlt_template_id is None and self.type in (None, usual)


def to_token(value: str) -> str:
    """Strip and check a token, which travels in a header with v3."""
    return clean_secret(value, "Ultimate SMS api_token", header=True)


def to_zone(name: str) -> ZoneInfo:
    """Return a time zone; raises `ConfigurationError` if there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ValueError, TypeError, OSError, LookupError):
        raise ConfigurationError(
            f"there is no time zone {shown(name)}; write it like 'Africa/Lagos'"
        ) from None


def check_timezone(_: object, __: object, value: str | None) -> None:
    """Raise `ConfigurationError` unless the account's zone exists."""
    if value is not None:
        to_zone(value)


def wall_time(when: datetime, timezone: str | None) -> str:
    """Return a time as the gateway wants it: `2026-12-20 07:00` on the account's clock.

    Raises:
        InvalidMessageError: The time has no zone, is out of range, or is there twice on that
            clock; or the account's zone is not known.
    """
    check_aware(when, "schedule_at")
    if timezone is None:
        raise InvalidMessageError(
            "the gateway reads times on the account's own clock; give the provider the zone "
            "of its settings page, such as timezone='Africa/Lagos'"
        )
    return f"{wall_clock(when, to_zone(timezone), MINUTE):%Y-%m-%d %H:%M}"


def in_zone(when: datetime, timezone: str) -> datetime:
    """Return a time on a zone's clock; raises `InvalidMessageError` at the calendar's ends."""
    zone = to_zone(timezone)
    try:
        return when.astimezone(zone)
    except OverflowError:
        raise InvalidMessageError(f"the time {when.isoformat()} is out of range") from None


def segment(value: str | None, what: str) -> str:
    """Return an id as one segment of a path; raises `InvalidMessageError` if it can't be one."""
    text = (value or "").strip()
    if not text.strip("."):
        raise InvalidMessageError(f"{value!r} is no id of a {what}")
    return quote(text, safe="")
