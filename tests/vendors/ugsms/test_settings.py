"""How UGSMS's adapters are configured, and what they refuse before any network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import respx
from support.ugsms.wire import API_KEY, PASSWORD, USERNAME, client, v1, v2

from iprog_async import (
    ConfigurationError,
    InvalidMessageError,
    Message,
    NotSent,
    Rate,
    SmsError,
    SupportsBalance,
    SupportsStatus,
    UnsupportedError,
    provider_from_env,
    provider_from_url,
)
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


Provider = UgsmsV1Provider | UgsmsV2Provider

BOTH: Sequence[Provider] = (v1(), v2())
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def no_network(respx_mock: respx.MockRouter) -> respx.MockRouter:
    """Fail every request, and let a test see that there was none."""
    return respx_mock


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize(
    ("message", "error", "shown"),
    [
        (Message("0701 23456", "Hi"), InvalidMessageError, "0701 23456"),
        (Message("0701-CALL-NOW", "Hi"), InvalidMessageError, "0701-CALL-NOW"),
        (Message("0414 123 456", "Hi"), InvalidMessageError, "0414 123 456"),
        (Message("", "Hi"), InvalidMessageError, "empty"),
        (Message("+254 712 345678", "Hi"), InvalidMessageError, "+254 712 345678"),
        (Message("0701234500", " "), InvalidMessageError, "0701234500"),
        (Message("0701234500", "Hi", "A-LONG-SENDER"), InvalidMessageError, "A-LONG-SENDER"),
        (Message("0701234500", "Hi", options=object()), InvalidMessageError, "options"),
        (Message("0701234500", "Hi", schedule_at=NOON), UnsupportedError, "no scheduling"),
        (
            Message("0701234500", "Hi", schedule_at=NOON.replace(tzinfo=None)),
            InvalidMessageError,
            "no time zone",
        ),
    ],
)
async def test_a_bad_message_reaches_no_network(
    no_network: respx.MockRouter,
    provider: Provider,
    message: Message,
    error: type[SmsError],
    shown: str,
) -> None:
    """What can't be sent is refused at once, quoting what was given."""
    async with client(provider) as sms:
        with pytest.raises(error) as caught:
            await sms.send(
                message.to,
                message.text,
                sender_id=message.sender_id,
                schedule_at=message.schedule_at,
                options=message.options,
            )
    assert shown in str(caught.value)
    assert no_network.calls.call_count == 0


async def test_a_scheduled_row_of_a_run_is_not_sent(no_network: respx.MockRouter) -> None:
    """In bulk, a text for later becomes an outcome instead of an error."""
    async with client(v2()) as sms:
        rows = [Message("0701234500", "Hi", schedule_at=NOON)]
        async with sms.send_many(rows) as run:
            (found,) = [outcome async for outcome in run]
    assert isinstance(found, NotSent)
    assert UnsupportedError is type(found.error)


@pytest.mark.parametrize("provider", BOTH)
@pytest.mark.parametrize("expiry_days", [0, 366, -1, True])
@pytest.mark.parametrize("operation", ["generate", "regenerate"])
async def test_expiry_days_are_one_to_365(
    no_network: respx.MockRouter, provider: Provider, operation: str, expiry_days: int
) -> None:
    """The limits of the vendor's page are checked before any network."""
    async with client(provider) as sms:
        with pytest.raises(InvalidMessageError, match="1 to 365"):
            await getattr(sms.provider.keys, operation)(expiry_days)
    assert no_network.calls.call_count == 0


@pytest.mark.parametrize(
    ("make", "settings", "shown"),
    [
        (v1, {"credentials_in": "header"}, "credentials_in"),
        (v2, {"key_in": "form"}, "key_in"),
        (v1, {"number_format": "e164"}, "number_format"),
        (v2, {"region": "Uganda"}, "UGANDA"),
        (v1, {"max_batch": 0}, "max_batch"),
        (v2, {"sender_id": "A-LONG-SENDER"}, "A-LONG-SENDER"),
        (v2, {"sender_id": " "}, "sender ID"),
        (v1, {"base_url": "ugsms.com"}, "base_url"),
        (v2, {"rate": "fast"}, "fast"),
        (v1, {"name": "a:b"}, "a:b"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    make: Any, settings: dict[str, object], shown: str
) -> None:
    """A wrong setting is an error of the constructor."""
    with pytest.raises(ConfigurationError, match=shown):
        make(**settings)


@pytest.mark.parametrize("bad", ["", "  ", "two\nlines", None, 5])
def test_credentials_are_checked_and_never_shown(bad: Any) -> None:
    """A missing or broken credential is an error that does not quote it."""
    for build in (
        lambda: UgsmsV1Provider(bad, PASSWORD),
        lambda: UgsmsV1Provider(USERNAME, bad),
        lambda: UgsmsV2Provider(bad),
    ):
        with pytest.raises(ConfigurationError) as caught:
            build()
        assert "two" not in str(caught.value)


def test_a_key_must_fit_a_header() -> None:
    """A header carries ASCII; a key that can't travel is refused at once."""
    with pytest.raises(ConfigurationError, match="header"):
        UgsmsV2Provider("ключ-0001")


def test_a_trailing_newline_is_stripped() -> None:
    """The newline of an env file is no part of a credential."""
    first, second = UgsmsV1Provider("bakery\n", " pass \n"), UgsmsV2Provider("key-1\r\n")
    assert (first.username, first.password, second.api_key) == ("bakery", "pass", "key-1")


@pytest.mark.parametrize("provider", BOTH)
def test_no_repr_shows_a_credential(provider: Provider) -> None:
    """Neither the provider nor its gateway shows name, password or key."""
    shown = f"{provider!r} {provider.gateway!r}"
    assert [secret for secret in (USERNAME, PASSWORD, API_KEY) if secret in shown] == []


def test_accounts_with_equal_passwords_have_rates_of_their_own() -> None:
    """Two user names are two accounts, even if they chose the same password."""
    other = UgsmsV1Provider("other", PASSWORD)
    assert v1().gateway.account != other.gateway.account
    assert v1().gateway.account == v1(credentials_in="json").gateway.account


def test_what_each_can_do_is_visible_in_its_class() -> None:
    """v2 has a balance, v1 has none, and neither tells a status."""
    assert (isinstance(v1(), SupportsBalance), isinstance(v2(), SupportsBalance)) == (False, True)
    assert not isinstance(v2(), SupportsStatus)
    assert (v1().batching.mixed_texts, v2().batching.mixed_texts) == (False, True)
    assert (v1().batching.max_batch, v2(max_batch=7).batching.max_batch) == (100, 7)


def test_region_can_be_left_out() -> None:
    """Without a region only international numbers are read."""
    provider = v2(region=None, number_format="international")
    assert provider.prepare(Message("256701234500", "Hi")).to == "256701234500"
    with pytest.raises(InvalidMessageError):
        provider.prepare(Message("0701234500", "Hi"))


def test_another_region_reads_its_own_numbers() -> None:
    """`region` says where numbers without a country code belong."""
    provider = v2(region="ke", number_format="international")
    assert provider.prepare(Message("0712 345678", "Hi")).to == "254712345678"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "ugsms-v1://kampala-bakery:p%40ss%20word%2F1%262@",
            v1(),
        ),
        (
            "ugsms-v1://kampala-bakery:p%40ss%20word%2F1%262@www.ugsms.com?credentials_in=json"
            "&accept_empty=true&sender_id=SHOP&number_format=international&region=KE"
            "&max_batch=5&rate=10/s&name=first",
            v1(
                base_url="https://www.ugsms.com",
                credentials_in="json",
                accept_empty=True,
                sender_id="SHOP",
                number_format="international",
                region="KE",
                max_batch=5,
                rate="10/s",
                name="first",
            ),
        ),
        (f"ugsms-v2://{API_KEY}@", v2()),
        (
            f"ugsms-v2://{API_KEY}@?base_url=http%3A%2F%2F127.0.0.1%3A8000%2Fugsms&key_in=query"
            "&sender_id=SHOP&number_format=international&region=&max_batch=5&rate=10/s&name=second",
            v2(
                base_url="http://127.0.0.1:8000/ugsms",
                key_in="query",
                sender_id="SHOP",
                number_format="international",
                region=None,
                max_batch=5,
                rate="10/s",
                name="second",
            ),
        ),
    ],
)
def test_an_address_says_all_that_the_constructor_does(address: str, expected: Provider) -> None:
    """Credentials are percent-encoded, settings follow the question mark."""
    built = provider_from_url(address)
    assert repr(expected) == repr(built)
    assert isinstance(built, (UgsmsV1Provider, UgsmsV2Provider))
    assert expected.gateway.account == built.gateway.account


@pytest.mark.parametrize(
    "address",
    [
        "ugsms-v1://user@",
        "ugsms-v2://@",
        "ugsms-v2://secret:secret-word@",
        "ugsms-v1://user:secret-word@?key_in=json",
        "ugsms-v2://secret-word@?accept_empty=true",
        "ugsms-v1://user:secret-word@?accept_empty=perhaps",
        "ugsms-v2://secret-word@?max_batch=many",
    ],
)
def test_a_wrong_address_shows_no_credential(address: str) -> None:
    """An address that lacks a credential or has an unknown setting is refused."""
    with pytest.raises(ConfigurationError) as caught:
        provider_from_url(address)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"UGSMS_USERNAME": "kampala-bakery", "UGSMS_PASSWORD": "p@ss word/1&2\n"}, v1()),
        ({"UGSMS_API_KEY": f"{API_KEY}\n", "UGSMS_USERNAME": " "}, v2()),
    ],
)
def test_the_environment_tells_which_api(environ: dict[str, str], expected: Provider) -> None:
    """A user name and password mean v1, a key means v2."""
    built = provider_from_env(environ)
    assert repr(expected) == repr(built)
    assert isinstance(built, (UgsmsV1Provider, UgsmsV2Provider))
    assert expected.gateway.account == built.gateway.account


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({"UGSMS_USERNAME": "user"}, "set UGSMS_PASSWORD"),
        ({"UGSMS_PASSWORD": "secret-word", "UGSMS_USERNAME": ""}, "set UGSMS_USERNAME"),
    ],
)
def test_half_the_credentials_are_an_error(environ: dict[str, str], missing: str) -> None:
    """One of the two names without the other is a mistake worth naming."""
    with pytest.raises(ConfigurationError, match=missing) as caught:
        UgsmsV1Provider.from_env(environ)
    assert "secret-word" not in str(caught.value)


def test_nothing_in_the_environment_is_no_error() -> None:
    """Without its names, each adapter leaves the environment to others."""
    assert (UgsmsV1Provider.from_env({}), UgsmsV2Provider.from_env({})) == (None, None)


def test_the_default_rate_is_the_documented_one() -> None:
    """60 requests a minute are documented for each key; `rate=` changes it."""
    assert Rate(60, 60) == v1().rate == v2().rate
    assert (None, Rate(10, 1)) == (v2(rate=None).rate, v1(rate="10/s").rate)
