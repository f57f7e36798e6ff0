"""The adapter of UGSMS's first API: user name and password."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from attrs import field, frozen

from iprog_async import Outcome
from iprog_async.adapter import (
    Answer,
    ApiPaths,
    Batching,
    Capabilities,
    HttpCall,
    PreparedMessage,
    SmsUrl,
    accepted,
    clean_secret,
    credentials_from_env,
    to_flag,
)
from iprog_async_providers.ugsms import _answers
from iprog_async_providers.ugsms._base import BASE_URL, UgsmsProvider, check_choice
from iprog_async_providers.ugsms._bulk_answers import read_sent


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

# Without the /api that the second API has.
_SEND = "/v1/sms/send"


def _username(value: str) -> str:
    return clean_secret(value, "UGSMS username")


def _password(value: str) -> str:
    return clean_secret(value, "UGSMS password")


@frozen(eq=False, slots=False)
class UgsmsV1Provider(UgsmsProvider):
    """UGSMS v1, Uganda: user name and password (docs/gateways/ugsms.md).

    It can send, and manage API keys; the gateway has no balance and no status here.

    Args:
        username: The account's name; no API key works here.
        password: The account's password.
        name: Unique label of this account.
        credentials_in: Where the whole send travels: a form, as the vendor documents, JSON, as
            most clients do, or the query of a GET, which sends as well. Only `"query"` puts
            the password into a URL, where proxies and servers log it.
        accept_empty: Take an empty 2xx as accepted. The vendor's page shows no body of a
            success, so it is possible; otherwise only `"success": true` is. One of which a body
            may have been lost is unknown all the same.
        base_url: Another host, or the sandbox.
        sender_id: What the phone shows as sender, unless a message says otherwise.
        number_format: `"national"` sends `0701234567`, `"international"` `256701234567`.
        region: Where numbers without a country code belong.
        max_batch: The most recipients of one request; no limit is documented.
        rate: The most requests, 60 a minute by default.
        refusals: Further refusals that are certainly made before dispatch; each matches the
            whole text, and lists only with `whole_request=True`.

    Raises:
        ConfigurationError: A credential or setting is missing or wrong; none is shown.
    """

    scheme: ClassVar[str] = "ugsms-v1"
    paths: ClassVar[ApiPaths] = ApiPaths(
        "/v1", ("sms/send",), {"/api/v2": "UgsmsV2Provider (ugsms-v2://)"}
    )
    env_names: ClassVar[tuple[str, ...]] = ("UGSMS_USERNAME", "UGSMS_PASSWORD")
    capabilities: ClassVar[Capabilities] = Capabilities(
        title="UGSMS v1", operations=("keys",), timezone="Africa/Kampala"
    )

    username: str = field(converter=_username, repr=False)
    password: str = field(converter=_password, repr=False)
    name: str = field(default="ugsms-v1", kw_only=True)
    credentials_in: Literal["form", "json", "query"] = field(default="form", kw_only=True)
    accept_empty: bool = field(default=False, kw_only=True)

    def __attrs_post_init__(self) -> None:
        check_choice("credentials_in", self.credentials_in, ("form", "json", "query"))
        super().__attrs_post_init__()

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `UGSMS_USERNAME` and `UGSMS_PASSWORD`.

        Raises:
            ConfigurationError: One is set without the other.
        """
        given = credentials_from_env(environ, cls.env_names)
        return None if given is None else cls(*given)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `ugsms-v1://USERNAME:PASSWORD@`."""
        settings = url.settings(
            name=str,
            credentials_in=str,
            accept_empty=to_flag,
            sender_id=str,
            number_format=str,
            region=str,
            max_batch=int,
            rate=str,
        )
        return cls(url.username, url.password, base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return UGSMS's part in the local sandbox."""
        from iprog_async_providers.ugsms._sandbox import GATEWAY_V1

        return GATEWAY_V1

    @property
    def batching(self) -> Batching:
        """One text for many; nothing is scheduled."""
        return Batching(max_batch=self.max_batch)

    @property
    def _secrets(self) -> tuple[str, ...]:
        # The name alone is no secret, and may be a word such as "data" that answers are made
        # of; with the password it tells apart two accounts that chose the same one.
        return self.password, f"{self.username}:{self.password}"

    @property
    def _auth_fields(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        def read(answer: Answer) -> list[Outcome]:
            if self.accept_empty and _answers.is_empty_success(answer):
                return [accepted(prepared, self.name, message_id=None) for prepared in batch]
            return read_sent(answer, batch, self.name, self.refusals, self.region)

        place = self.credentials_in
        fields = {**self._auth_fields, **self._text(batch)}
        call = HttpCall(
            self.gateway,
            "GET" if place == "query" else "POST",
            _SEND,
            read,
            "send the text",
            query=fields if place == "query" else None,
            json=fields if place == "json" else None,
            form=fields if place == "form" else None,
            recipients=len(batch),
        )
        return await self._call(call)
