"""The adapter of IPROG SMS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, Self, TypeVar

from attrs import field, frozen, validators

from iprog_async import Balance, ConfigurationError, DeliveryStatus, InvalidMessageError, Outcome
from iprog_async.adapter import (
    Answer,
    BaseProvider,
    Batching,
    Capabilities,
    Effect,
    Gateway,
    HttpCall,
    PreparedMessage,
    SmsUrl,
    clean_secret,
    to_e164,
)
from iprog_async_providers.iprog import _answers
from iprog_async_providers.iprog._answers import Network
from iprog_async_providers.iprog._otp import Otp
from iprog_async_providers.iprog._reminders import Reminders, reminder_id


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

T = TypeVar("T")

BASE_URL = "https://www.iprogsms.com"
"""The apex may redirect here, and redirects are never followed: a POST would become a GET."""

Route = Literal[0, 1, 2]
_ROUTES = validators.optional(validators.in_((0, 1, 2)))


@frozen
class IprogOptions:
    """What IPROG alone can do with a message.

    Args:
        sms_provider: Which of IPROG's routes to use, 0, 1 or 2; the adapter's if `None`.
    """

    sms_provider: Route | None = field(default=None, validator=_ROUTES)


def _token(value: str) -> str:
    return clean_secret(value, "IPROG api_token")


@frozen(eq=False, slots=False)
class IprogProvider(BaseProvider):
    """IPROG SMS, Philippines (docs/gateways/iprog.md).

    Args:
        api_token: The token of the account's dashboard.
        name: Unique label of this account.
        base_url: Another host, or the sandbox.
        token_in: Where the token travels in POST, PATCH and DELETE. GET always takes the query.
        sms_provider: Which of IPROG's routes to use, 0, 1 or 2; the gateway's choice if `None`.
        max_batch: The most recipients of one request. No limit is documented, and one lost
            answer leaves that many texts unknown.
        rate: The most requests, such as `"60/min"`; IPROG documents no limit.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: The token or a setting is missing or wrong; no token is shown.
    """

    scheme: ClassVar[str] = "iprog"
    env_names: ClassVar[tuple[str, ...]] = ("IPROG_SMS_API_TOKEN",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        title="IPROG SMS", scheduling="reminder", operations=("otp", "reminders", "detect")
    )
    options_type: ClassVar[type[object] | None] = IprogOptions

    api_token: str = field(converter=_token, repr=False)
    name: str = field(default="iprog", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)
    token_in: Literal["json", "query"] = field(default="json", kw_only=True)
    sms_provider: Route | None = field(default=None, kw_only=True)
    max_batch: int = field(default=100, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.token_in not in ("json", "query"):
            raise ConfigurationError(f"token_in is 'json' or 'query', not {self.token_in!r}")
        if self.sms_provider not in (None, 0, 1, 2):
            raise ConfigurationError(f"sms_provider is 0, 1 or 2, not {self.sms_provider!r}")
        # Building it checks the address.
        _ = self.gateway

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `IPROG_SMS_API_TOKEN`, the vendor's own name for it."""
        token = environ.get("IPROG_SMS_API_TOKEN")
        return cls(token) if token else None

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `iprog://TOKEN@`."""
        settings = url.settings(name=str, token_in=str, sms_provider=int, max_batch=int, rate=str)
        return cls(url.username, base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return IPROG's part in the local sandbox."""
        from iprog_async_providers.iprog._sandbox import GATEWAY

        return GATEWAY

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        return Gateway(self.name, self.base_url, (self.api_token,), self.rate, _HEADERS)

    @property
    def batching(self) -> Batching:
        """One text for many; a scheduled text is a reminder, which has one recipient."""
        return Batching(max_batch=self.max_batch)

    @property
    def otp(self) -> Otp:
        """One-time passwords that IPROG makes, sends and checks."""
        return Otp(self)

    @property
    def reminders(self) -> Reminders:
        """Texts that IPROG sends later."""
        return Reminders(self)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far a text has come; a reminder is `pending` until its time.

        Raises:
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        reminder = reminder_id(message_id)
        if reminder is not None:
            return (await self.reminders.get(reminder)).delivery_status
        return await self.read(
            "/api/v1/sms_messages/status",
            self.reader(_answers.read_status),
            "read the status",
            {"message_id": message_id},
        )

    async def balance(self) -> Balance:
        """Return the credits left; the path is `account/`, where the vendor's guide errs.

        Raises:
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self.read(
            "/api/v1/account/sms_credits",
            self.reader(_answers.read_balance),
            "read the balance",
        )

    async def detect(self, number: str) -> Network:
        """Return which mobile network a number belongs to.

        Known from clients of the gateway, not from its own pages.

        Raises:
            InvalidMessageError: It is no Philippine mobile number.
            NoAnswerError: No trustworthy answer; ask again.
        """
        _, to = self.number(number)
        return await self.write(
            "POST",
            "/api/v1/phone_numbers/detect",
            self.reader(_answers.read_network),
            "detect the network",
            {"phone_number": to},
            effect=Effect.READ,
        )

    async def read(
        self,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        query: Mapping[str, str] | None = None,
        *,
        confidential: bool = False,
    ) -> T:
        """Make a GET call; its token can only travel in the query."""
        call = HttpCall(
            self.gateway,
            "GET",
            path,
            read,
            what,
            effect=Effect.READ,
            query={"api_token": self.api_token, **(query or {})},
            confidential=confidential,
        )
        return await self._call(call)

    async def write(
        self,
        method: str,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        body: Mapping[str, object],
        *,
        effect: Effect = Effect.ONCE,
        secrets: tuple[str, ...] = (),
        confidential: bool = False,
        on_gone: Callable[[], T] | None = None,
    ) -> T:
        """Make a POST, PATCH or DELETE call, with the token where `token_in` says."""
        in_query = self.token_in == "query"  # noqa: S105 - a place, not a password
        token = {"api_token": self.api_token}
        call = HttpCall(
            self.gateway,
            method,
            path,
            read,
            what,
            effect=effect,
            query=token if in_query else None,
            json=body if in_query else {**token, **body},
            secrets=secrets,
            confidential=confidential,
            on_gone=on_gone,
        )
        return await self._call(call)

    def reader(self, read: Callable[[_answers.Envelope], T]) -> Callable[[Answer], T]:
        """Return a function that checks the envelope before it reads the value."""

        def check_and_read(answer: Answer) -> T:
            return read(_answers.check(answer, self.name, self.refusals))

        return check_and_read

    def _number(self, number: str) -> tuple[str, str]:
        return self.number(number)

    def number(self, number: str) -> tuple[str, str]:
        """Return a number as E.164 and as IPROG writes it, `639171234567`."""
        e164 = to_e164(number, "PH", mobile_only=True)
        if not _answers.MOBILE.fullmatch(e164):
            raise InvalidMessageError(
                f"the phone number {number!r} is not a Philippine mobile number (09…), "
                "and IPROG sends to no others"
            )
        return e164, e164[1:]

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        message = batch[0].message
        if message.schedule_at is not None:
            return [await self.reminders.schedule(prepared) for prepared in batch]
        body: dict[str, object] = {
            "phone_number": ",".join(prepared.to for prepared in batch),
            "message": message.text,
        }
        options = message.options
        route = options.sms_provider if isinstance(options, IprogOptions) else None
        route = self.sms_provider if route is None else route
        if route is not None:
            body["sms_provider"] = route
        if len(batch) == 1:
            read, path = _answers.read_sent, "/api/v1/sms_messages"
        else:
            read, path = _answers.read_sent_bulk, "/api/v1/sms_messages/send_bulk"
        reader = self.reader(lambda envelope: read(envelope, batch, self.name))
        return await self.write("POST", path, reader, "send the text", body)


_HEADERS = (("Accept", "application/json"),)
