"""Base URLs that hold the API's own path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iprog_async import ConfigurationError, provider_from_url
from iprog_async_providers import (
    AfricasTalkingProvider,
    EgoSmsProvider,
    InfopromoHttpProvider,
    InfopromoProvider,
    IprogProvider,
    SemaphoreProvider,
    SmsGateProvider,
    UgsmsV1Provider,
    UgsmsV2Provider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)


HOST = "https://sms.example.com"
MAKE: dict[str, Callable[[str], Any]] = {
    "iprog": lambda url: IprogProvider("t", base_url=url),
    "infopromo": lambda url: InfopromoProvider("t", base_url=url),
    "infopromo-http": lambda url: InfopromoHttpProvider("t", base_url=url),
    "ultimatesms": lambda url: UltimateSmsProvider("t", base_url=url),
    "ultimatesms-http": lambda url: UltimateSmsHttpProvider("t", base_url=url),
    "ugsms-v1": lambda url: UgsmsV1Provider("u", "p", base_url=url),
    "ugsms-v2": lambda url: UgsmsV2Provider("k", base_url=url),
    "africastalking": lambda url: AfricasTalkingProvider("u", "k", base_url=url),
    "egosms": lambda url: EgoSmsProvider("u", "p", sender_id="A", base_url=url),
    "semaphore": lambda url: SemaphoreProvider("k", base_url=url),
}
# What each adapter's own paths are.
OWN = {
    "iprog": (
        "/api/v1",
        [
            *("/sms_messages", "/sms_messages/send_bulk"),
            *("/account/sms_credits", "/accounts/sms_credits"),
        ],
    ),
    "infopromo": ("/api/v3", ["/sms/send", "/sms", "/sms/campaign", "/me", "/contacts/g1/all"]),
    "infopromo-http": ("/api/http", ["/sms/send", "/balance"]),
    "ultimatesms": ("/api/v3", ["/sms/send"]),
    "ultimatesms-http": ("/api/http", ["/sms/send"]),
    "ugsms-v1": ("/v1", ["/sms/send"]),
    "ugsms-v2": ("/api/v2", ["/sms/send", "/sms/send/bulk", "/account/balance"]),
    "africastalking": ("/version1", ["/messaging", "/user"]),
    "egosms": ("/api/v1", ["/json"]),
    "semaphore": ("/api/v4", ["/messages", "/account"]),
}
PRINTED = [
    (name, before, root + tail)
    for name, (root, tails) in OWN.items()
    for before in ["", "/sms-proxy", "/apis/v9", "/api"]
    for tail in ["", "/", "//", *tails, *(f"{tail}/" for tail in tails)]
    # That would be the path of another API.
    if before + root != "/api/v1" or not before
]
ROOTS = ["/api/v1", "/api/v2", "/api/v3", "/api/v4", "/api/http"]
WRONG = [
    *((name, other) for name, (own, _) in OWN.items() for other in ROOTS if other != own),
    *((name, f"{own}{own}") for name, (own, _) in OWN.items()),
    *((name, f"/proxy{own}{own}{tails[0]}") for name, (own, tails) in OWN.items()),
    ("ultimatesms", "/api/http/sms/send"),
    ("ultimatesms", "/sms-proxy/api/http/"),
    ("ultimatesms", "/api"),
    ("ultimatesms", "/v3"),
    ("ultimatesms", "/sms/send"),
    ("ultimatesms-http", "/api/v3/sms/send"),
    ("ultimatesms-http", "/API/V3"),
    ("iprog", "/api"),
    ("iprog", "/sms_messages/send_bulk"),
    ("ugsms-v1", "/api/v1/sms/send"),
    ("ugsms-v1", "/api/v2/sms/send"),
    ("ugsms-v2", "/v1/sms/send"),
    ("ugsms-v2", "/v2/sms/send"),
    ("iprog", "/api/v1/send_otp"),
    ("iprog", "/v1/sms_messages"),
    ("iprog", "/api/v3/sms"),
    ("iprog", "/api/3rdparty/v1"),
    ("iprog", "/%61pi/v3"),
    ("ultimatesms", "/api/v3/messages"),
    ("ultimatesms", "/api/v1/sms-proxy"),
    ("ultimatesms-http", "/proxy/api/gateway"),
    ("ugsms-v1", "/v1/messages"),
    ("ugsms-v2", "/api/generate-key"),
]


@pytest.mark.parametrize(("name", "before", "path"), PRINTED)
def test_own_path_is_taken_off(name: str, before: str, path: str) -> None:
    """A base URL that holds what the adapter appends is the one without it."""
    assert HOST + before == MAKE[name](f" {HOST}{before}{path} ").gateway.base_url


def test_own_path_is_known_in_capitals() -> None:
    """Capitals in the API's path mean the same."""
    assert HOST == MAKE["ultimatesms"](f"{HOST}/API/V3/").gateway.base_url


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize(
    "path",
    ["", "/sms-proxy", "/sms", "/a/b", "/send", "/v9", "/api-gateway"],
)
def test_path_of_a_proxy_stays(name: str, path: str) -> None:
    """A path that is none of the API's is a proxy's, and kept."""
    assert HOST + path == MAKE[name](HOST + path).gateway.base_url


@pytest.mark.parametrize(("name", "path"), WRONG)
def test_path_that_cannot_be_right_is_refused(name: str, path: str) -> None:
    """The path of another API, or a piece of this one, is refused with what to write."""
    with pytest.raises(ConfigurationError, match=f"write '{HOST}") as caught:
        MAKE[name](HOST + path)

    assert OWN[name][0] in str(caught.value)


def test_other_flavour_names_its_adapter() -> None:
    """The error for the other flavour's address says who speaks it."""
    with pytest.raises(ConfigurationError) as caught:
        MAKE["ultimatesms"](f"{HOST}/sms-proxy/api/http")

    assert str(caught.value) == (
        f"base_url '{HOST}/sms-proxy/api/http' holds the path of another API, /api/http, which "
        "UltimateSmsHttpProvider (ultimatesms-http://) speaks; this adapter appends /api/v3 "
        "itself: write "
        f"'{HOST}/sms-proxy'"
    )


def test_proxy_named_like_a_piece_can_be_written() -> None:
    """Who has a proxy at /api is told to write the whole path, and that is understood."""
    with pytest.raises(ConfigurationError, match=f"'{HOST}/api/api/v3' if the API"):
        MAKE["infopromo"](f"{HOST}/api")

    assert f"{HOST}/api" == MAKE["infopromo"](f"{HOST}/api/api/v3").gateway.base_url


@pytest.mark.parametrize("before", ["/api/v1/sms-proxy", "/api/gateway"])
def test_proxy_below_what_looks_like_an_api_can_be_written(before: str) -> None:
    """Who has one there is told to write the whole path, and that is understood."""
    with pytest.raises(ConfigurationError, match=f"'{HOST}{before}/api/v3' if the API"):
        MAKE["infopromo"](HOST + before)

    assert HOST + before == MAKE["infopromo"](f"{HOST}{before}/api/v3").gateway.base_url


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://192.168.1.5:8080", "http://192.168.1.5:8080"),
        ("http://192.168.1.5:8080/messages", "http://192.168.1.5:8080"),
        ("http://127.0.0.1:8025/smsgate/", "http://127.0.0.1:8025/smsgate"),
        ("https://sms.example.com/3rdparty/v1", "https://sms.example.com/3rdparty/v1"),
        ("https://sms.example.com/api/3rdparty/v1/", "https://sms.example.com/api/3rdparty/v1"),
        ("https://sms.example.com/3rdparty/v1/messages", "https://sms.example.com/3rdparty/v1"),
        ("https://api.sms-gate.app", "https://api.sms-gate.app/3rdparty/v1"),
        ("https://API.sms-gate.app/messages", "https://api.sms-gate.app/3rdparty/v1"),
        ("http://api.sms-gate.app", "https://api.sms-gate.app/3rdparty/v1"),
        ("https://api.sms-gate.app:443/", "https://api.sms-gate.app/3rdparty/v1"),
        ("https://api.sms-gate.app:8443", "https://api.sms-gate.app:8443"),
        ("https://sms.example.com/api/phone/messages", "https://sms.example.com/api/phone"),
    ],
)
def test_phone_and_server_of_smsgate_are_told_apart(given: str, expected: str) -> None:
    """A phone has no more than the endpoint, a server a path before it, which stays."""
    assert expected == SmsGateProvider("u", "p", base_url=given).gateway.base_url


@pytest.mark.parametrize(
    "path",
    [
        "/api/v3",
        "/api/http",
        "/api/v3/messages",
        "/mobile/v1",
        "/api/phone",
        "/messages/x",
    ],
)
def test_what_is_no_address_of_smsgate_is_refused(path: str) -> None:
    """The path of another API, or something behind its endpoint."""
    with pytest.raises(ConfigurationError, match=f"/messages itself: write '{HOST}'"):
        SmsGateProvider("u", "p", base_url=HOST + path)


@pytest.mark.parametrize(
    ("path", "advised"),
    [
        ("/3rdparty", "/3rdparty/v1"),
        ("/v1", "/3rdparty/v1"),
        ("/api", "/api/3rdparty/v1"),
        ("/api/3rdparty", "/api/3rdparty/v1"),
        ("/proxy/3rdparty", "/proxy/3rdparty/v1"),
        ("/3rdparty/v1/health", "/3rdparty/v1"),
        ("/api/3rdparty/v1/devices", "/api/3rdparty/v1"),
    ],
)
def test_who_wrote_a_piece_of_a_server_of_smsgate_is_told_the_whole_path(
    path: str, advised: str
) -> None:
    """What the base URL has to hold stands in the advice, which is understood."""
    with pytest.raises(ConfigurationError, match=f"write '{HOST}{advised}'") as caught:
        SmsGateProvider("u", "p", base_url=HOST + path)

    assert "another API" not in str(caught.value)
    assert HOST + advised == SmsGateProvider("u", "p", base_url=HOST + advised).gateway.base_url


@pytest.mark.parametrize(
    "address",
    [
        "ultimatesms://t@?base_url=https://sms.example.com/api/v3/sms/send",
        "ultimatesms-http://t@?base_url=https%3A%2F%2Fsms.example.com%2Fapi%2Fhttp%2F",
        "iprog://t@?base_url=https://sms.example.com/api/v1",
        "ugsms-v1://u:p@?base_url=https://sms.example.com/v1/sms/send",
        "ugsms-v2://k@?base_url=https://sms.example.com/api/v2",
    ],
)
def test_addresses_are_read_so_too(address: str) -> None:
    """What an `SMS_URL` holds as base_url is understood in the same way."""
    provider: Any = provider_from_url(address)

    assert provider.gateway.base_url == HOST


def test_address_with_a_path_says_what_to_write() -> None:
    """A path behind the host of an address is refused, with the way out."""
    with pytest.raises(ConfigurationError, match="leave out the API's path"):
        provider_from_url("ultimatesms://t@sms.example.com/api/v3?sender_id=X")


TOKENS = (
    "12|kJ8sQ2pLx0Zt9f8e7d6c5b4a",
    "12%7CkJ8sQ2pLx0Zt",
    "sk_live_abcdefgh12345678",
    "9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c",
    "hunter2",
    "correcthorse",
)


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("path", ["/{}/api", "/api/{}/sms/send", "/api/v2/x/{}/api/http"])
def test_a_token_in_the_path_is_not_shown(token: str, path: str) -> None:
    """Neither the account's own nor what looks like one; what to write is said all the same."""
    with pytest.raises(ConfigurationError) as caught:
        UltimateSmsProvider("correcthorse", base_url=HOST + path.format(token))

    assert token not in str(caught.value)
    assert HOST in str(caught.value)
    assert "/api/v3" in str(caught.value)
