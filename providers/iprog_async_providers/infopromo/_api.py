"""The calls of one account of Ultimate SMS, and what their bodies have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from attrs import frozen

from iprog_async import InvalidMessageError, Message
from iprog_async.adapter import Answer, Call, Effect, Gateway, HttpCall, Refusal, to_e164
from iprog_async_providers.infopromo import _options
from iprog_async_providers.infopromo._answers import Envelope, check
from iprog_async_providers.infopromo._options import InfopromoOptions


T = TypeVar("T")

Params = Mapping[str, str]

_PLAIN = InfopromoOptions()


class Authorise(Protocol):
    """Returns body and query with the token, where the flavour of the API carries it."""

    def __call__(
        self, body: Params | None, query: Params | None, *, token_in_url: bool
    ) -> tuple[Params | None, Params | None]:
        """Return them."""
        ...


@frozen(eq=False)
class Api:
    """Makes the calls of one account.

    Args:
        gateway: The host, as this account sees it; its one secret is the token.
        prefix: What the paths of the flavour begin with.
        refusals: The user's own rows, searched first.
        call: What the adapter is bound to.
        authorise: Puts the token where the flavour has it.
        sender_id: What phones show, unless a message has its own.
        timezone: Zone of the account's settings.
        region: Region of numbers without a country code.
    """

    gateway: Gateway
    prefix: str
    refusals: tuple[Refusal, ...]
    call: Call
    authorise: Authorise
    sender_id: str | None = None
    timezone: str | None = None
    region: str | None = None

    async def request(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        body: Params | None = None,
        *,
        query: Params | None = None,
        effect: Effect = Effect.ONCE,
        on_gone: Callable[[], T] | None = None,
        token_in_url: bool = False,
        recipients: int = 1,
    ) -> T:
        """Make a call, with the token where the flavour has it."""
        body, query = self.authorise(body, query, token_in_url=token_in_url)
        call = HttpCall(
            self.gateway,
            method,
            f"{self.prefix}{path}",
            read,
            what,
            effect=effect,
            query=query,
            json=body,
            on_gone=on_gone,
            recipients=recipients,
        )
        return await self.call(call)

    def reader(
        self, read: Callable[[Envelope], T], *, sends: bool = False
    ) -> Callable[[Answer], T]:
        """Return a function that checks the envelope before it reads the value."""

        def check_and_read(answer: Answer) -> T:
            return read(check(answer, self.gateway.name, self.refusals, sends=sends))

        return check_and_read

    def content(self, message: Message) -> dict[str, str]:
        """Return the part of a request that says what to send, as whom and when."""
        options = message.options if isinstance(message.options, InfopromoOptions) else _PLAIN
        fields = {
            "sender_id": message.sender_id or self.sender_id,
            "type": options.type_of(message.text),
            "message": message.text,
            "dlt_template_id": options.dlt_template_id,
        }
        if message.schedule_at is not None:
            fields["schedule_time"] = _options.wall_time(message.schedule_at, self.timezone)
        return {key: value for key, value in fields.items() if value is not None}


def to_wire_number(number: str, region: str | None) -> tuple[str, str]:
    """Return a number as E.164 and as the gateway writes it: `31612345678`."""
    e164 = to_e164(number, region)
    return e164, e164[1:]


def check_content(message: Message, sender_id: str | None, timezone: str | None) -> None:
    """Raise `InvalidMessageError` if a sender ID or a zone is missing; the others are defaults."""
    if message.sender_id is None and sender_id is None:
        raise InvalidMessageError(
            "the gateway sends nothing without a sender ID; give sender_id= to the message "
            "or to the provider (INFOPROMO_SENDER_ID)"
        )
    if message.schedule_at is not None:
        _options.wall_time(message.schedule_at, timezone)
