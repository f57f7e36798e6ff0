"""The adapter of UGSMS's second API: an API key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self, TypeVar

from attrs import field, frozen

from iprog_async import Balance, Outcome
from iprog_async.adapter import (
    Answer,
    ApiPaths,
    Batching,
    Capabilities,
    Effect,
    HttpCall,
    PreparedMessage,
    SmsUrl,
    clean_secret,
)
from iprog_async_providers.ugsms import _answers
from iprog_async_providers.ugsms._api import Headers
from iprog_async_providers.ugsms._base import BASE_URL, UgsmsProvider, check_choice
from iprog_async_providers.ugsms._bulk_answers import read_bulk, read_sent


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

T = TypeVar("T")

_SEND = "/api/v2/sms/send"
_BULK = "/api/v2/sms/send/bulk"
_BALANCE = "/api/v2/account/balance"


def _api_key(value: str) -> str:
    return clean_secret(value, "UGSMS api_key", header=True)


@frozen(eq=False, slots=False)
class UgsmsV2Provider(UgsmsProvider):
    """UGSMS v2, Uganda: an API key (docs/gateways/ugsms.md).

    Different texts travel in one request, which the rate limit makes precious.

    Args:
        api_key: The account's API key; no user name and password work here.
        name: Unique label of this account.
        key_in: Where the key travels: the header `X-API-Key`, the JSON body, or the query. With
            `"query"` a text for one or many is a GET, which sends as well; only `"query"` puts
            the key into a URL, where proxies and servers log it. Calls that have no such place
            use the header.
        base_url: Another host, or the sandbox.
        sender_id: What the phone shows as sender, unless a message says otherwise.
        number_format: `"national"` sends `0701234567`, `"international"` `256701234567`.
        region: Where numbers without a country code belong.
        max_batch: The most messages of one request; no limit is documented.
        rate: The most requests, 60 a minute by default.
        refusals: Further refusals that are certainly made before dispatch; each matches the
            whole text, and lists only with `whole_request=True`.

    Raises:
        ConfigurationError: The key or a setting is missing or wrong; no key is shown.
    """

    scheme: ClassVar[str] = "ugsms-v2"
    paths: ClassVar[ApiPaths] = ApiPaths(
        "/api/v2",
        ("sms/send", "sms/send/bulk", "account/balance"),
        {"/v1": "UgsmsV1Provider (ugsms-v1://)"},
    )
    env_names: ClassVar[tuple[str, ...]] = ("UGSMS_API_KEY",)
    capabilities: ClassVar[Capabilities] = Capabilities(
        title="UGSMS v2", operations=("keys",), timezone="Africa/Kampala"
    )

    api_key: str = field(converter=_api_key, repr=False)
    name: str = field(default="ugsms-v2", kw_only=True)
    key_in: Literal["header", "json", "query"] = field(default="header", kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_choice("key_in", self.key_in, ("header", "json", "query"))
        super().__attrs_post_init__()

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `UGSMS_API_KEY`."""
        key = environ.get("UGSMS_API_KEY", "").strip()
        return cls(key) if key else None

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `ugsms-v2://KEY@`."""
        settings = url.settings(
            name=str,
            key_in=str,
            sender_id=str,
            number_format=str,
            region=str,
            max_batch=int,
            rate=str,
        )
        return cls(url.credential(), base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return UGSMS's part in the local sandbox."""
        from iprog_async_providers.ugsms._sandbox import GATEWAY_V2

        return GATEWAY_V2

    @property
    def batching(self) -> Batching:
        """Any texts in one request; nothing is scheduled."""
        return Batching(max_batch=self.max_batch, mixed_texts=True)

    async def balance(self) -> Balance:
        """Return what is left on the account, in its currency.

        Raises:
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """

        def read(answer: Answer) -> Balance:
            # Clients know it with and without the usual envelope.
            body = _answers.check(answer, self.name, self.refusals, lenient=True)
            return _answers.read_balance(body)

        in_query = self.key_in == "query"
        call = HttpCall(
            self.gateway,
            "GET",
            _BALANCE,
            read,
            "read the balance",
            effect=Effect.READ,
            query=self._key if in_query else None,
            headers=() if in_query else self._auth_headers,
        )
        return await self._call(call)

    @property
    def _secrets(self) -> tuple[str, ...]:
        return (self.api_key,)

    @property
    def _auth_headers(self) -> Headers:
        return (("X-API-Key", self.api_key),)

    @property
    def _key(self) -> dict[str, str]:
        return {"api_key": self.api_key}

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if len({prepared.message.text for prepared in batch}) > 1:
            return await self._send_mixed(batch)

        def read(answer: Answer) -> list[Outcome]:
            return read_sent(answer, batch, self.name, self.refusals, self.region)

        fields = self._text(batch)
        if self.key_in == "query":
            query = {**self._key, **fields}
            return await self._call(
                HttpCall(
                    self.gateway,
                    "GET",
                    _SEND,
                    read,
                    "send the text",
                    query=query,
                    recipients=len(batch),
                )
            )
        return await self._post(_SEND, read, "send the text", fields, len(batch))

    async def _send_mixed(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        def read(answer: Answer) -> list[Outcome]:
            return read_bulk(answer, batch, self.name, self.refusals, self.region)

        messages = [
            {"number": prepared.to, "message_body": prepared.message.text} for prepared in batch
        ]
        body = {"messages": messages, **self._sender(batch)}
        return await self._post(_BULK, read, "send the texts", body, len(batch))

    async def _post(
        self,
        path: str,
        read: Callable[[Answer], T],
        what: str,
        body: Mapping[str, object],
        recipients: int,
    ) -> T:
        """Make a POST that sends, with the key where `key_in` says."""
        place = self.key_in
        call = HttpCall(
            self.gateway,
            "POST",
            path,
            read,
            what,
            query=self._key if place == "query" else None,
            json={**self._key, **body} if place == "json" else body,
            headers=self._auth_headers if place == "header" else (),
            recipients=recipients,
        )
        return await self._call(call)
