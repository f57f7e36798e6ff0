"""The adapter of Africa's Talking: bulk SMS in many African countries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from attrs import field, frozen

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
from iprog_async_providers.africastalking._answers import read_balance, read_sent


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

BASE_URL = "https://api.africastalking.com"
SANDBOX_URL = "https://api.sandbox.africastalking.com"
_ENVIRONMENT = ("AFRICASTALKING_USERNAME", "AFRICASTALKING_API_KEY")


def _username(value: str) -> str:
    return str(clean_secret(value, "Africa's Talking username"))


def _api_key(value: str) -> str:
    return clean_secret(value, "Africa's Talking API key", header=True)


@frozen(eq=False, slots=False)
class AfricasTalkingProvider(BaseProvider):
    """Africa's Talking, bulk SMS (docs/gateways/africastalking.md).

    Args:
        username: The application's username; `"sandbox"` is Africa's Talking's own test
            environment, which has another host and texts nobody.
        api_key: The application's key.
        name: Unique label of this account.
        base_url: Another host, or the local sandbox.
        sender_id: Registered name or short code that phones show, unless a message says
            otherwise; Africa's Talking's own if there is none.
        region: Two-letter region of numbers without a country code, such as `"KE"`.
        max_batch: The most recipients of one request. One lost answer leaves that many texts
            unknown.
        rate: The most requests, such as `"60/min"`; no limit is documented.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: A credential or setting is missing or wrong; none is shown.
    """

    scheme: ClassVar[str] = "africastalking"
    paths: ClassVar[ApiPaths] = ApiPaths("/version1", ("messaging", "user"))
    env_names: ClassVar[tuple[str, ...]] = _ENVIRONMENT
    capabilities: ClassVar[Capabilities] = Capabilities(title="Africa's Talking")

    username: str = field(converter=_username)
    api_key: str = field(converter=_api_key, repr=False)
    name: str = field(default="africastalking", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)
    sender_id: str | None = field(default=None, kw_only=True, converter=to_sender_id)
    region: str | None = field(default=None, kw_only=True, converter=to_region)
    max_batch: int = field(default=100, kw_only=True, validator=whole_number())

    def __attrs_post_init__(self) -> None:
        if self.username == "sandbox" and self.base_url == BASE_URL:
            object.__setattr__(self, "base_url", SANDBOX_URL)
        # Building it checks the address.
        _ = self.gateway

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `AFRICASTALKING_USERNAME` and `AFRICASTALKING_API_KEY`.

        Raises:
            ConfigurationError: One is set without the other.
        """
        given = credentials_from_env(environ, _ENVIRONMENT)
        return None if given is None else cls(*given)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `africastalking://USERNAME:KEY@`."""
        settings = url.settings(name=str, sender_id=str, region=str, max_batch=int, rate=str)
        return cls(url.username, url.password, base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return Africa's Talking's part in the local sandbox."""
        from iprog_async_providers.africastalking._sandbox import GATEWAY

        return GATEWAY

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        # Without it the answer is XML.
        headers = (("Accept", "application/json"), ("apiKey", self.api_key))
        return Gateway(self.name, self.base_url, (self.api_key,), self.rate, headers, self.paths)

    @property
    def batching(self) -> Batching:
        """One text for many; nothing is scheduled."""
        return Batching(max_batch=self.max_batch)

    async def balance(self) -> Balance:
        """Return what is left on the account.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """

        def read(answer: Answer) -> Balance:
            return read_balance(answer, self.name, self.refusals)

        call = HttpCall(
            self.gateway,
            "GET",
            "/version1/user",
            read,
            "read the balance",
            effect=Effect.READ,
            query={"username": self.username},
        )
        return await self._call(call)

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, self.region, mobile_only=True)
        return e164, e164

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        def read(answer: Answer) -> list[Outcome]:
            return read_sent(answer, batch, self.name, self.refusals)

        message = batch[0].wire
        form = {
            "username": self.username,
            "to": ",".join(prepared.to for prepared in batch),
            "message": message.text,
            "bulkSMSMode": "1",
        }
        sender_id = message.sender_id or self.sender_id
        if sender_id is not None:
            form["from"] = sender_id
        call = HttpCall(
            self.gateway,
            "POST",
            "/version1/messaging",
            read,
            "send the text",
            form=form,
            recipients=len(batch),
        )
        return await self._call(call)
