"""What a gateway's file can say, as checked values: nothing here reads a file or a network."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from attrs import Attribute, field, frozen
from attrs.validators import optional

from iprog_async import (
    AuthenticationError,
    ConfigurationError,
    DeliveryState,
    InsufficientCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async.adapter import (
    Blame,
    ErrorForm,
    Refusal,
    is_array,
    to_rate,
    to_region,
    whole_number,
)
from iprog_async_providers.toml._credentials import Auth
from iprog_async_providers.toml._patterns import check_pattern
from iprog_async_providers.toml._pointers import ANY, Place, Pointer


BodyKind = Literal["json", "form", "query"]
NumberFormat = Literal["E.164", "digits", "national"]
Method = Literal["POST", "GET", "PUT"]

ErrorName = Literal["authentication", "credit", "not-found", "rate-limit", "rejected"]

ERRORS: Mapping[ErrorName, type[ProviderError]] = {
    "authentication": AuthenticationError,
    "credit": InsufficientCreditError,
    "not-found": NotFoundError,
    "rate-limit": RateLimitError,
    "rejected": RejectedError,
}
_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)


def _path(_: object, attribute: Attribute[Any], path: str) -> None:
    if not path.startswith("/") or "?" in path or "#" in path or not path.isprintable():
        raise ValueError(
            f"{attribute.name} begins with a slash and has no query (what was given is not shown)"
        )


def _successes(_: object, attribute: Attribute[Any], statuses: tuple[int, ...]) -> None:
    if not statuses or any(not 200 <= status < 300 for status in statuses):
        raise ValueError(f"{attribute.name} is one or more HTTP statuses from 200 to 299")


@frozen
class Condition:
    """What has to be at a place in an answer: exactly one of these values.

    Args:
        pointer: The place.
        values: What it may be; a number is no text, and true is no 1.
    """

    pointer: Pointer
    values: tuple[object, ...]

    def holds(self, data: object) -> bool:
        """Return whether an answer has it."""
        found = self.pointer.find(data)
        return any(type(found) is type(value) and found == value for value in self.values)

    @classmethod
    def parse(cls, pointer: str, value: object) -> Condition:
        """Read a condition; raises `ValueError` if it makes no sense."""
        values: tuple[object, ...] = tuple(value) if is_array(value) else (value,)
        if not values or not all(isinstance(each, (str, int, float)) for each in values):
            raise ValueError(f"{pointer!r} is a text, a number, true or false, or a list of them")
        return cls(Pointer.parse(pointer), values)


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
                raise ValueError(f"timezone {self.timezone!r} is no IANA name") from None

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
class Acceptance:
    """What proves that a text was taken: all of it. Anything less is unknown.

    Args:
        status: HTTP statuses.
        where: Values that have to be in the answer, by JSON pointer.
        id: Where the id of the text is; if it is named, it has to be there.
        cost: Where the price is, if the gateway tells it.
    """

    status: tuple[int, ...] = field(default=(200,), validator=_successes)
    where: tuple[Condition, ...] = ()
    id: Pointer | None = None
    cost: Pointer | None = None

    def __attrs_post_init__(self) -> None:
        if not self.where and self.id is None:
            raise ValueError("a status alone proves nothing: name id, or what is there by where")


def _error_places(_: object, __: object, pointers: tuple[Pointer, ...]) -> None:
    if any(ANY in pointer.tokens[:-1] for pointer in pointers):
        raise ValueError("* stands for the last key of a pointer, as in /errors/*")
    if any(token.isdecimal() for pointer in pointers for token in pointer.tokens):
        raise ValueError("lists are looked through by themselves: leave out the number")


@frozen(kw_only=True)
class Errors:
    """The exact form of the gateway's errors: an answer with anything else in it is none.

    Args:
        words: Where the words are that a refusal is known by, as JSON pointers; `*` is any key.
        where: Values at the top that make an answer an error.
        also: Where else something may be, which refusals are not known by.
    """

    words: tuple[Pointer, ...] = field(default=(), validator=_error_places)
    where: tuple[Condition, ...] = ()
    also: tuple[Pointer, ...] = field(default=(), validator=_error_places)

    def __attrs_post_init__(self) -> None:
        if any(len(condition.pointer.tokens) > 1 for condition in self.where):
            raise ValueError("where names values at the top of an error, such as /status")

    def marks(self, data: object) -> bool:
        """Return whether an answer has what makes it an error, whatever else is in it."""
        return bool(self.where) and all(each.holds(data) for each in self.where)

    @property
    def form(self) -> ErrorForm:
        """The form, as the rule for refusals knows it."""
        mark = {condition.pointer.tokens[0]: condition.values for condition in self.where}
        words, also = _paths_of(self.words), _paths_of(self.also)
        return ErrorForm(mark, words, dict.fromkeys(also), codes=True)

    def said(self, data: object) -> list[str]:
        """Return the words in an error."""
        found = (value for pointer in self.words for value in pointer.find_all(data))
        return [text for value in found if (text := _as_text(value))]


def _paths_of(pointers: Iterable[Pointer]) -> list[str]:
    return [".".join(pointer.tokens) for pointer in pointers]


def _as_text(value: object) -> str:
    """Return words, or a code, as text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()


@frozen(kw_only=True)
class Refused:
    """One refusal that the gateway is known to make before it sends anything.

    Args:
        error: What it is: one of the keys of `ERRORS`.
        status: The HTTP statuses that it comes with, below 500.
        words: The whole words, one of these; case and the last full stop do not matter.
        pattern: A regular expression for the whole words instead: three letters or digits that are
            always there at the least, and wildcards for 40 characters at the most.
        healable: Whether a later try or another gateway could succeed.
        blame: What caused it: `"account"`, `"message"` or `"recipient"`.
        evidence: Where it was seen.
    """

    error: ErrorName
    status: tuple[int, ...]
    words: tuple[str, ...] = ()
    pattern: str | None = None
    healable: bool | None = None
    blame: Blame | None = None
    evidence: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.status or any(not 200 <= status < 500 for status in self.status):
            raise ValueError(
                "status is one or more HTTP statuses below 500: a server error proves no refusal"
            )
        if self.words and self.pattern is not None:
            raise ValueError("give words or a pattern, not both")
        if self.pattern is not None:
            check_pattern(self.pattern)
        elif not self.words or not all(any(map(str.isalnum, each)) for each in self.words):
            raise ValueError("give words, or a pattern: a status alone proves no refusal")

    @property
    def row(self) -> Refusal:
        """The refusal, as the rule for refusals knows it."""
        words = (rf"{re.escape(each.strip(' .'))}\.?" for each in self.words)
        return Refusal(
            ERRORS[self.error],
            self.pattern or "|".join(words),
            self.status,
            healable=self.healable,
            blame=self.blame,
            evidence=self.evidence,
        )


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

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """The refusals, as the rule for them knows them."""
        return tuple(each.row for each in self.refused)
