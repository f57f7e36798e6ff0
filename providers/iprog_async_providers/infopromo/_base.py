"""What both flavours of Ultimate SMS's API share: everything but where the token travels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Self

from attrs import evolve, field, frozen

from iprog_async import (
    Balance,
    ConfigurationError,
    DeliveryStatus,
    Inbound,
    InvalidMessageError,
    Message,
    Outcome,
)
from iprog_async.adapter import (
    Answer,
    ApiPaths,
    BaseProvider,
    Batching,
    Effect,
    Gateway,
    PreparedMessage,
    ReceivedCursor,
    SmsUrl,
    UnclearAnswer,
    failed,
    is_object,
    to_flag,
    to_region,
    to_sender_id,
    whole_number,
    words,
)
from iprog_async_providers.infopromo import _options
from iprog_async_providers.infopromo._account import read_balance, read_me
from iprog_async_providers.infopromo._answers import Envelope
from iprog_async_providers.infopromo._api import Api, Params, check_content, to_wire_number
from iprog_async_providers.infopromo._campaigns import Campaigns
from iprog_async_providers.infopromo._contacts import Contacts
from iprog_async_providers.infopromo._hosts import HOSTS, Host, host_named
from iprog_async_providers.infopromo._inbound import read_push, received
from iprog_async_providers.infopromo._messages import Messages
from iprog_async_providers.infopromo._options import InfopromoOptions
from iprog_async_providers.infopromo._sending import (
    QUEUE,
    Batch,
    read_despite_error,
    read_outcomes,
)
from iprog_async_providers.infopromo._states import queue_status


_ACCEPT = ("Accept", "application/json")
"""Without it the server writes its errors as HTML."""
# The server takes no more (SRC: 3.8 and later).
_MOST_NUMBERS = 100


@frozen(eq=False, slots=False)
class UltimateSmsBase(BaseProvider):
    """Both flavours; see `UltimateSmsProvider` for the arguments."""

    paths: ClassVar[ApiPaths]
    """The paths of this flavour."""
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
    host: str | None = field(default=None, kw_only=True)
    base_url: str = field(default="", kw_only=True)
    sender_id: str | None = field(default=None, kw_only=True, converter=to_sender_id)
    timezone: str | None = field(default=None, kw_only=True, validator=_options.check_timezone)
    region: str | None = field(default=None, kw_only=True, converter=to_region)
    allow_unscheduled_single: bool = field(default=False, kw_only=True)
    max_batch: int = field(default=100, kw_only=True, validator=whole_number(1, _MOST_NUMBERS))

    def __attrs_post_init__(self) -> None:
        if self.host is not None:
            self._go_to(host_named(self.host))
        elif not self.base_url:
            raise ConfigurationError(
                f"where is the host? Give base_url='https://…', or host= with one of "
                f"{', '.join(HOSTS)}"
            )
        # Building it checks the address.
        _ = self.gateway

    def _go_to(self, host: Host) -> None:
        """Take address and region from a known host, where the account says nothing else."""
        if self.base_url not in ("", self.home):
            raise ConfigurationError("give host or base_url: each says where the API is")
        object.__setattr__(self, "base_url", host.base_url)
        if self.region is None:
            object.__setattr__(self, "region", host.region)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from an address such as `infopromo://TOKEN@?sender_id=X`.

        The bar in a token is percent-encoded: `1%7Cabc`.

        Raises:
            ConfigurationError: A credential or setting is missing or wrong.
        """
        settings = url.settings(**cls.url_settings)
        if url.host.lower() in HOSTS and "base_url" not in url.params:
            return cls(url.credential(), host=url.host, **settings)
        return cls(url.credential(), base_url=url.base_url(cls.home), **settings)

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        headers = (_ACCEPT, *self._auth_headers())
        return Gateway(self.name, self.base_url, (self.api_token,), self.rate, headers, self.paths)

    @property
    def batching(self) -> Batching:
        """One text for many; a scheduled text does not travel alone, unless the trap is allowed."""
        if self.allow_unscheduled_single:
            return Batching(max_batch=self.max_batch, max_scheduled=self.max_batch)
        # Three is the smallest limit that any number from two on can be split by.
        most = max(self.max_batch, 3)
        return Batching(max_batch=self.max_batch, max_scheduled=most, min_scheduled=2)

    @property
    def campaigns(self) -> Campaigns:
        """Texts for whole contact groups; with the HTTP API only on servers from 3.13 on."""
        return Campaigns(self._api)

    @property
    def contacts(self) -> Contacts:
        """Contacts and their groups."""
        return Contacts(self._api)

    @property
    def messages(self) -> Messages:
        """What the account sent and received."""
        return Messages(self._api)

    def read_push(self, fields: Mapping[str, object], /) -> Sequence[Inbound]:
        """Return the text that a server from 3.13 on posted to the account's webhook address.

        Raises:
            UnclearAnswer: It is nothing of the kind.
        """
        return [read_push(fields, self.name, self.region)]

    def received(self, cursor: ReceivedCursor | None = None, /) -> AsyncIterator[Inbound]:
        """Iterate over what the account received since the cursor was used last, oldest first.

        Servers before 3.13 do not say which texts they received, and list none here.

        Args:
            cursor: How far the list was read; from its beginning without one, which on newer
                servers is 30 days ago.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return received(self._api, cursor or ReceivedCursor())

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far a text has come; for a queued request, how far the request has.

        Raises:
            NotFoundError: The account has no such message.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        if not message_id.startswith(QUEUE):
            return (await self.messages.get(message_id)).delivery_status
        queue_uid = _options.segment(message_id.removeprefix(QUEUE), "queued request")
        return await self._api.request(
            "GET",
            f"/sms/queue/{queue_uid}",
            self._api.reader(_read_queue),
            "read the status",
            effect=Effect.READ,
        )

    async def balance(self) -> Balance:
        """Return what is left; `amount` is `None` where the gateway says "Unlimited".

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._api.request(
            "GET",
            "/balance",
            self._api.reader(read_balance),
            "read the balance",
            effect=Effect.READ,
        )

    async def me(self) -> dict[str, object]:
        """Return the account's record; the token that the gateway puts into it is masked.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._api.request(
            "GET", "/me", self._api.reader(read_me), "read the account", effect=Effect.READ
        )

    @property
    def _api(self) -> Api:
        return Api(
            self.gateway,
            self.paths.root,
            self.refusals,
            self._call,
            self._authorised,
            sender_id=self.sender_id,
            timezone=self.timezone,
            region=self.region,
        )

    def _as_sent(self, message: Message) -> Message:
        message = super()._as_sent(message)
        options = message.options
        if isinstance(options, InfopromoOptions) and options.says_nothing_about(message.text):
            return evolve(message, options=None)
        return message

    def _check(self, message: Message) -> None:
        check_content(message, self.sender_id, self.timezone)

    def _number(self, number: str) -> tuple[str, str]:
        return to_wire_number(number, self.region)

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        message = batch[0].wire
        scheduled = message.schedule_at is not None
        if scheduled and len(batch) == 1 and not self.allow_unscheduled_single:
            return [failed(batch[0], _trap())]
        api = self._api
        body = {"recipient": ",".join(p.to for p in batch), **api.content(message)}
        read = self._outcomes(api, Batch(batch, self.name, scheduled, self.refusals))
        return await self._deliver(api, body, read, len(batch))

    async def _deliver(
        self, api: Api, body: Params, read: Callable[[Answer], list[Outcome]], recipients: int
    ) -> Sequence[Outcome]:
        return await api.request(
            "POST", "/sms/send", read, "send the text", body, recipients=recipients
        )

    def _outcomes(self, api: Api, batch: Batch) -> Callable[[Answer], list[Outcome]]:
        read = api.reader(lambda envelope: read_outcomes(envelope, batch), sends=True)

        def read_answer(answer: Answer) -> list[Outcome]:
            reported = read_despite_error(answer, batch)
            return read(answer) if reported is None else reported

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
