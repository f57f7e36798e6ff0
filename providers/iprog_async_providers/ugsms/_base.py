"""What both APIs of UGSMS have in common."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Literal

from attrs import field, frozen

from iprog_async import (
    ConfigurationError,
    InvalidMessageError,
    Rate,
)
from iprog_async.adapter import (
    ApiPaths,
    BaseProvider,
    Gateway,
    PreparedMessage,
    shown,
    to_e164,
    to_rate,
    to_sender_id,
    whole_number,
)
from iprog_async_providers.ugsms._api import Api, Headers
from iprog_async_providers.ugsms._keys import Keys


BASE_URL = "https://ugsms.com"
NumberFormat = Literal["national", "international"]

_UGANDA = "+256"
_REGION = re.compile("[A-Z]{2}")


def _region(value: str | None) -> str | None:
    return value.strip().upper() or None if value is not None else None


def check_choice(setting: str, value: object, choices: Sequence[str]) -> None:
    """Raise `ConfigurationError` unless a setting has one of the values it can have."""
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ConfigurationError(f"{setting} is one of {known}, not {shown(value)}")


@frozen(kw_only=True, eq=False, slots=False)
class UgsmsProvider(BaseProvider):
    """Base of the two adapters: numbers, sender, rate and API keys.

    Args:
        name: Unique label of this account.
        rate: The most requests; the gateway counts 60 a minute for each key (DOC).
        refusals: Further refusals that are certainly made before dispatch; each matches the
            whole text, and lists only with `whole_request=True`.
        base_url: Another host, or the sandbox.
        sender_id: What the phone shows as sender, up to 11 characters, unless a message says
            otherwise.
        number_format: `"national"` sends `0701234567`, `"international"` `256701234567`.
        region: Where numbers without a country code belong, such as `"UG"`.
        max_batch: The most recipients of one request. No limit is documented, and one lost
            answer leaves that many texts unknown.
    """

    paths: ClassVar[ApiPaths]
    """The paths of this version's API."""

    rate: Rate | None = field(default=Rate(60), converter=to_rate)
    base_url: str = field(default=BASE_URL)
    sender_id: str | None = field(default=None, converter=to_sender_id)
    number_format: NumberFormat = field(default="national")
    region: str | None = field(default="UG", converter=_region)
    max_batch: int = field(default=100, validator=whole_number())

    def __attrs_post_init__(self) -> None:
        check_choice("number_format", self.number_format, ("national", "international"))
        if self.region is not None and not _REGION.fullmatch(self.region):
            raise ConfigurationError(
                f"region is two letters, such as 'UG', not {shown(self.region)}"
            )
        # Building it checks the address.
        _ = self.gateway

    @property
    @abstractmethod
    def _secrets(self) -> tuple[str, ...]:
        """What to mask, and what tells this account from others of the host."""

    @property
    def _auth_headers(self) -> Headers:
        """The credentials as header fields, where they can be that."""
        return ()

    @property
    def _auth_fields(self) -> dict[str, str]:
        """The credentials as fields of a body, where they can't be a header."""
        return {}

    @cached_property
    def gateway(self) -> Gateway:
        """The host, as this account sees it."""
        return Gateway(self.name, self.base_url, self._secrets, self.rate, _HEADERS, self.paths)

    @property
    def keys(self) -> Keys:
        """The account's API key."""
        api = Api(self.gateway, self.refusals, self._call, self._auth_headers, self._auth_fields)
        return Keys(api)

    def _number(self, number: str) -> tuple[str, str]:
        e164 = to_e164(number, self.region, mobile_only=True)
        if self.number_format == "international":
            return e164, e164[1:]
        if not e164.startswith(_UGANDA):
            raise InvalidMessageError(
                f"the phone number {number!r} is not Ugandan and has no national form there; "
                "give the provider number_format='international'"
            )
        return e164, f"0{e164.removeprefix(_UGANDA)}"

    def _sender(self, batch: Sequence[PreparedMessage]) -> dict[str, str]:
        sender_id = batch[0].wire.sender_id or self.sender_id
        return {} if sender_id is None else {"sender_id": sender_id}

    def _text(self, batch: Sequence[PreparedMessage]) -> dict[str, str]:
        """Return the fields that both APIs have in common: one text for many."""
        # The page's sample has a space after the comma, which clients do not send.
        numbers = ",".join(prepared.to for prepared in batch)
        text = {"numbers": numbers, "message_body": batch[0].wire.text}
        return {**text, **self._sender(batch)}


_HEADERS = (("Accept", "application/json"),)
