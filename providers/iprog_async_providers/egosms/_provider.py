"""The adapter of EgoSMS, Uganda: Pahappa's Comms API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from attrs import field, frozen
from attrs.validators import optional

from iprog_async import Balance, Outcome
from iprog_async.adapter import (
    Answer,
    ApiPaths,
    BaseProvider,
    Batching,
    Capabilities,
    Effect,
    Gateway,
    HttpCall,
    PreparedMessage,
    SmsUrl,
    clean_secret,
    credentials_from_env,
    to_e164,
    to_region,
    to_sender_id,
    whole_number,
)
from iprog_async_providers.egosms._answers import read_balance, read_sent


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

BASE_URL = "https://comms.egosms.co"
# One address for everything; the vendor writes it with the slash.
_PATH = "/api/v1/json/"
_MOST_TEXTS = 1000
_LOWEST_PRIORITY = 4


def _username(value: str) -> str:
    return clean_secret(value, "EgoSMS username")


def _password(value: str) -> str:
    return clean_secret(value, "EgoSMS password")


@frozen(eq=False, slots=False)
class EgoSmsProvider(BaseProvider):
    """EgoSMS, Uganda (docs/gateways/egosms.md).

    Different texts travel in one request, and share one code.

    Args:
        username: The account's API user name.
        password: The account's API key, which the gateway calls its password; not that of the
            web site.
        name: Unique label of this account.
        base_url: Another host, or the local sandbox. Accounts of the older platform are at
            `https://www.egosms.co`; the vendor's own test environment, which texts nobody, at
            `https://comms-test.pahappa.net`.
        sender_id: Registered name that phones show, unless a message says otherwise; that of
            the account if there is none.
        priority: How urgent texts are, from 0 to 4, with 0 before all others; the gateway's own
            choice if `None`.
        region: Two-letter region of numbers without a country code.
        max_batch: The most texts of one request, 1000 at most. One lost answer leaves that
            many texts unknown.
        rate: The most requests, such as `"60/min"`; no limit is documented.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: A credential or setting is missing or wrong; none is shown.
    """

    scheme: ClassVar[str] = "egosms"
    paths: ClassVar[ApiPaths] = ApiPaths(
        "/api/v1", ("json",), {"/api/v1/plain": "", "/api/v1/xml": ""}
    )
    env_names: ClassVar[tuple[str, ...]] = (
        "EGOSMS_USERNAME",
        "EGOSMS_PASSWORD",
        "EGOSMS_SENDER_ID",
    )
    capabilities: ClassVar[Capabilities] = Capabilities(title="EgoSMS", timezone="Africa/Kampala")

    username: str = field(converter=_username, repr=False)
    password: str = field(converter=_password, repr=False)
    name: str = field(default="egosms", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)
    sender_id: str | None = field(default=None, kw_only=True, converter=to_sender_id)
    priority: int | None = field(
        default=None, kw_only=True, validator=optional(whole_number(0, _LOWEST_PRIORITY))
    )
    region: str | None = field(default="UG", kw_only=True, converter=to_region)
    max_batch: int = field(default=100, kw_only=True, validator=whole_number(1, _MOST_TEXTS))

    def __attrs_post_init__(self) -> None:
        # Building it checks the address.
        _ = self.gateway

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `EGOSMS_USERNAME`, `EGOSMS_PASSWORD` and `EGOSMS_SENDER_ID`.

        Raises:
            ConfigurationError: One of the first two is set without the other.
        """
        *pair, sender_id = cls.env_names
        given = credentials_from_env(environ, pair)
        sender = environ.get(sender_id, "").strip() or None
        return None if given is None else cls(*given, sender_id=sender)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `egosms://USERNAME:PASSWORD@`."""
        settings = url.settings(
            name=str, sender_id=str, priority=int, region=str, max_batch=int, rate=str
        )
        return cls(url.username, url.password, base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return EgoSMS's part in the local sandbox."""
        from iprog_async_providers.egosms._sandbox import GATEWAY

        return GATEWAY

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        # The name alone may be a word that answers are made of.
        secrets = (self.password, f"{self.username}:{self.password}")
        headers = (("Accept", "application/json"),)
        return Gateway(self.name, self.base_url, secrets, self.rate, headers, self.paths)

    @property
    def batching(self) -> Batching:
        """Any texts in one request; nothing is scheduled."""
        return Batching(max_batch=self.max_batch, mixed_texts=True)

    async def balance(self) -> Balance:
        """Return what is left for Ugandan numbers; other countries have a wallet of their own.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """

        def read(answer: Answer) -> Balance:
            return read_balance(answer, self.name, self.refusals)

        call = HttpCall(
            self.gateway,
            "POST",
            _PATH,
            read,
            "read the balance",
            effect=Effect.READ,
            json=self._asked("Balance"),
        )
        return await self._call(call)

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, self.region, mobile_only=True)
        return e164, e164.removeprefix("+")

    def _asked(self, method: str) -> dict[str, Any]:
        return {
            "method": method,
            "userdata": {"username": self.username, "password": self.password},
        }

    def _text(self, prepared: PreparedMessage) -> dict[str, str]:
        text = {"number": prepared.to, "message": prepared.wire.text}
        sender_id = prepared.wire.sender_id or self.sender_id
        if sender_id is not None:
            text["senderid"] = sender_id
        if self.priority is not None:
            text["priority"] = str(self.priority)
        return text

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        def read(answer: Answer) -> list[Outcome]:
            return read_sent(answer, batch, self.name, self.refusals)

        texts = [self._text(prepared) for prepared in batch]
        call = HttpCall(
            self.gateway,
            "POST",
            _PATH,
            read,
            "send the text",
            json={**self._asked("SendSms"), "msgdata": texts},
            recipients=len(batch),
        )
        return await self._call(call)
