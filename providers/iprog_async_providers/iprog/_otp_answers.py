"""Reading IPROG's answers about one-time passwords, which hold the passwords themselves."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from iprog_async.adapter import (
    MASK,
    Answer,
    Text,
    is_array,
    is_object,
    structure,
)
from iprog_async_providers.iprog._answers import Envelope
from iprog_async_providers.iprog._times import MANILA


@frozen
class OtpTicket:
    """A one-time password that IPROG made and sent.

    Args:
        phone_number: Recipient, as the gateway writes it.
        code: The password itself; not in the repr.
        expires_at: Until when it is valid, as an aware `datetime`; `None` if the gateway's
            words for it can't be read.
        confirmed: Whether it was verified; `None` where the gateway does not say, as in its list.
    """

    phone_number: str
    code: str = field(repr=False)
    expires_at: datetime | None
    confirmed: bool | None = None


@frozen
class OtpCheck:
    """Whether a code was the right one; true in an `if` only when it was.

    Args:
        verified: Whether it was.
        message: The gateway's words, without any code.
    """

    verified: bool
    message: str = ""

    def __bool__(self) -> bool:
        return self.verified


# Phone numbers are longer, HTTP statuses shorter.
_CODE = re.compile(r"(?<!\d)\d{4,10}(?!\d)", re.ASCII)


def without_codes(answer: Answer) -> Answer:
    """Return the answer as an error may quote it: any run of digits could be the code."""
    return evolve(answer, data=_mask_codes(answer.data))


def _mask_codes(data: object) -> object:
    if is_object(data):
        return {key: _mask_codes(value) for key, value in data.items()}
    if is_array(data):
        return [_mask_codes(value) for value in data]
    if isinstance(data, str):
        return _CODE.sub(MASK, data)
    return MASK if isinstance(data, int) and _CODE.fullmatch(str(data)) else data


@frozen
class _Ticket:
    """The `data` of `send_otp`: the code itself is in the answer.

    Only the code must be there: a code that was sent is not lost over its time of expiry.
    """

    otp_code: Text
    otp_code_expires_at: Any = None
    phone_number: str = ""
    otp_code_confirmed: Any = None


@frozen
class _TicketAnswer:
    data: _Ticket


@frozen
class _Listed:
    phone_number: str
    otp_code: Text
    expired_at: Any = None


@frozen
class _ListAnswer:
    data: list[_Listed]


def read_ticket(body: Envelope) -> OtpTicket:
    """Read a code that was sent."""
    data = structure(body, _TicketAnswer).data
    confirmed = data.otp_code_confirmed
    return OtpTicket(
        data.phone_number,
        data.otp_code,
        _time(data.otp_code_expires_at),
        confirmed if isinstance(confirmed, bool) else None,
    )


def read_list(body: Envelope) -> list[OtpTicket]:
    """Read the codes of the account."""
    listed = structure(body, _ListAnswer).data
    return [OtpTicket(item.phone_number, item.otp_code, _time(item.expired_at)) for item in listed]


# In English whatever the locale says.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_LISTED_TIME = re.compile(r"(\w+) (\d{1,2}), (\d{4}),? at (\d{1,2}):(\d\d) ([AP])M", re.ASCII)


def _time(said: object) -> datetime | None:
    """Read an ISO time, or the list's `March 03, 2025, at 08:04 PM` in Manila (INFER)."""
    text = said.strip() if isinstance(said, str) else ""
    match = _LISTED_TIME.fullmatch(text)
    try:
        when = datetime.fromisoformat(text) if match is None else _listed_time(*match.groups())
    except ValueError:
        return None
    return when if when.tzinfo is not None else when.replace(tzinfo=MANILA)


def _listed_time(month: str, day: str, year: str, hour: str, minute: str, half: str) -> datetime:
    hours = int(hour) % 12 + (12 if half == "P" else 0)
    return datetime(
        int(year), _MONTHS.index(month) + 1, int(day), hours, int(minute), tzinfo=MANILA
    )
