"""How Ultimate SMS's adapters are built, and what they refuse before any network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import respx
from support.infopromo.wire import FIRST, FLAVOURS, HOST, SEVEN, TEXT, TOKEN, connect

from iprog_async import (
    ConfigurationError,
    InvalidMessageError,
    Message,
    SmsClient,
    SupportsBalance,
    SupportsStatus,
    provider_from_env,
    provider_from_url,
    provider_types,
)
from iprog_async_providers.infopromo import (
    Campaign,
    ContactGroup,
    InfopromoHttpProvider,
    InfopromoOptions,
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)


Build = Callable[..., Any]


def any_v3(token: str, **given: Any) -> UltimateSmsProvider:
    """Return a provider for a host of its own."""
    return UltimateSmsProvider(token, base_url=HOST, **given)


def any_http(token: str, **given: Any) -> UltimateSmsHttpProvider:
    """Return a provider for a host of its own."""
    return UltimateSmsHttpProvider(token, base_url=HOST, **given)


CLASSES: dict[str, Build] = {
    "infopromo": InfopromoProvider,
    "infopromo-http": InfopromoHttpProvider,
    "ultimatesms": any_v3,
    "ultimatesms-http": any_http,
}

BAD_SETTINGS: list[dict[str, Any]] = [
    {"timezone": "Lagos"},
    {"timezone": "../etc/passwd"},
    {"timezone": ""},
    {"region": "Nigeria"},
    {"sender_id": "TwelveLetter"},
    {"sender_id": " "},
    {"max_batch": 0},
    {"max_batch": 101},
    {"max_batch": "10"},
    {"name": "a:b"},
    {"rate": "fast"},
    {"base_url": "sms.example.com"},
]


@pytest.mark.parametrize("build", [InfopromoProvider, InfopromoHttpProvider])
@pytest.mark.parametrize("given", BAD_SETTINGS, ids=str)
def test_bad_settings(build: Build, given: dict[str, Any]) -> None:
    """A setting that makes no sense is refused where it is made."""
    with pytest.raises(ConfigurationError):
        build(TOKEN, **given)


@pytest.mark.parametrize("given", [{"token_in": "header"}, {"send_with": "PUT"}], ids=str)
def test_bad_settings_of_the_http_api(given: dict[str, Any]) -> None:
    """Places and methods that do not exist are refused."""
    with pytest.raises(ConfigurationError):
        InfopromoHttpProvider(TOKEN, **given)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("token", ["", "  \n", "12|s3c\nret", "12|s3crét", None])
def test_bad_tokens_are_not_shown(name: str, token: Any) -> None:
    """A token that can't travel is refused without being shown."""
    with pytest.raises(ConfigurationError) as caught:
        CLASSES[name](token)

    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize("name", CLASSES)
def test_token_is_stripped_and_hidden(name: str) -> None:
    """A trailing newline of an env file is dropped, and no repr shows the token."""
    provider = CLASSES[name](f"{TOKEN}\n")

    assert provider.api_token == TOKEN
    assert TOKEN not in repr(provider)
    assert TOKEN not in repr(provider.gateway)


@pytest.mark.parametrize("name", CLASSES)
def test_names_and_capabilities(name: str) -> None:
    """Each class has its scheme, a default name and a row of its own."""
    cls = provider_types()[name]

    assert name == cls.scheme
    assert name == CLASSES[name](TOKEN).name
    assert cls.capabilities.scheduling == "native"
    for operation in cls.capabilities.operations:
        assert hasattr(cls, operation)


@pytest.mark.parametrize("name", CLASSES)
def test_protocols(name: str) -> None:
    """Every flavour tells status and balance."""
    provider = CLASSES[name](TOKEN)

    assert isinstance(provider, SupportsStatus)
    assert isinstance(provider, SupportsBalance)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (100, 100, 2)),
        ({"max_batch": 10}, (10, 10, 2)),
        ({"max_batch": 1}, (1, 3, 2)),
        ({"allow_unscheduled_single": True}, (100, 100, 1)),
        ({"allow_unscheduled_single": True, "max_batch": 1}, (1, 1, 1)),
    ],
)
def test_batching(given: dict[str, Any], expected: tuple[int, int, int]) -> None:
    """A scheduled request has company unless the trap is allowed."""
    batching = InfopromoProvider(TOKEN, **given).batching

    assert expected == (batching.max_batch, batching.max_scheduled, batching.min_scheduled)
    assert not batching.mixed_texts


ADDRESSES: list[tuple[str, type[Any], dict[str, Any]]] = [
    (
        "infopromo://12%7Cabc@?sender_id=X",
        InfopromoProvider,
        {"api_token": "12|abc", "sender_id": "X", "base_url": HOST, "timezone": None},
    ),
    (
        "infopromo://12%7Cabc@?name=a&timezone=Africa/Lagos&region=ng&max_batch=7"
        "&allow_unscheduled_single=yes&base_url=http%3A%2F%2F127.0.0.1%3A9%2Fx",
        InfopromoProvider,
        {
            "name": "a",
            "timezone": "Africa/Lagos",
            "region": "NG",
            "max_batch": 7,
            "allow_unscheduled_single": True,
            "base_url": "http://127.0.0.1:9/x",
        },
    ),
    (
        "infopromo-http://12%7Cabc@?token_in=query&send_with=GET",
        InfopromoHttpProvider,
        {"token_in": "query", "send_with": "GET", "base_url": HOST, "name": "infopromo-http"},
    ),
    (
        "ultimatesms://12%7Cabc@sms.example.com?sender_id=X",
        UltimateSmsProvider,
        {"base_url": "https://sms.example.com", "name": "ultimatesms"},
    ),
    (
        "ultimatesms-http://12%7Cabc@sms.example.com:8443",
        UltimateSmsHttpProvider,
        {"base_url": "https://sms.example.com:8443", "token_in": "json", "send_with": "POST"},
    ),
]


@pytest.mark.parametrize(("address", "cls", "expected"), ADDRESSES)
def test_from_url(address: str, cls: type[Any], expected: dict[str, Any]) -> None:
    """An address holds the token, the host and every setting."""
    provider = provider_from_url(address)

    assert cls is type(provider)
    assert expected == {key: getattr(provider, key) for key in expected}


@pytest.mark.parametrize(
    "address",
    [
        "ultimatesms://12%7Cabc@",
        "ultimatesms-http://12%7Cabc@?sender_id=X",
        "infopromo://@",
        "infopromo://12%7Cabc@?token_in=query",
        "infopromo://12%7Cabc@?max_batch=many",
        "infopromo://12%7Cabc@?allow_unscheduled_single=perhaps",
    ],
)
def test_bad_addresses(address: str) -> None:
    """An address without a host or token, or with a wrong setting, is refused, not shown."""
    with pytest.raises(ConfigurationError) as caught:
        provider_from_url(address)

    assert "abc" not in str(caught.value)


def test_from_env() -> None:
    """The environment names the token and the sender ID of Infopromo, over v3."""
    environ = {"INFOPROMO_API_TOKEN": f"{TOKEN}\n", "INFOPROMO_SENDER_ID": "X"}
    provider = provider_from_env(environ)

    assert isinstance(provider, InfopromoProvider)
    assert (provider.api_token, provider.sender_id) == (TOKEN, "X")


@pytest.mark.parametrize(
    "environ",
    [{}, {"INFOPROMO_SENDER_ID": "X"}, {"INFOPROMO_API_TOKEN": ""}],
)
def test_from_env_without_a_token(environ: dict[str, str]) -> None:
    """Without a token the environment names no provider."""
    assert InfopromoProvider.from_env(environ) is None


def test_only_one_class_reads_the_environment() -> None:
    """The token alone never means two providers."""
    environ = {"INFOPROMO_API_TOKEN": TOKEN}
    found = [name for name in CLASSES if provider_types()[name].from_env(environ) is not None]

    assert found == ["infopromo"]


Run = Callable[[SmsClient[Any]], Awaitable[object]]
NAIVE = datetime(2031, 12, 20, 7)

INVALID: dict[str, tuple[dict[str, Any], Run, str]] = {
    "no sender": ({"sender_id": None}, lambda sms: sms.send(FIRST, TEXT), "sender_id="),
    "long sender": ({}, lambda sms: sms.send(FIRST, TEXT, sender_id="TwelveLetter"), "11"),
    "empty sender": ({}, lambda sms: sms.send(FIRST, TEXT, sender_id=""), "empty"),
    "no zone": (
        {"timezone": None},
        lambda sms: sms.send(FIRST, TEXT, schedule_at=SEVEN),
        "timezone=",
    ),
    "naive time": ({}, lambda sms: sms.send(FIRST, TEXT, schedule_at=NAIVE), "no time zone"),
    "empty text": ({}, lambda sms: sms.send(FIRST, " "), "empty"),
    "national number": ({}, lambda sms: sms.send("0612345678", TEXT), "'0612345678'"),
    "letters": ({}, lambda sms: sms.send("+3161234CALL", TEXT), "letters"),
    "options of another": ({}, lambda sms: sms.send(FIRST, TEXT, options=object()), "object"),
    "campaign, no group": ({}, lambda sms: sms.provider.campaigns.send([], TEXT), "group"),
    "campaign, group without uid": (
        {},
        lambda sms: sms.provider.campaigns.send(ContactGroup(), TEXT),
        "group",
    ),
    "campaign, empty text": ({}, lambda sms: sms.provider.campaigns.send("g1", ""), "empty"),
    "campaign, no sender": (
        {"sender_id": None},
        lambda sms: sms.provider.campaigns.send("g1", TEXT),
        "sender_id=",
    ),
    "campaign, long sender": (
        {},
        lambda sms: sms.provider.campaigns.send("g1", TEXT, sender_id="TwelveLetter"),
        "11",
    ),
    "campaign, naive time": (
        {},
        lambda sms: sms.provider.campaigns.send("g1", TEXT, schedule_at=NAIVE),
        "no time zone",
    ),
    "campaign without uid": ({}, lambda sms: sms.provider.campaigns.get(Campaign()), "campaign"),
    "message, empty uid": ({}, lambda sms: sms.provider.messages.get(" "), "message"),
    "message, dots": ({}, lambda sms: sms.provider.messages.get(".."), "message"),
    "group, empty name": ({}, lambda sms: sms.provider.contacts.groups.create(" "), "name"),
    "group, dots": ({}, lambda sms: sms.provider.contacts.groups.delete("."), "group"),
    "contact, bad number": ({}, lambda sms: sms.provider.contacts.store("g1", "12"), "'12'"),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize(("given", "run", "words"), INVALID.values(), ids=INVALID)
async def test_bad_input_never_reaches_the_network(
    respx_mock: respx.MockRouter, flavour: str, given: dict[str, Any], run: Run, words: str
) -> None:
    """What can't be sent is refused before any request, with words that help."""
    async with connect(FLAVOURS[flavour](**given)) as sms:
        with pytest.raises(InvalidMessageError, match=words):
            await run(sms)

    assert len(respx_mock.calls) == 0


@pytest.mark.parametrize(
    ("filters", "error"),
    [
        ({"start": NAIVE}, InvalidMessageError),
        ({"start": SEVEN, "end": SEVEN - timedelta(seconds=1)}, InvalidMessageError),
        ({"direction": "sideways"}, InvalidMessageError),
        ({"end": NAIVE}, InvalidMessageError),
        ({"timezone": "Lagos"}, ConfigurationError),
    ],
)
async def test_bad_filters(filters: dict[str, Any], error: type[Exception]) -> None:
    """A filter that makes no sense is refused where it is given."""
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(error):
            sms.provider.messages.list(**filters)


def test_numbers_of_a_region() -> None:
    """With a region, numbers may be national; the gateway gets international digits."""
    provider = InfopromoProvider(TOKEN, sender_id="X", region="NL")
    prepared = provider.prepare(Message("06 12345678", TEXT))

    assert (prepared.e164, prepared.to) == ("+31612345678", "31612345678")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("fax", "type is one of plain, unicode, whatsapp, viber, otp, not 'fax'"),
        ("voice", "type 'voice' is not offered: the gateway wants a language and a gender"),
        ("mms", "type 'mms' is not offered: the gateway wants the address of a picture"),
    ],
)
def test_options_are_checked(given: Any, words: str) -> None:
    """A type that the gateway does not have, or wants more for, is refused with the reason."""
    with pytest.raises(InvalidMessageError, match=words):
        InfopromoOptions(type=given)
