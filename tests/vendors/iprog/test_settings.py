from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iprog_async import ConfigurationError, Rate, provider_from_env, provider_from_url
from iprog_async_providers import IprogProvider


def test_an_address_holds_every_setting() -> None:
    """Host, token and settings of an address become the provider's."""
    provider = provider_from_url(
        "iprog://to%2Fk%3Aen@sms.example.ph:8443"
        "?name=work&token_in=query&sms_provider=2&max_batch=50&rate=60/min"
    )

    assert isinstance(provider, IprogProvider)
    assert (provider.api_token, provider.base_url) == ("to/k:en", "https://sms.example.ph:8443")
    assert (
        provider.name,
        provider.token_in,
        provider.sms_provider,
        provider.batching.max_batch,
    ) == ("work", "query", 2, 50)
    assert Rate(60, 60.0) == provider.rate


def test_a_bare_address_has_the_gateways_own_host() -> None:
    """Without a host it is www, because the apex may redirect and redirects aren't followed."""
    provider = provider_from_url("iprog://token@")

    assert isinstance(provider, IprogProvider)
    assert provider.base_url == "https://www.iprogsms.com"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("iprog://@", "missing or empty"),
        ("iprog://to:ken@", "%3A"),
        ("iprog://token@?token_in=header", "token_in"),
        ("iprog://token@?sms_provider=3", "sms_provider"),
        ("iprog://token@?sms_provider=two", "sms_provider"),
        ("iprog://token@?max_batch=0", "max_batch"),
        ("iprog://token@?rate=fast", "rate"),
        ("iprog://token@?sender_id=Shop", "sender_id"),
        ("iprog://token@?base_url=ftp://x", "base_url"),
    ],
)
def test_a_wrong_address_is_refused_without_being_shown(address: str, words: str) -> None:
    """Each mistake is named, and the token is in no error."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        provider_from_url(address)

    assert "token@" not in str(caught.value)


def test_the_environment_holds_the_token() -> None:
    """The vendor's own variable is enough, with an env file's trailing newline or without."""
    provider = provider_from_env({"IPROG_SMS_API_TOKEN": "token-123\n"})

    assert isinstance(provider, IprogProvider)
    assert provider.api_token == "token-123"


@pytest.mark.parametrize("environ", [{}, {"IPROG_SMS_API_TOKEN": ""}])
def test_without_the_variable_there_is_no_provider(environ: dict[str, str]) -> None:
    """An environment that does not speak of IPROG builds nothing and is no error."""
    assert IprogProvider.from_env(environ) is None


def test_a_blank_variable_is_an_error() -> None:
    """A token of white space was meant to be one."""
    with pytest.raises(ConfigurationError, match="missing or empty"):
        IprogProvider.from_env({"IPROG_SMS_API_TOKEN": " \n"})


@pytest.mark.parametrize(
    "build",
    [
        lambda: IprogProvider(""),
        lambda: IprogProvider(None),  # type: ignore[arg-type] # what an unset variable gives
        lambda: IprogProvider("to\nken"),
        lambda: IprogProvider("token", name="a:b"),
        lambda: IprogProvider("token", token_in="header"),  # type: ignore[arg-type] # on purpose
        lambda: IprogProvider("token", sms_provider=True),  # type: ignore[arg-type] # on purpose
        lambda: IprogProvider("token", sms_provider="1"),  # type: ignore[arg-type] # on purpose
        lambda: IprogProvider("token", max_batch=0),
        lambda: IprogProvider("token", max_batch="9"),  # type: ignore[arg-type] # on purpose
        lambda: IprogProvider("token", base_url="www.iprogsms.com"),
        lambda: IprogProvider("token", base_url="https://user:pw@host"),
        lambda: IprogProvider("token", rate="0/min"),
    ],
)
def test_bad_settings_are_refused_at_once(build: Callable[[], Any]) -> None:
    """A provider that can't work is never built, and says why in a ConfigurationError."""
    with pytest.raises(ConfigurationError):
        build()


def test_the_repr_shows_no_token() -> None:
    """Printing a provider, its host or its address gives nothing away."""
    provider = IprogProvider("secret-token")

    assert "secret-token" not in f"{provider!r} {provider.gateway!r} {provider.otp!r}"
