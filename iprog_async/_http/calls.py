"""A request as data, an answer as data: all that passes between adapters and the session."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from attrs import define, field

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.hot_path import value
from iprog_async._core.json_types import is_object
from iprog_async._core.rates import Rate
from iprog_async._core.redaction import Redactor, shown
from iprog_async._core.sealed import seal_all, seal_values
from iprog_async._http.base_urls import ApiPaths, to_base_url


T = TypeVar("T")


class Effect(Enum):
    """What repeating a request would do, in words of RFC 9110; retries follow it, not the verb."""

    ONCE = "once"
    """Not idempotent, or billed: repeated only if it certainly did not reach the gateway."""
    READ = "read"
    """Safe: changes nothing."""
    IDEMPOTENT = "idempotent"
    """Idempotent: twice is as good as once."""


class UnclearAnswer(Exception):  # noqa: N818 - a signal to the session, never shown to users
    """Raised by a `read` function: this answer proves neither success nor refusal.

    Args:
        reason: What was seen, for the person who reads the error.
        references: Ids the gateway gave all the same.
    """

    def __init__(self, reason: str, *, references: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.references = references


class NotJson:
    """Stands for a body that is no JSON."""

    def __repr__(self) -> str:
        return "NOT_JSON"


NOT_JSON = NotJson()


@value
class Answer:
    """What came back over the wire, with this account's secrets masked.

    Args:
        status: HTTP status.
        headers: Header fields, names in lower case.
        data: The parsed JSON body, or `NOT_JSON`.
        excerpt: The start of a body that is no JSON object, for errors.
        blank: Whether there was no body, or nothing but white space.
        once: Whether it answers a call that must not be made twice, such as a send. Only then
            does a refusal have to be proved; a wrong word about a read does no harm.
        recipients: How many people the request was for.
        says_taken: Whether a body that is no JSON speaks of something as sent or accepted, or
            is in a form that nobody has read.
        moved_to: Host that a redirection names, or nothing.
        says_no_more: Whether a body that is no JSON names the status, and says nothing else.
        whole: Whether it is certain that this is all of it: it ended where it said that it would,
            and nothing came before it or behind. Whoever takes silence for a yes has to ask.
        unmasked: Texts of `data` that were masked for a word of theirs that a weak secret is, too,
            as they came: where they are ids they go on so. They are not for reading.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    data: object = field(repr=False)
    excerpt: str = ""
    blank: bool = False
    once: bool = True
    recipients: int = 1
    says_taken: bool = False
    moved_to: str = ""
    says_no_more: bool = False
    whole: bool = True
    unmasked: Mapping[str, str] = field(factory=dict[str, str], repr=False)

    def object(self) -> dict[str, Any]:
        """Return the body as a JSON object; raises `UnclearAnswer` if it is none."""
        if is_object(self.data):
            return self.data
        if self.data is NOT_JSON:
            shown = f": {self.excerpt!r}" if self.excerpt else ""
            raise UnclearAnswer(f"HTTP {self.status} with a body that is no JSON{shown}")
        raise UnclearAnswer(f"HTTP {self.status} with JSON that is no object: {self.excerpt!r}")


def check_name(_: object, __: object, name: str) -> None:
    """Raise `ConfigurationError` unless a provider's label can be part of a reference."""
    if not name or ":" in name or name != name.strip():
        raise ConfigurationError(
            f"{shown(name)} is no name for a provider: one word without a colon"
        )


def names_agent(headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether a `User-Agent` is among header fields."""
    return any(name.lower() == "user-agent" for name, _ in headers)


@define(slots=False, eq=False)
class Gateway:
    """One host as one account sees it: what calls share a rate, a pause and secrets.

    Args:
        name: Name of the provider, for errors.
        base_url: Address that paths are appended to.
        secrets: The account's credentials, masked in whatever comes back.
        rate: The most requests the gateway takes, or `None`.
        headers: Header fields of every request.
        paths: The paths of the API, which `base_url` may already hold; they are taken off it.
    """

    name: str = field(validator=check_name)
    base_url: str = field(converter=to_base_url)
    secrets: tuple[str, ...] = field(converter=seal_all, repr=False)
    rate: Rate | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), converter=seal_values, repr=False)
    paths: ApiPaths | None = field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.paths is None:
            return
        try:
            self.base_url = self.paths.base_of(self.base_url)
        except ConfigurationError as exc:
            words = str(exc)
        else:
            return
        # A password that is a word looks like a piece of the path, where somebody put it there.
        raise ConfigurationError(self.redactor.text(words))

    @cached_property
    def redactor(self) -> Redactor:
        """What masks this account's secrets."""
        return Redactor(self.secrets)

    @cached_property
    def names_agent(self) -> bool:
        """Whether the gateway's header fields say themselves which program asks."""
        return names_agent(self.headers)

    @cached_property
    def account(self) -> tuple[str, tuple[str, ...]]:
        """Host and credentials: accounts that are equal here share their rate limit."""
        return urlsplit(self.base_url).netloc, self.secrets


@value(eq=False)
class HttpCall(Generic[T]):
    """One request, and how to read its answer.

    Args:
        gateway: Whom to ask, and as whom.
        method: HTTP method.
        path: Path after the gateway's base URL.
        read: Pure function from the answer to the value. It raises a `ProviderError` for a
            certain refusal and `UnclearAnswer` for everything it can't trust.
        what: What the call does, in words for errors: `"send the text"`.
        effect: What repeating the request would do.
        query: Query parameters, in order.
        json: Body to be sent as JSON.
        form: Body to be sent as a form.
        headers: Header fields besides the gateway's.
        secrets: Further values to mask, such as a one-time password.
        confidential: Whether the answer may hold a code that no error may quote.
        on_gone: Value of a repeated call that finds nothing: the first one had worked.
        single_attempt: Whether an `ONCE` call is tried once, whatever the retry policy says,
            and not at all while its account is paused. A router of several gateways sets it,
            because it has the one retry loop for all of them.
        recipients: How many people it texts. With more than one, only a check of the whole
            request is a refusal of it.
    """

    gateway: Gateway
    method: str
    path: str
    read: Callable[[Answer], T] = field(repr=False)
    what: str
    effect: Effect = Effect.ONCE
    query: Mapping[str, str] | None = field(default=None, repr=False)
    json: object = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    confidential: bool = False
    on_gone: Callable[[], T] | None = field(default=None, repr=False)
    single_attempt: bool = False
    recipients: int = 1

    def __attrs_post_init__(self) -> None:
        # Most calls have neither, and converters take twice the time, in each send.
        if self.headers or self.secrets:
            object.__setattr__(self, "headers", seal_values(self.headers))
            object.__setattr__(self, "secrets", seal_all(self.secrets))

    @property
    def made_once(self) -> bool:
        """Whether the session neither repeats the call nor waits out a pause for it."""
        return self.single_attempt and self.effect is Effect.ONCE

    def redactor(self) -> Redactor:
        """Return what masks every secret of this call."""
        if not self.secrets:
            return self.gateway.redactor
        return Redactor(self.gateway.secrets + self.secrets)


class Call(Protocol):
    """What an adapter is bound to: makes one call and returns its value.

    Raises an `SmsError`: `OutcomeUnknownError` if an `ONCE` call may have had its effect,
    any other if it certainly had none.
    """

    def __call__(self, call: HttpCall[T], /) -> Coroutine[Any, Any, T]:
        """Make the call."""
        ...
