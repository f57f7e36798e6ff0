"""Hosts of Ultimate SMS by name: where their API is, and where their customers are."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from iprog_async import ConfigurationError
from iprog_async.adapter import shown


@frozen
class Host:
    """One installation of the software.

    Args:
        base_url: Where its API is.
        region: Where its customers are: numbers without a country code are read so.
        docs: Its own page about the API, if it has one that is public.
        evidence: Where the address was seen: `DOC` its own page, `CLI` public clients.
    """

    base_url: str
    region: str
    docs: str
    evidence: str


HOSTS: Mapping[str, Host] = {
    "philsms": Host(
        "https://app.philsms.com", "PH", "https://app.philsms.com/developers/documentation", "DOC"
    ),
    "send.lk": Host("https://sms.send.lk", "LK", "", "CLI"),
    "smsapi.lk": Host("https://dashboard.smsapi.lk", "LK", "", "CLI"),
    "smsway.lk": Host("https://app.smsway.lk", "LK", "https://smsway.lk/api-docs", "DOC"),
    "talksasa": Host("https://bulksms.talksasa.com", "KE", "", "CLI"),
    "text.lk": Host("https://app.text.lk", "LK", "https://text.lk/docs/sms-api-endpoints", "DOC"),
}
"""By the name that people know; the address of the API is another one."""


def host_named(name: str) -> Host:
    """Return a host by its name.

    Raises:
        ConfigurationError: There is none; the error lists those that there are.
    """
    host = HOSTS.get(name.strip().lower())
    if host is None:
        raise ConfigurationError(
            f"no host is called {shown(name)}; known are {', '.join(HOSTS)}. Give any other as "
            "base_url"
        )
    return host
