"""Hosts of Ultimate SMS by name."""

from __future__ import annotations

from typing import Any

import pytest

from iprog_async import ConfigurationError, Message, provider_from_url
from iprog_async_providers import (
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)
from iprog_async_providers.infopromo._hosts import HOSTS


TOKEN = "1|s3cret"


@pytest.mark.parametrize("name", HOSTS)
def test_a_name_stands_for_address_and_region(name: str) -> None:
    """In code and in an address, over either flavour of the API."""
    host = HOSTS[name]

    providers = [
        UltimateSmsProvider(TOKEN, host=name),
        UltimateSmsHttpProvider(TOKEN, host=name.upper()),
        InfopromoProvider(TOKEN, host=name),
        provider_from_url(f"ultimatesms://1%7Cs3cret@{name}"),
    ]

    assert {(host.base_url, host.region)} == {
        (getattr(provider, "base_url", None), getattr(provider, "region", None))
        for provider in providers
    }


@pytest.mark.parametrize("name", HOSTS)
def test_each_address_has_its_evidence(name: str) -> None:
    """A host's own page, or public clients; a page where it says so."""
    host = HOSTS[name]

    assert host.evidence in ("DOC", "CLI")
    assert (host.evidence == "DOC") == host.docs.startswith("https://")


def test_what_the_account_says_goes_before_the_region_of_the_host() -> None:
    """A number is read where the account says that it belongs."""
    plain = UltimateSmsProvider(TOKEN, host="text.lk", sender_id="SHOP")
    abroad = UltimateSmsProvider(TOKEN, host="text.lk", sender_id="SHOP", region="PH")

    assert "94712345678" == plain.prepare(Message("071 234 5678", "Hi")).to
    assert "639171234567" == abroad.prepare(Message("0917 123 4567", "Hi")).to


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "where is the host"),
        ({"host": "text.com"}, "no host is called 'text.com'; known are philsms, send.lk"),
        ({"host": "text.lk", "base_url": "https://sms.example.com"}, "give host or base_url"),
    ],
)
def test_a_host_is_said_once(settings: dict[str, Any], words: str) -> None:
    """No host, an unknown one and two of them are told, and no token is shown."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        UltimateSmsProvider(TOKEN, **settings)

    assert "s3cret" not in str(caught.value)


def test_a_sandbox_stands_in_for_a_named_host() -> None:
    """An address with a `base_url` goes there, whatever its host is called."""
    provider = provider_from_url("ultimatesms://1%7Cs3cret@text.lk?base_url=http://127.0.0.1:9")

    assert "http://127.0.0.1:9" == getattr(provider, "base_url", None)
