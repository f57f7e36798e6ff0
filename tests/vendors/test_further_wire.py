"""Requests and settings of the gateways that have one API each."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from iprog_async import (
    ConfigurationError,
    InvalidMessageError,
    Message,
    Rate,
    SmsClient,
    UnsupportedError,
    provider_from_env,
    provider_from_url,
)
from iprog_async_providers import (
    AfricasTalkingProvider,
    EgoSmsProvider,
    SemaphoreProvider,
    SmsGateProvider,
)


async def request_of(
    provider: Any, mock: respx.MockRouter, *messages: Message
) -> tuple[httpx.Request, dict[str, Any]]:
    """Send messages in one request that is not answered well; return it and its fields."""
    route = mock.route().respond(500)
    async with SmsClient(provider) as sms:
        bound: Any = sms.provider
        await bound.submit([bound.prepare(each, index) for index, each in enumerate(messages)])
    request = route.calls.last.request
    if "json" in request.headers["content-type"]:
        return request, json.loads(request.content)
    return request, {key: value for key, (value,) in parse_qs(request.content.decode()).items()}


async def test_africas_talking_is_asked_as_documented(respx_mock: respx.MockRouter) -> None:
    """A form with all numbers, and the key in a header field."""
    provider = AfricasTalkingProvider("shop", "k3y-k3y", region="KE", sender_id="SHOP")

    request, fields = await request_of(
        provider, respx_mock, Message("0712 345678", "Hi"), Message("+254712345679", "Hi")
    )

    assert "https://api.africastalking.com/version1/messaging" == str(request.url)
    assert ("k3y-k3y", "application/json") == (request.headers["apikey"], request.headers["accept"])
    assert {
        "username": "shop",
        "to": "+254712345678,+254712345679",
        "message": "Hi",
        "bulkSMSMode": "1",
        "from": "SHOP",
    } == fields


async def test_egosms_is_asked_as_documented(respx_mock: respx.MockRouter) -> None:
    """JSON with the credentials in it, and each text with its number, sender and priority."""
    provider = EgoSmsProvider("shop", "k3y-k3y", sender_id="SHOP", priority=0)

    request, fields = await request_of(
        provider, respx_mock, Message("0701 234567", "Hi"), Message("+254712345679", "Ho")
    )

    assert "https://comms.egosms.co/api/v1/json/" == str(request.url)
    assert {
        "method": "SendSms",
        "userdata": {"username": "shop", "password": "k3y-k3y"},
        "msgdata": [
            {"number": "256701234567", "message": "Hi", "senderid": "SHOP", "priority": "0"},
            {"number": "254712345679", "message": "Ho", "senderid": "SHOP", "priority": "0"},
        ],
    } == fields


async def test_egosms_decides_what_is_not_set(respx_mock: respx.MockRouter) -> None:
    """A sender and a priority are left out, and not sent as nothing."""
    _, fields = await request_of(
        EgoSmsProvider("shop", "k3y-k3y"), respx_mock, Message("0701 234567", "Hi")
    )

    assert [{"number": "256701234567", "message": "Hi"}] == fields["msgdata"]


async def test_semaphore_is_asked_as_documented(respx_mock: respx.MockRouter) -> None:
    """A form with all numbers and the key."""
    request, fields = await request_of(
        SemaphoreProvider("k3y-k3y"), respx_mock, Message("0917 123 4567", "Hi", "SHOP")
    )

    assert "https://api.semaphore.co/api/v4/messages" == str(request.url)
    assert {
        "apikey": "k3y-k3y",
        "number": "639171234567",
        "message": "Hi",
        "sendername": "SHOP",
    } == fields


async def test_smsgate_is_asked_as_documented(respx_mock: respx.MockRouter) -> None:
    """JSON for one number, and which phone and SIM is to send."""
    provider = SmsGateProvider("shop", "p4ss", device_id="d-1", sim=2, region="PH")

    request, fields = await request_of(provider, respx_mock, Message("0917 123 4567", "Hi"))

    assert "https://api.sms-gate.app/3rdparty/v1/messages" == str(request.url)
    assert "Basic c2hvcDpwNHNz" == request.headers["authorization"]
    assert {
        "textMessage": {"text": "Hi"},
        "phoneNumbers": ["+639171234567"],
        "deviceId": "d-1",
        "simNumber": 2,
    } == fields


def test_africas_talkings_own_test_environment_has_its_own_host() -> None:
    """The user name `sandbox` leads there, unless a host is given."""
    own = AfricasTalkingProvider("sandbox", "k3y-k3y")
    ours = AfricasTalkingProvider("sandbox", "k3y-k3y", base_url="http://127.0.0.1:9")

    assert "https://api.sandbox.africastalking.com" == own.base_url
    assert "http://127.0.0.1:9" == ours.base_url


@pytest.mark.parametrize("text", ["TEST 1", " testing", "Test: hello"])
def test_semaphore_swallows_tests(text: str) -> None:
    """The gateway takes and drops such a text, so it is refused before any network."""
    with pytest.raises(InvalidMessageError, match="throws away texts that begin with TEST"):
        SemaphoreProvider("k3y-k3y").prepare(Message("0917 123 4567", text))


def test_a_phone_has_no_sender_id() -> None:
    """What can't be done is refused, and not dropped."""
    with pytest.raises(UnsupportedError, match="the number of the SIM"):
        SmsGateProvider("shop", "p4ss").prepare(Message("+639171234567", "Hi", "SHOP"))


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"AFRICASTALKING_USERNAME": "shop", "AFRICASTALKING_API_KEY": "k3y"}, "africastalking"),
        ({"EGOSMS_USERNAME": "shop", "EGOSMS_PASSWORD": "k3y"}, "egosms"),
        ({"SEMAPHORE_API_KEY": "k3y", "SEMAPHORE_SENDER_NAME": "SHOP"}, "semaphore"),
        ({"SMSGATE_USERNAME": "shop", "SMSGATE_PASSWORD": "p4ss"}, "smsgate"),
    ],
)
def test_each_is_found_by_its_variables(environ: dict[str, str], name: str) -> None:
    """The environment is enough, and one half of a pair names the other."""
    assert name == provider_from_env(environ).name

    if name != "semaphore":
        first, second = environ
        with pytest.raises(ConfigurationError, match=f"set {second}"):
            provider_from_env({first: "x"})
        with pytest.raises(ConfigurationError, match=f"set {first}"):
            provider_from_env({second: "x"})


def test_egosms_takes_its_sender_from_the_environment() -> None:
    """It is one more variable beside the two that belong together."""
    pair = {"EGOSMS_USERNAME": "shop", "EGOSMS_PASSWORD": "k3y"}

    named: Any = provider_from_env({**pair, "EGOSMS_SENDER_ID": "SHOP"})
    plain: Any = provider_from_env(pair)

    assert ("SHOP", None) == (named.sender_id, plain.sender_id)


@pytest.mark.parametrize(
    ("address", "settings"),
    [
        ("semaphore://k3y@?sender_id=SHOP&max_batch=7", {"sender_id": "SHOP", "max_batch": 7}),
        ("semaphore://k3y@", {"rate": Rate(120)}),
        ("africastalking://shop:k3y@?region=ke&rate=5/s", {"region": "KE", "rate": Rate(5, 1)}),
        (
            "egosms://shop:k3y@?sender_id=SHOP&priority=0&region=ke&max_batch=1000",
            {"sender_id": "SHOP", "priority": 0, "region": "KE", "max_batch": 1000},
        ),
        (
            "egosms://shop:k3y@?base_url=https://comms-test.pahappa.net/api/v1/json/",
            {"username": "shop", "password": "k3y", "sender_id": None, "region": "UG"},
        ),
        ("smsgate://shop:p4ss@?sim=1&device_id=d", {"sim": 1, "device_id": "d"}),
        (
            "smsgate://shop:p4ss@?base_url=http://192.168.1.5:8080",
            {"base_url": "http://192.168.1.5:8080"},
        ),
    ],
)
def test_an_address_holds_the_settings(address: str, settings: dict[str, Any]) -> None:
    """Under the names of the provider's arguments."""
    provider = provider_from_url(address)

    assert settings == {key: getattr(provider, key) for key in settings}


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (EgoSmsProvider, {"priority": "1"}),
        (EgoSmsProvider, {"priority": True}),
        (EgoSmsProvider, {"max_batch": "5"}),
        (EgoSmsProvider, {"max_batch": 2.5}),
        (AfricasTalkingProvider, {"max_batch": "5"}),
        (SmsGateProvider, {"sim": True}),
    ],
)
def test_a_number_in_quotes_is_told(make: Any, settings: dict[str, Any]) -> None:
    """With what was given, as it was written."""
    ((name, given),) = settings.items()
    with pytest.raises(ConfigurationError, match=f"^{name} is a whole number .*{given!r}$"):
        make("shop", "k3y", **settings)


@pytest.mark.parametrize("path", ["plain", "xml/"])
def test_the_other_apis_of_egosms_are_told_apart(path: str) -> None:
    """The address of one that is not spoken here is refused with what to write."""
    with pytest.raises(ConfigurationError, match=r"write 'https://www\.egosms\.co'$") as caught:
        EgoSmsProvider("shop", "k3y", base_url=f"https://www.egosms.co/api/v1/{path}")

    assert f"another API, /api/v1/{path.rstrip('/')}; this adapter appends" in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "smsgate://shop:p4ss@?sim=4",
        "smsgate://a%3Ab:p4ss@",
        "smsgate://shop@",
        "africastalking://shop@",
        "egosms://shop@",
        "egosms://shop:k3y@?priority=5",
        "egosms://shop:k3y@?max_batch=1001",
        "semaphore://k3y:k3y@",
        "semaphore://k3y@?max_batch=1001",
        "africastalking://shop:k3y@?max_batch=0",
    ],
)
def test_a_wrong_address_is_told(address: str) -> None:
    """No credential is shown."""
    with pytest.raises(ConfigurationError) as caught:
        provider_from_url(address)

    assert "p4ss" not in str(caught.value)
    assert "k3y" not in str(caught.value)
