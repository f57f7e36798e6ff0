"""Requests as a gateway's file describes them, as data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from attrs import field, frozen

from iprog_async import InvalidMessageError
from iprog_async.adapter import (
    Answer,
    Effect,
    Gateway,
    HttpCall,
    PreparedMessage,
    to_e164,
    wall_clock,
)
from iprog_async_providers.toml._file import BodyKind, GatewayFile, Method, Schedule
from iprog_async_providers.toml._pointers import Place


T = TypeVar("T")


@frozen
class Requests:
    """Makes the requests of one account.

    Args:
        file: What the gateway's file says.
        values: The values of the account's variables.
        gateway: The host, as this account sees it.
        sender_id: The account's sender ID, for texts without one.
    """

    file: GatewayFile
    values: Mapping[str, str] = field(repr=False)
    gateway: Gateway
    sender_id: str | None = None

    def send(self, prepared: PreparedMessage, read: Callable[[Answer], T]) -> HttpCall[T]:
        """Return the request that sends a text."""
        send, message = self.file.send, prepared.wire
        sender = message.sender_id or self.sender_id
        when = None
        if send.schedule is not None and message.schedule_at is not None:
            when = _time(message.schedule_at, send.schedule)
        body = send.fields(prepared.to, message.text, sender, when)
        return self._call(send.method, send.path, send.body, read, "send the text", body)

    def ask(self, method: Method, path: str, read: Callable[[Answer], T], what: str) -> HttpCall[T]:
        """Return a request that changes nothing."""
        place: BodyKind = "query" if method == "GET" else self.file.send.body
        return self._call(method, path, place, read, what, {}, Effect.READ)

    def _call(
        self,
        method: Method,
        path: str,
        place: BodyKind,
        read: Callable[[Answer], T],
        what: str,
        body: dict[str, Any],
        effect: Effect = Effect.ONCE,
    ) -> HttpCall[T]:
        auth = self.file.auth
        for name, credential in auth.fields.items():
            Place.parse(name).put(body, credential.filled(self.values))
        query = {name: each.filled(self.values) for name, each in auth.query.items()}
        flat = {} if place == "json" else {name: _as_text(value) for name, value in body.items()}
        return HttpCall(
            self.gateway,
            method,
            path,
            read,
            what,
            effect=effect,
            query=({**flat, **query} if place == "query" else query) or None,
            json=body if place == "json" else None,
            form=flat if place == "form" else None,
        )


def _time(when: datetime, schedule: Schedule) -> str | int:
    if schedule.format == "unix":
        return int(when.timestamp())
    # A pattern without a zone is refused where the file is read.
    zone = ZoneInfo(schedule.timezone or "UTC")
    if schedule.format == "iso":
        return when.astimezone(zone).isoformat(timespec="seconds")
    return wall_clock(when, zone, schedule.step).strftime(schedule.format)


def _as_text(value: object) -> str:
    """Return a fixed value as forms and queries carry it."""
    return value if isinstance(value, str) else json.dumps(value)


def to_number(file: GatewayFile, number: str, region: str | None) -> tuple[str, str]:
    """Return a number as E.164 and as the gateway wants it.

    Raises:
        InvalidMessageError: It is no number that the gateway takes.
    """
    send = file.send
    e164 = to_e164(number, region, mobile_only=not send.landlines)
    if send.number_format == "E.164":
        return e164, e164
    if send.number_format == "digits":
        return e164, e164.removeprefix("+")
    return e164, _national(number, e164, region)


def _national(number: str, e164: str, region: str | None) -> str:
    # Imported here: its metadata takes 50 ms to load.
    import phonenumbers

    parsed = phonenumbers.parse(e164)
    if region is None or parsed.country_code != phonenumbers.country_code_for_region(region):
        raise InvalidMessageError(
            f"the phone number {number!r} is not one of {region}, and this gateway takes no other"
        )
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(char for char in written if char.isdecimal())
