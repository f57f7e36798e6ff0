"""The adapter of Semaphore, Philippines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Self

from attrs import field, frozen

from iprog_async import (
    Balance,
    InvalidMessageError,
    Message,
    Outcome,
    Rate,
)
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
    to_e164,
    to_rate,
    to_sender_id,
    whole_number,
)
from iprog_async_providers.semaphore._answers import read_balance, read_sent


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

BASE_URL = "https://api.semaphore.co"
_MOST_NUMBERS = 1000
_PHILIPPINES = "+63"


def _api_key(value: str) -> str:
    return clean_secret(value, "Semaphore API key")


@frozen(eq=False, slots=False)
class SemaphoreProvider(BaseProvider):
    """Semaphore, Philippines (docs/gateways/semaphore.md).

    Args:
        api_key: The account's key.
        name: Unique label of this account.
        base_url: Another host, or the sandbox.
        sender_id: Registered sender name that phones show, unless a message says otherwise.
            Accounts made since July 2024 need one.
        max_batch: The most recipients of one request, 1000 at most. One lost answer leaves that
            many texts unknown.
        rate: The most requests; the gateway takes 120 a minute (DOC).
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: The key or a setting is missing or wrong; no key is shown.
    """

    scheme: ClassVar[str] = "semaphore"
    paths: ClassVar[ApiPaths] = ApiPaths("/api/v4", ("messages", "account"))
    env_names: ClassVar[tuple[str, ...]] = ("SEMAPHORE_API_KEY", "SEMAPHORE_SENDER_NAME")
    capabilities: ClassVar[Capabilities] = Capabilities(title="Semaphore")

    api_key: str = field(converter=_api_key, repr=False)
    name: str = field(default="semaphore", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)
    sender_id: str | None = field(default=None, kw_only=True, converter=to_sender_id)
    max_batch: int = field(default=100, kw_only=True, validator=whole_number(1, _MOST_NUMBERS))
    rate: Rate | None = field(default=Rate(120), kw_only=True, converter=to_rate)

    def __attrs_post_init__(self) -> None:
        # Building it checks the address.
        _ = self.gateway

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `SEMAPHORE_API_KEY` and `SEMAPHORE_SENDER_NAME`."""
        key, sender = (environ.get(name, "").strip() for name in cls.env_names)
        return cls(key, sender_id=sender or None) if key else None

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `semaphore://KEY@`."""
        settings = url.settings(name=str, sender_id=str, max_batch=int, rate=str)
        return cls(url.credential(), base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return Semaphore's part in the local sandbox."""
        from iprog_async_providers.semaphore._sandbox import GATEWAY

        return GATEWAY

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        headers = (("Accept", "application/json"),)
        return Gateway(self.name, self.base_url, (self.api_key,), self.rate, headers, self.paths)

    @property
    def batching(self) -> Batching:
        """One text for many; nothing is scheduled."""
        return Batching(max_batch=self.max_batch)

    async def balance(self) -> Balance:
        """Return how many credits are left.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """

        def read(answer: Answer) -> Balance:
            return read_balance(answer, self.name, self.refusals)

        # The only documented place of the key is a parameter.
        call = HttpCall(
            self.gateway,
            "GET",
            "/api/v4/account",
            read,
            "read the balance",
            effect=Effect.READ,
            query={"apikey": self.api_key},
        )
        return await self._call(call)

    def _check(self, message: Message) -> None:
        if message.text.lstrip().upper().startswith("TEST"):
            raise InvalidMessageError(
                f"{self.name} throws away texts that begin with TEST, and says that it took "
                "them; begin this one with another word. It was not sent"
            )

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, "PH", mobile_only=True)
        if not e164.startswith(_PHILIPPINES):
            raise InvalidMessageError(
                f"the phone number {number!r} is not Philippine, and {self.name} takes no other"
            )
        return e164, e164.removeprefix("+")

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        def read(answer: Answer) -> list[Outcome]:
            return read_sent(answer, batch, self.name, self.refusals)

        message = batch[0].wire
        form = {
            "apikey": self.api_key,
            "number": ",".join(prepared.to for prepared in batch),
            "message": message.text,
        }
        sender_id = message.sender_id or self.sender_id
        if sender_id is not None:
            form["sendername"] = sender_id
        call = HttpCall(
            self.gateway,
            "POST",
            "/api/v4/messages",
            read,
            "send the text",
            form=form,
            recipients=len(batch),
        )
        return await self._call(call)
