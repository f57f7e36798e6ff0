"""What a gateway's file can say, as checked values: nothing here reads a file or a network."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from attrs import Attribute, field, frozen
from attrs.validators import optional

from iprog_async import ConfigurationError, DeliveryState
from iprog_async.adapter import Refusal, shown, to_rate, to_region, whole_number
from iprog_async_providers.toml._credentials import Auth
from iprog_async_providers.toml._pointers import Place, Pointer
from iprog_async_providers.toml._proofs import Acceptance, Errors, Refused, to_text


BodyKind = Literal["json", "form", "query"]
NumberFormat = Literal["E.164", "digits", "national"]
Method = Literal["POST", "GET", "PUT"]

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


def _path(_: object, attribute: Attribute[Any], path: str) -> None:
    if not path.startswith("/") or "?" in path or "#" in path or not path.isprintable():
        raise ValueError(
            f"{attribute.name} begins with a slash and has no query (what was given is not shown)"
        )


@frozen(kw_only=True)
class Schedule:
    """How a time is written.

    Args:
        field: The field that it goes into.
        format: `"iso"`, `"unix"`, or a pattern such as `"%Y-%m-%d %H:%M"`.
        timezone: IANA name of the zone whose clocks the gateway reads; needed for a pattern.
    """

    field: Place
    format: str = "iso"
    timezone: str | None = None

    def __attrs_post_init__(self) -> None:
        if self.format not in ("iso", "unix"):
            if "%" not in self.format:
                raise ValueError('format is "iso", "unix", or a pattern such as "%Y-%m-%d %H:%M"')
            if self.timezone is None:
                raise ValueError("a format without the offset from UTC needs a timezone")
        if self.timezone is not None:
            try:
                ZoneInfo(self.timezone)
            except (ValueError, OSError):
                raise ValueError(f"timezone {shown(self.timezone)} is no IANA name") from None

    @property
    def step(self) -> timedelta:
        """The steps in which the gateway keeps times, by what the format can tell."""
        tells_seconds = self.format in ("iso", "unix") or "%S" in self.format
        return _SECOND if tells_seconds else _MINUTE


@frozen(kw_only=True)
class Send:
    """The request that sends a text.

    Args:
        path: What stands behind the base URL.
        number: Field of the number: a name, or a JSON pointer such as `/to/0`.
        text: Field of the text.
        method: The HTTP method.
        body: How the fields travel: `"json"`, `"form"`, or `"query"` for no body at all.
        number_format: `"E.164"` (+63917…), `"digits"` (63917…) or `"national"` (0917…).
        sender: Field of the sender ID; without it a sender ID is refused.
        schedule: Field and form of a time; without it a time is refused.
        fixed: Further fields with the same value each time, which are no secret.
        landlines: Whether the gateway takes numbers that are certainly landlines.
    """

    path: str = field(validator=_path)
    number: Place
    text: Place
    method: Method = "POST"
    body: BodyKind = "json"
    number_format: NumberFormat = "E.164"
    sender: Place | None = None
    schedule: Schedule | None = None
    fixed: Mapping[str, Any] = field(factory=dict[str, Any])
    landlines: bool = False

    def __attrs_post_init__(self) -> None:
        if self.method == "GET" and self.body != "query":
            raise ValueError('a GET has no body: write body = "query"')
        if self.body != "json" and any(len(place.tokens) > 1 for place in self._places):
            raise ValueError('only body = "json" has fields inside of others')

    @property
    def _places(self) -> tuple[Place, ...]:
        at = None if self.schedule is None else self.schedule.field
        named = (self.number, self.text, self.sender, at)
        return (*map(Place.parse, self.fixed), *(place for place in named if place is not None))

    def fields(
        self, number: str, text: str, sender: str | None, time: str | int | None
    ) -> dict[str, Any]:
        """Return the fields of a text, without credentials.

        Raises:
            ValueError: Two of them want the same place.
        """
        body: dict[str, Any] = {}
        # Each request has values of its own: a list in `fixed` may get a number put into it.
        for name, value in copy.deepcopy(dict(self.fixed)).items():
            Place.parse(name).put(body, value)
        at = None if self.schedule is None else self.schedule.field
        named = ((self.number, number), (self.text, text), (self.sender, sender), (at, time))
        for place, value in named:
            if place is not None and value is not None:
                place.put(body, value)
        return body


@frozen(kw_only=True)
class Limits:
    """What the gateway takes at the most; more is refused before any network.

    Args:
        characters: Characters of a text.
        segments: Segments of a text.
        sender_characters: Characters of a sender ID.
    """

    characters: int | None = field(default=None, validator=optional(whole_number()))
    segments: int | None = field(default=None, validator=optional(whole_number()))
    sender_characters: int | None = field(default=None, validator=optional(whole_number()))


@frozen(kw_only=True)
class BalanceCall:
    """The request that tells what is left on the account.

    Args:
        path: What stands behind the base URL.
        amount: Where the number is.
        unit: What it counts: `"credits"`, or a currency such as `"UGX"`.
        method: The HTTP method.
    """

    path: str = field(validator=_path)
    amount: Pointer
    unit: str = ""
    method: Method = "GET"


@frozen(kw_only=True)
class StatusCall:
    """The request that tells how far a text has come.

    Args:
        path: What stands behind the base URL, with `{id}` where the id of the text goes.
        word: Where the gateway's word for the state is.
        delivered: Its words for a text that is on the phone.
        failed: Its words for one that will not be.
        sent: Its words for one that is with the network.
        pending: Its words for one that has not left yet.
        method: The HTTP method.
    """

    path: str = field(validator=_path)
    word: Pointer
    delivered: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    method: Method = "GET"

    def __attrs_post_init__(self) -> None:
        if "{id}" not in self.path:
            raise ValueError("path has {id} where the id of the text goes")

    def state(self, word: str) -> DeliveryState:
        """Return what a word of the gateway means; `"unknown"` if it is not declared."""
        states: Mapping[DeliveryState, tuple[str, ...]] = {
            "delivered": self.delivered,
            "failed": self.failed,
            "sent": self.sent,
            "pending": self.pending,
        }
        for state, words in states.items():
            if word in words:
                return state
        return "unknown"


def _checked(convert: Any) -> Any:
    """Return a validator that has another function judge a value."""

    def check(_: object, attribute: Attribute[Any], value: object) -> None:
        try:
            convert(value)
        except ConfigurationError as exc:
            raise ValueError(f"{attribute.name}: {exc}") from None

    return check


@frozen(kw_only=True)
class GatewayFile:
    """All that a file says of a gateway.

    Args:
        name: Label of the account; receipts carry it.
        base_url: The gateway's address, which paths are appended to.
        auth: Where the credentials travel.
        send: The request that sends a text.
        accepted: What proves that a text was taken.
        errors: The exact form of errors; needed for refusals.
        refused: What is known to be refused before anything is sent.
        limits: What the gateway takes at the most.
        balance: How the balance is asked for, if it can be.
        status: How a status is asked for, if it can be.
        title: The gateway's name, for people.
        region: Two-letter region of numbers without a country code.
        rate: The most requests, such as `"60/min"`.
    """

    name: str
    base_url: str
    auth: Auth
    send: Send
    accepted: Acceptance
    errors: Errors = field(factory=Errors)
    refused: tuple[Refused, ...] = ()
    limits: Limits = field(factory=Limits)
    balance: BalanceCall | None = None
    status: StatusCall | None = None
    title: str = ""
    region: str | None = field(default=None, validator=_checked(to_region))
    rate: str | None = field(default=None, validator=_checked(to_rate))

    def __attrs_post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name):
            raise ValueError("name is one word of letters, digits, dots and dashes")
        if self.refused and not self.errors.words:
            raise ValueError("refused needs [errors], the form of refusals, with their words")
        if self.status is not None and self.accepted.id is None:
            raise ValueError("status needs accepted.id, where the id of a text is")
        if self.send.number_format == "national" and self.region is None:
            raise ValueError('number_format = "national" needs a region')
        body = self.send.fields("", "", "", "")
        for name in self.auth.fields:
            Place.parse(name).put(body, "")
        if self.send.body == "query" and not body.keys().isdisjoint(self.auth.query):
            # A credential would stand where the number or the text does. Its name is not shown.
            raise ValueError("auth.query has the name of another field of the query")
        self._check_proofs()

    def _check_proofs(self) -> None:
        """Raise `ValueError` if one answer could be read as taken and as refused."""
        proof = self.accepted
        if proof.id is not None and self.errors.cover(proof.id):
            raise ValueError(
                "accepted.id is where errors.words are: what an error says would be an id"
            )
        taken = [
            to_text(value)
            for each in proof.where
            if self.errors.cover(each.pointer)
            for value in each.values
        ]
        for place, row in enumerate(self.refused):
            if any(map(row.is_said, taken)):
                raise ValueError(f"refused[{place}] has words that accepted.where takes for taken")

    def refusals(self, data: object = None) -> tuple[Refusal, ...]:
        """Return the refusals that an answer may prove, as the rule for them knows them."""
        texts = self.errors.form.texts(data) or ()
        return tuple(each.row for each in self.refused if each.explains(texts))
