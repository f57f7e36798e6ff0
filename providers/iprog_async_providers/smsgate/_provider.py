"""The adapter of SMSGate: an Android phone of one's own that sends texts."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self
from urllib.parse import quote, urlsplit

from attrs import field, frozen
from attrs.validators import optional

from iprog_async import ConfigurationError, DeliveryStatus, Message, Outcome, UnsupportedError
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
    Secret,
    SmsUrl,
    clean_secret,
    credentials_from_env,
    to_e164,
    to_region,
    whole_number,
)
from iprog_async_providers.smsgate._answers import read_sent, read_status


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

_PUBLIC_SERVER = "api.sms-gate.app"
BASE_URL = f"https://{_PUBLIC_SERVER}/3rdparty/v1"
# A phone in local mode has no more than the endpoint.
_PATHS = ApiPaths(
    "",
    ("messages", "message"),
    {"/mobile/v1": "", "/api/mobile/v1": ""},
    kept=("/3rdparty/v1", "/api/3rdparty/v1"),
)
_ENVIRONMENT = ("SMSGATE_USERNAME", "SMSGATE_PASSWORD")


def _username(value: str) -> str:
    name = clean_secret(value, "SMSGate username")
    if ":" in name:
        raise ConfigurationError("the SMSGate username contains a colon")
    return name


def _password(value: str) -> str:
    return clean_secret(value, "SMSGate password")


def _is_public_server(base_url: str) -> bool:
    """Return whether an address is the project's server, and has no path."""
    parts = urlsplit(base_url)
    return (
        parts.hostname == _PUBLIC_SERVER
        and parts.port in (None, 80, 443)
        and parts.path.strip("/") == ""
    )


@frozen(eq=False, slots=False)
class SmsGateProvider(BaseProvider):
    """SMSGate (Android SMS Gateway): a phone of one's own (docs/gateways/smsgate.md).

    One text travels in a request, and the phone sends one after the other.

    Args:
        username: The name that the app shows.
        password: The password that the app shows.
        name: Unique label of this phone.
        base_url: `http://PHONE:8080` for a phone in the same network, or a server of one's own
            with its `/3rdparty/v1`; the project's public server by default.
        device_id: Which of the account's phones sends; the server takes any if `None`.
        sim: Which SIM of the phone sends: 1, 2 or 3; the phone decides if `None`.
        region: Two-letter region of numbers without a country code.
        rate: The most requests, such as `"10/min"`. What a phone may send is up to its network.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: A credential or setting is missing or wrong; none is shown.
    """

    scheme: ClassVar[str] = "smsgate"
    env_names: ClassVar[tuple[str, ...]] = _ENVIRONMENT
    capabilities: ClassVar[Capabilities] = Capabilities(title="SMSGate, a phone of your own")

    username: str = field(converter=_username, repr=False)
    password: str = field(converter=_password, repr=False)
    name: str = field(default="smsgate", kw_only=True)
    base_url: str = field(default=BASE_URL, kw_only=True)
    device_id: str | None = field(default=None, kw_only=True)
    sim: int | None = field(default=None, kw_only=True, validator=optional(whole_number(1, 3)))
    region: str | None = field(default=None, kw_only=True, converter=to_region)

    def __attrs_post_init__(self) -> None:
        # Building it checks the address.
        _ = self.gateway

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `SMSGATE_USERNAME` and `SMSGATE_PASSWORD`.

        Raises:
            ConfigurationError: One is set without the other.
        """
        given = credentials_from_env(environ, _ENVIRONMENT)
        return None if given is None else cls(*given)

    @classmethod
    def from_url(cls, url: SmsUrl, /) -> Self:
        """Build the provider from `smsgate://USERNAME:PASSWORD@`."""
        settings = url.settings(name=str, device_id=str, sim=int, region=str, rate=str)
        return cls(url.username, url.password, base_url=url.base_url(BASE_URL), **settings)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return a phone's part in the local sandbox."""
        from iprog_async_providers.smsgate._sandbox import GATEWAY

        return GATEWAY

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        pair = f"{self.username}:{self.password}"
        coded = Secret(base64.b64encode(pair.encode()).decode())
        headers = (("Accept", "application/json"), ("Authorization", "Basic " + coded))
        # The name alone may be a word that answers are made of.
        secrets = (self.password, pair, coded)
        gateway = Gateway(self.name, self.base_url, secrets, self.rate, headers, _PATHS)
        if _is_public_server(gateway.base_url):
            # Whose API is at one place only.
            gateway.base_url = BASE_URL
        return gateway

    @property
    def batching(self) -> Batching:
        """One text for one recipient: the numbers of a request have one id together."""
        return Batching(max_batch=1)

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return how far an accepted text has come.

        Raises:
            NotFoundError: There is no such message, or it is so old that it was deleted.
            ConnectionFailedError: The gateway can't be reached; ask again.
            NoAnswerError: No trustworthy answer; ask again.
            ProviderError: The gateway refused to tell.
        """

        def read(answer: Answer) -> DeliveryStatus:
            return read_status(answer, self.name, self.refusals)

        path = f"/messages/{quote(message_id, safe='')}"
        call = HttpCall(self.gateway, "GET", path, read, "read the status", effect=Effect.READ)
        return await self._call(call)

    def _check(self, message: Message) -> None:
        if message.sender_id is not None:
            raise UnsupportedError(
                f"{self.name} can't set a sender ID: phones show the number of the SIM"
            )

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, self.region, mobile_only=True)
        return e164, e164

    async def _send(self, batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        (prepared,) = batch

        def read(answer: Answer) -> list[Outcome]:
            return read_sent(answer, prepared, self.name, self.refusals)

        body: dict[str, Any] = {
            "textMessage": {"text": prepared.wire.text},
            "phoneNumbers": [prepared.to],
        }
        if self.device_id is not None:
            body["deviceId"] = self.device_id
        if self.sim is not None:
            body["simNumber"] = self.sim
        call = HttpCall(self.gateway, "POST", "/messages", read, "send the text", json=body)
        return await self._call(call)
