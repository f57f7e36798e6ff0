"""The adapter of IPROG SMS."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from attrs import evolve, field, frozen

from iprog_async import (
    Balance,
    ConfigurationError,
    DeliveryStatus,
    InvalidMessageError,
    Message,
    Outcome,
    UnsupportedError,
)
from iprog_async.adapter import (
    Answer,
    ApiPaths,
    BaseProvider,
    Batching,
    Call,
    Capabilities,
    Effect,
    Gateway,
    PreparedMessage,
    SmsUrl,
    clean_secret,
    shown,
    whole_number,
)
from iprog_async_providers.iprog import _answers
from iprog_async_providers.iprog._answers import Network
from iprog_async_providers.iprog._api import TokenPlace, Wire, to_wire_number
from iprog_async_providers.iprog._otp import Otp
from iprog_async_providers.iprog._reminders import Reminders, reminder_id
from iprog_async_providers.iprog._times import MANILA, MINUTE, manila_time


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

BASE_URL = "https://www.iprogsms.com"
"""The apex may redirect here, and redirects are never followed: a POST would become a GET."""

Route = Literal[0, 1, 2]
_HEADERS = (("Accept", "application/json"),)
_PATHS = ApiPaths(
    "/api/v1",
    (
        "sms_messages",
        "sms_messages/send_bulk",
        "sms_messages/status",
        "account/sms_credits",
        "accounts/sms_credits",
        "message-reminders",
        "otp/send_otp",
        "otp/verify_otp",
        "phone_numbers/detect",
    ),
)


@frozen
class IprogOptions:
    """What IPROG alone can do with a message; a bad value shows when the message is prepared.

    Args:
        sms_provider: Which of IPROG's routes to use, 0, 1 or 2; the adapter's if `None`.
            Scheduled texts can't have one.
    """

    sms_provider: Route | None = None


def _token(value: str) -> str:
    return clean_secret(value, "IPROG api_token")


def _is_route(value: object) -> bool:
    # True equals 1, and would travel as `true`.
    return type(value) is int and value in (0, 1, 2)


@frozen(eq=False, slots=False)
class IprogProvider(BaseProvider):
    """IPROG SMS, Philippines (docs/gateways/iprog.md).

    Args:
        api_token: The token of the account's dashboard.
        name: Unique label of this account.
        base_url: Another host, or the sandbox.
        token_in: Where the token travels in POST, PATCH and DELETE. GET always takes the query.
        sms_provider: Which of IPROG's routes to use, 0, 1 or 2; the gateway's choice if `None`.
            Scheduled texts and one-time passwords have no such setting.
        max_batch: The most recipients of one request. No limit is documented, and one lost
            answer leaves that many texts unknown.
        rate: The most requests, such as `"60/min"`; IPROG documents no limit.
        refusals: Further refusals that are certainly made before dispatch; each matches the
            whole text, and lists only with `whole_request=True`.

    Raises:
        ConfigurationError: The token or a setting is missing or wrong; no token is shown.
    """

    scheme: ClassVar[str] = "iprog"
    env_names: ClassVar[tuple[str, ...]] = ("IPROG_SMS_API_TOKEN",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        title="IPROG SMS",
        scheduling="reminder",
        operations=("otp", "reminders", "detect"),
        timezone=MANILA.key,
        schedule_step=MINUTE,
    )
    options_type: ClassVar[type[object] | None] = IprogOptions

    api_token: str = field(converter=_token, repr=False)
    name: str = field(default="iprog", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)
    token_in: TokenPlace = field(default="json", kw_only=True)
    sms_provider: Route | None = field(default=None, kw_only=True)
    max_batch: int = field(default=100, kw_only=True, validator=whole_number())

    def __attrs_post_init__(self) -> None:
        if self.token_in not in ("json", "query"):
            raise ConfigurationError(f"token_in is 'json' or 'query', not {shown(self.token_in)}")
        if self.sms_provider is not None and not _is_route(self.sms_provider):
            raise ConfigurationError(f"sms_provider is 0, 1 or 2, not {shown(self.sms_provider)}")
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
        return cls(url.credential(), base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return IPROG's part in the local sandbox."""
        from iprog_async_providers.iprog._sandbox import GATEWAY

        return GATEWAY

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        return Gateway(self.name, self.base_url, (self.api_token,), self.rate, _HEADERS, _PATHS)

    def bind(self, call: Call, /) -> Self:
        """Return a copy that makes its calls through `call`; the original stays untouched."""
        bound = super().bind(call)
        # What the original may have made goes through the original's call.
        vars(bound).pop("_wire", None)
        return bound

    @property
    def batching(self) -> Batching:
        """One text for many; a scheduled text is a reminder, which has one recipient."""
        return Batching(max_batch=self.max_batch)

    @property
    def otp(self) -> Otp:
        """One-time passwords that IPROG makes, sends and checks."""
        return Otp(self._wire)

    @property
    def reminders(self) -> Reminders:
        """Texts that IPROG sends later."""
        return Reminders(self._wire, self.prepare)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far a text has come; a reminder is `pending` until its time.

        Raises:
            NotFoundError: It knows no such text.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        reminder = reminder_id(message_id)
        if reminder is not None:
            return (await self.reminders.get(reminder)).delivery_status
        return await self._wire.read(
            "/api/v1/sms_messages/status",
            self._wire.reader(_answers.read_status, _answers.NO_SUCH_ID),
            "read the status",
            {"message_id": message_id},
        )

    async def balance(self) -> Balance:
        """Return the credits left; the path is `account/`, where the vendor's guide errs.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        return await self._wire.read(
            "/api/v1/account/sms_credits",
            self._wire.reader(_answers.read_balance),
            "read the balance",
        )

    async def detect(self, number: str) -> Network:
        """Return which mobile network a number belongs to.

        Known from clients of the gateway, not from its own pages.

        Raises:
            InvalidMessageError: It is no number that IPROG is known to take.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """
        _, to = to_wire_number(number)
        return await self._wire.write(
            "POST",
            "/api/v1/phone_numbers/detect",
            self._wire.reader(_answers.read_network),
            "detect the network",
            {"phone_number": to},
            effect=Effect.READ,
        )

    # Each send needs it.
    @cached_property
    def _wire(self) -> Wire:
        return Wire(self.gateway, self.token_in, self.refusals, self._call)

    def _number(self, number: str) -> tuple[str, str]:
        return to_wire_number(number)

    def _as_sent(self, message: Message) -> Message:
        wire = super()._as_sent(message)
        if wire.options is not None and _route(wire) in (None, self.sms_provider):
            return evolve(wire, options=None)
        return wire

    def _check(self, message: Message) -> None:
        if message.sender_id is not None:
            raise UnsupportedError(
                f"{self.name} takes no sender ID: IPROG uses the name approved for the account"
            )
        if message.schedule_at is not None:
            manila_time(message.schedule_at)
        route = _route(message)
        if route is None:
            return
        if not _is_route(route):
            raise InvalidMessageError(f"sms_provider is 0, 1 or 2, not {shown(route)}")
        if message.schedule_at is not None:
            raise UnsupportedError(f"{self.name} takes no sms_provider for a scheduled text")

    # As `Wire.write`, without a coroutine of its own.
    def _send(self, batch: Sequence[PreparedMessage]) -> Coroutine[Any, Any, Sequence[Outcome]]:
        message = batch[0].wire
        if message.schedule_at is not None:
            return self._schedule(batch)
        body: dict[str, object] = {
            "phone_number": ",".join([prepared.to for prepared in batch]),
            "message": message.text,
        }
        route = _route(message)
        route = self.sms_provider if route is None else route
        if route is not None:
            body["sms_provider"] = route
        if len(batch) == 1:
            read, path = _answers.read_sent, "/api/v1/sms_messages"
        else:
            read, path = _answers.read_sent_bulk, "/api/v1/sms_messages/send_bulk"
        wire = self._wire

        def check_and_read(answer: Answer) -> list[Outcome]:
            return read(wire.check(answer), batch, self.name)

        return wire.write(
            "POST", path, check_and_read, "send the text", body, recipients=len(batch)
        )

    async def _schedule(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [await self.reminders.schedule(prepared) for prepared in batch]


def _route(message: Message) -> Route | None:
    options = message.options
    return options.sms_provider if isinstance(options, IprogOptions) else None
