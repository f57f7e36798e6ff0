"""The adapters: two flavours of the API, each for any host and for Infopromo's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from attrs import field, frozen

from iprog_async import ConfigurationError, Outcome
from iprog_async.adapter import Answer, ApiPaths, Capabilities, shown
from iprog_async_providers.infopromo._api import Api, Params
from iprog_async_providers.infopromo._base import UltimateSmsBase
from iprog_async_providers.infopromo._options import MINUTE


if TYPE_CHECKING:
    from iprog_async.sandbox import SandboxGateway

BASE_URL = "https://sms.infopromo.digital"

_ENDPOINTS = ("sms/send", "sms/campaign", "campaign", "contacts", "balance", "me")
_OPERATIONS = ("campaigns", "contacts", "me", "messages")


def _row(title: str) -> Capabilities:
    return Capabilities(
        title=title, scheduling="native", operations=_OPERATIONS, schedule_step=MINUTE
    )


@frozen(eq=False, slots=False)
class UltimateSmsProvider(UltimateSmsBase):
    """Any host that runs Ultimate SMS, by its v3 API (docs/gateways/infopromo.md).

    PhilSMS, Text.lk and TalkSasa are some of them. The token travels in a header.

    Args:
        api_token: The token of the account's developer page, such as `1|abc…`.
        host: One of the hosts that are known by name, such as `"text.lk"`, `"philsms"` or
            `"talksasa"`: its address and region; `docs/gateways/infopromo.md` lists them.
        base_url: Any other host, such as `https://sms.example.com`; the API's path may stand
            behind it, as vendors print it.
        name: Unique label of this account.
        sender_id: Name or number that phones show, unless the message has its own; every
            message needs one.
        timezone: IANA name of the zone in the account's settings, needed to schedule: the
            server reads times on that clock.
        region: Two-letter region of numbers without a country code.
        allow_unscheduled_single: Whether a scheduled text for one recipient may go out. Servers
            3.8 to 3.13 send it at once; otherwise it is an error.
        max_batch: The most recipients of one request, 100 at most.
        rate: The most requests, such as `"600/min"`. Installations differ, so by default none:
            the server's own word is obeyed.
        refusals: Further refusals that are certainly made before dispatch, for installations
            in another language.

    Raises:
        ConfigurationError: The token or a setting is missing or wrong; no token is shown.
    """

    scheme: ClassVar[str] = "ultimatesms"
    paths: ClassVar[ApiPaths] = ApiPaths(
        "/api/v3", _ENDPOINTS, {"/api/http": "UltimateSmsHttpProvider (ultimatesms-http://)"}
    )
    capabilities: ClassVar[Capabilities] = _row("Ultimate SMS host, v3")

    name: str = field(default="ultimatesms", kw_only=True)

    def _auth_headers(self) -> tuple[tuple[str, str], ...]:
        return (("Authorization", f"Bearer {self.api_token}"),)

    def _authorised(
        self, body: Params | None, query: Params | None, *, token_in_url: bool
    ) -> tuple[Params | None, Params | None]:
        return body, query


@frozen(eq=False, slots=False)
class UltimateSmsHttpProvider(UltimateSmsBase):
    """Any host that runs Ultimate SMS, by its HTTP API (docs/gateways/infopromo.md).

    It is the v3 API with the token in the request. Campaigns exist on servers from 3.13 on.

    Args:
        api_token: The token of the account's developer page; the same as for v3.
        host: One of the hosts that are known by name, such as `"text.lk"`, `"philsms"` or
            `"talksasa"`: its address and region; `docs/gateways/infopromo.md` lists them.
        base_url: Any other host, such as `https://sms.example.com`; the API's path may stand
            behind it, as vendors print it.
        token_in: `"json"` puts the token into the body, of GET too, as documented; `"query"`
            puts it into the address, for hosts behind proxies that drop the body of a GET.
        send_with: `"GET"` sends texts by the documented GET form, where everything, the token
            included, is in the address. It sends: it is never repeated by itself.
        name: Unique label of this account.
        sender_id: As for `UltimateSmsProvider`, like all that follow.
        timezone: Zone in the account's settings, needed to schedule.
        region: Two-letter region of numbers without a country code.
        allow_unscheduled_single: Whether a scheduled text for one recipient may go out.
        max_batch: The most recipients of one request, 100 at most.
        rate: The most requests, such as `"600/min"`.
        refusals: Further refusals that are certainly made before dispatch.

    Raises:
        ConfigurationError: The token or a setting is missing or wrong; no token is shown.
    """

    scheme: ClassVar[str] = "ultimatesms-http"
    paths: ClassVar[ApiPaths] = ApiPaths(
        "/api/http", _ENDPOINTS, {"/api/v3": "UltimateSmsProvider (ultimatesms://)"}
    )
    capabilities: ClassVar[Capabilities] = _row("Ultimate SMS host, HTTP")
    url_settings: ClassVar[dict[str, Callable[[str], object]]] = {
        **UltimateSmsBase.url_settings,
        "token_in": str,
        "send_with": str,
    }

    name: str = field(default="ultimatesms-http", kw_only=True)
    token_in: Literal["json", "query"] = field(default="json", kw_only=True)
    send_with: Literal["POST", "GET"] = field(default="POST", kw_only=True)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.token_in not in ("json", "query"):
            raise ConfigurationError(f"token_in is 'json' or 'query', not {shown(self.token_in)}")
        if self.send_with not in ("POST", "GET"):
            raise ConfigurationError(f"send_with is 'POST' or 'GET', not {shown(self.send_with)}")

    def _auth_headers(self) -> tuple[tuple[str, str], ...]:
        return ()

    def _authorised(
        self, body: Params | None, query: Params | None, *, token_in_url: bool
    ) -> tuple[Params | None, Params | None]:
        token = {"api_token": self.api_token}
        if token_in_url or self.token_in == "query":  # noqa: S105 - a place, not a password
            return body, {**token, **(query or {})}
        return {**token, **(body or {})}, query

    async def _deliver(
        self, api: Api, body: Params, read: Callable[[Answer], list[Outcome]], recipients: int
    ) -> Sequence[Outcome]:
        if self.send_with == "POST":
            return await super()._deliver(api, body, read, recipients)
        return await api.request(
            "GET",
            "/sms/send",
            read,
            "send the text",
            query=body,
            token_in_url=True,
            recipients=recipients,
        )


@frozen(eq=False, slots=False)
class InfopromoProvider(UltimateSmsProvider):
    """Infopromo, by its v3 API; the arguments are those of `UltimateSmsProvider`.

    `base_url` is Infopromo's host unless given.
    """

    scheme: ClassVar[str] = "infopromo"
    home: ClassVar[str | None] = BASE_URL
    env_names: ClassVar[tuple[str, ...]] = ("INFOPROMO_API_TOKEN", "INFOPROMO_SENDER_ID")
    capabilities: ClassVar[Capabilities] = _row("Infopromo, v3")

    base_url: str = field(default=BASE_URL, kw_only=True)
    name: str = field(default="infopromo", kw_only=True)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], /) -> Self | None:
        """Build the provider from `INFOPROMO_API_TOKEN` and `INFOPROMO_SENDER_ID`."""
        token = environ.get("INFOPROMO_API_TOKEN")
        return cls(token, sender_id=environ.get("INFOPROMO_SENDER_ID") or None) if token else None

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return Infopromo's part in the local sandbox."""
        from iprog_async_providers.infopromo._sandbox import V3

        return V3


@frozen(eq=False, slots=False)
class InfopromoHttpProvider(UltimateSmsHttpProvider):
    """Infopromo, by its HTTP API; the arguments are those of `UltimateSmsHttpProvider`.

    `base_url` is Infopromo's host unless given.
    """

    scheme: ClassVar[str] = "infopromo-http"
    home: ClassVar[str | None] = BASE_URL
    capabilities: ClassVar[Capabilities] = _row("Infopromo, HTTP")

    base_url: str = field(default=BASE_URL, kw_only=True)
    name: str = field(default="infopromo-http", kw_only=True)

    @classmethod
    def sandbox(cls) -> SandboxGateway:
        """Return Infopromo's part in the local sandbox."""
        from iprog_async_providers.infopromo._sandbox import HTTP

        return HTTP
