"""What both flavours of Ultimate SMS's API share: everything but where the token travels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Self, TypeVar

from attrs import field, frozen

from iprog_async import (
    Balance,
    DeliveryStatus,
    InvalidMessageError,
    Message,
    Outcome,
)
from iprog_async.adapter import (
    Answer,
    BaseProvider,
    Batching,
    Effect,
    Gateway,
    HttpCall,
    PreparedMessage,
    SmsUrl,
    UnclearAnswer,
    accepted,
    failed,
    is_object,
    mask_keys,
    to_e164,
    to_flag,
    words,
)
from iprog_async_providers.infopromo import _options
from iprog_async_providers.infopromo._account import read_balance, read_me
from iprog_async_providers.infopromo._answers import Envelope, check
from iprog_async_providers.infopromo._campaigns import Campaigns
from iprog_async_providers.infopromo._contacts import Contacts
from iprog_async_providers.infopromo._messages import Messages
from iprog_async_providers.infopromo._options import InfopromoOptions
from iprog_async_providers.infopromo._sending import (
    QUEUE,
    Batch,
    failed_delivery,
    read_outcomes,
)
from iprog_async_providers.infopromo._words import queue_status


T = TypeVar("T")

Params = Mapping[str, str]

_ACCEPT = ("Accept", "application/json")
"""Without it the server writes its errors as HTML."""

_PLAIN = InfopromoOptions()


@frozen(eq=False, slots=False)
class UltimateSmsBase(BaseProvider):
    """Both flavours; see `UltimateSmsProvider` for the arguments."""

    prefix: ClassVar[str]
    """What the paths of this flavour begin with."""
    home: ClassVar[str | None] = None
    """The host, where the adapter is for one host."""
    url_settings: ClassVar[dict[str, Callable[[str], object]]] = {
        "name": str,
        "sender_id": str,
        "timezone": str,
        "region": str,
        "allow_unscheduled_single": to_flag,
        "max_batch": int,
        "rate": str,
    }
    """Settings that an address may hold, and what reads them."""
    options_type: ClassVar[type[object] | None] = InfopromoOptions

    api_token: str = field(converter=_options.to_token, repr=False)
    base_url: str = field(kw_only=True)
    sender_id: str | None = field(
        default=None, kw_only=True, validator=_options.check_default_sender
    )
    timezone: str | None = field(default=None, kw_only=True, validator=_options.check_timezone)
    region: str | None = field(default=None, kw_only=True, converter=_options.to_region)
    allow_unscheduled_single: bool = field(default=False, kw_only=True)
    max_batch: int = field(default=100, kw_only=True, validator=_options.check_max_batch)

    def __attrs_post_init__(self) -> None:
        # Building it checks the address.
        _ = self.gateway

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from an address such as `infopromo://TOKEN@?sender_id=X`.

        The bar in a token is percent-encoded: `1%7Cabc`.

        Raises:
            ConfigurationError: A credential or setting is missing or wrong.
        """
        settings = url.settings(**cls.url_settings)
        return cls(url.credential(), base_url=url.base_url(cls.home), **settings)

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        headers = (_ACCEPT, *self._auth_headers())
        return Gateway(self.name, self.base_url, (self.api_token,), self.rate, headers)

    @property
    def batching(self) -> Batching:
        """One text for many; a scheduled text needs company, unless the trap is allowed."""
        if self.allow_unscheduled_single:
            return Batching(max_batch=self.max_batch, max_scheduled=self.max_batch)
        # Three is the smallest limit that any number from two on can be split by.
        most = max(self.max_batch, 3)
        return Batching(max_batch=self.max_batch, max_scheduled=most, min_scheduled=2)

    @property
    def campaigns(self) -> Campaigns:
        """Texts for whole contact groups; with the HTTP API only on servers from 3.13 on."""
        return Campaigns(self)

    @property
    def contacts(self) -> Contacts:
        """Contacts and their groups."""
        return Contacts(self)

    @property
    def messages(self) -> Messages:
        """What the account sent and received."""
        return Messages(self)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far a text has come; for a queued request, how far the request has.

        Raises:
            NotFoundError: The account has no such message.
            NoAnswerError: No trustworthy answer; ask again.
        """
        if not message_id.startswith(QUEUE):
            return (await self.messages.get(message_id)).delivery_status
        queue_uid = _options.segment(message_id.removeprefix(QUEUE), "queued request")
        return await self.request(
            "GET",
            f"/sms/queue/{queue_uid}",
            self.reader(_read_queue),
            "read the status",
            effect=Effect.READ,
        )

    async def balance(self) -> Balance:
        """Return what is left; `amount` is `None` where the gateway says "Unlimited".

        Raises:
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self.request(
            "GET",
            "/balance",
            self.reader(read_balance),
            "read the balance",
            effect=Effect.READ,
        )

    async def me(self) -> dict[str, object]:
        """Return the account's record; the token that the gateway puts into it is masked.

        Raises:
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self.request(
            "GET", "/me", self.reader(read_me), "read the account", effect=Effect.READ
        )

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
    ) -> T:
        """Make a call, with the token where this flavour has it."""
        body, query = self._authorised(body, query, token_in_url=token_in_url)
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
        )
        return await self._call(call)

    def reader(
        self, read: Callable[[Envelope], T], *, sends: bool = False
    ) -> Callable[[Answer], T]:
        """Return a function that checks the envelope before it reads the value."""

        def check_and_read(answer: Answer) -> T:
            return read(check(answer, self.name, self.refusals, sends=sends))

        return check_and_read

    def number(self, number: str) -> tuple[str, str]:
        """Return a number as E.164 and as the gateway writes it: `31612345678`."""
        e164 = to_e164(number, self.region)
        return e164, e164[1:]

    def content(self, message: Message) -> dict[str, str]:
        """Return the part of a request that says what to send, as whom and when."""
        options = message.options if isinstance(message.options, InfopromoOptions) else _PLAIN
        fields = {
            "sender_id": message.sender_id or self.sender_id,
            "type": options.type,
            "message": message.text,
            "dlt_template_id": options.dlt_template_id,
        }
        if message.schedule_at is not None:
            fields["schedule_time"] = _options.wall_time(message.schedule_at, self.timezone)
        return {key: value for key, value in fields.items() if value is not None}

    def _check(self, message: Message) -> None:
        self.check_content(message)

    def check_content(self, message: Message) -> None:
        """Raise `InvalidMessageError` if a sender ID or a zone is missing."""
        if message.sender_id is None and self.sender_id is None:
            raise InvalidMessageError(
                "the gateway sends nothing without a sender ID; give sender_id= to the message "
                "or to the provider (INFOPROMO_SENDER_ID)"
            )
        if message.schedule_at is not None:
            _options.wall_time(message.schedule_at, self.timezone)

    def _number(self, number: str) -> tuple[str, str]:
        return self.number(number)

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        message = batch[0].message
        scheduled = message.schedule_at is not None
        if scheduled and len(batch) == 1 and not self.allow_unscheduled_single:
            return [failed(batch[0], _trap())]
        body = {"recipient": ",".join(p.to for p in batch), **self.content(message)}
        return await self._deliver(body, self._outcomes(Batch(batch, self.name, scheduled)))

    async def _deliver(
        self, body: Params, read: Callable[[Answer], list[Outcome]]
    ) -> Sequence[Outcome]:
        return await self.request("POST", "/sms/send", read, "send the text", body)

    def _outcomes(self, batch: Batch) -> Callable[[Answer], list[Outcome]]:
        read = self.reader(lambda envelope: read_outcomes(envelope, batch), sends=True)

        def read_answer(answer: Answer) -> list[Outcome]:
            status = failed_delivery(answer) if len(batch.prepared) == 1 else None
            if status is None:
                return read(answer)
            raw = mask_keys(answer.data)
            prepared = batch.prepared[0]
            return [accepted(prepared, self.name, message_id=None, status=status, raw=raw)]

        return read_answer

    @abstractmethod
    def _auth_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the header fields that carry the token."""

    @abstractmethod
    def _authorised(
        self, body: Params | None, query: Params | None, *, token_in_url: bool
    ) -> tuple[Params | None, Params | None]:
        """Return body and query with the token, where they carry it."""


def _trap() -> InvalidMessageError:
    return InvalidMessageError(
        "servers of this gateway ignore the schedule of a request with one recipient and send "
        "the text at once, so nothing was sent; schedule two or more recipients with one text, "
        "or allow it with allow_unscheduled_single=True"
    )


def _read_queue(envelope: Envelope) -> DeliveryStatus:
    data = envelope.data
    found = words(data.get("status")) if is_object(data) else []
    if not found:
        raise UnclearAnswer("a queued request without a status")
    return queue_status(found[0], envelope.raw)
