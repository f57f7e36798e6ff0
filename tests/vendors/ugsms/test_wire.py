"""What UGSMS's adapters put on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import respx
from support.ugsms.wire import (
    API_KEY,
    CREDENTIALS,
    HOST,
    KEY_HEADER,
    PASSWORD,
    Seen,
    bulk_answer,
    client,
    different,
    requests_of,
    seen,
    sent_answer,
    submit,
    to_many,
    v1,
    v2,
)

from iprog_async import Message
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


V1_SEND = f"{HOST}/v1/sms/send"
V2_SEND = f"{HOST}/api/v2/sms/send"
V2_BULK = f"{HOST}/api/v2/sms/send/bulk"
BALANCE = f"{HOST}/api/v2/account/balance"
TEXT = {"numbers": "0701234500,0701234501", "message_body": "Hi"}
KEY = {"api_key": API_KEY}
MESSAGES = {
    "messages": [
        {"number": "0701234500", "message_body": "Hi 0"},
        {"number": "0701234501", "message_body": "Hi 1"},
    ]
}
GATEWAY_KEY = {"success": True, "data": {"api_key": "new"}, "message": "done"}


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    """Stand in for a host that takes everything."""
    with respx.mock(base_url=HOST, assert_all_called=False) as router:
        router.route(path="/api/v2/sms/send/bulk").respond(
            json=bulk_answer([{"index": 0}, {"index": 1}]).json()
        )
        router.route(path__regex="/sms/send$").mock(return_value=sent_answer(2))
        router.get("/api/v2/account/balance").respond(json={"data": {"balance": 1}})
        router.post(path__regex="-key$").respond(json=GATEWAY_KEY)
        yield router


V1_PLACES = [
    ("form", Seen("POST", V1_SEND, {}, "form", {**CREDENTIALS, **TEXT})),
    ("json", Seen("POST", V1_SEND, {}, "json", {**CREDENTIALS, **TEXT})),
    ("query", Seen("GET", V1_SEND, {**CREDENTIALS, **TEXT})),
]


@pytest.mark.parametrize(("place", "expected"), V1_PLACES)
async def test_v1_credentials_travel_where_they_were_told_to(
    wire: respx.MockRouter, place: Any, expected: Seen
) -> None:
    """A v1 send is a form, JSON or a GET, with the credentials in just that place."""
    await submit(v1(credentials_in=place), *to_many(2))
    (request,) = requests_of(wire)
    assert expected == seen(request)
    assert "x-api-key" not in request.headers


V2_PLACES = [
    ("header", to_many(2), Seen("POST", V2_SEND, {}, "json", TEXT), True),
    ("json", to_many(2), Seen("POST", V2_SEND, {}, "json", {**KEY, **TEXT}), False),
    ("query", to_many(2), Seen("GET", V2_SEND, {**KEY, **TEXT}), False),
    ("header", different(2), Seen("POST", V2_BULK, {}, "json", MESSAGES), True),
    ("json", different(2), Seen("POST", V2_BULK, {}, "json", {**KEY, **MESSAGES}), False),
    ("query", different(2), Seen("POST", V2_BULK, KEY, "json", MESSAGES), False),
]


@pytest.mark.parametrize(("place", "messages", "expected", "in_header"), V2_PLACES)
async def test_v2_key_travels_where_it_was_told_to(
    wire: respx.MockRouter, place: Any, messages: list[Message], expected: Seen, in_header: bool
) -> None:
    """A v2 send has its key in just one place; equal texts share a request, others go as bulk."""
    await submit(v2(key_in=place), *messages)
    (request,) = requests_of(wire)
    assert expected == seen(request)
    assert (API_KEY if in_header else None) == request.headers.get("x-api-key")


@pytest.mark.parametrize(
    ("place", "query", "key"),
    [("header", {}, API_KEY), ("json", {}, API_KEY), ("query", KEY, None)],
)
async def test_balance_is_a_get_without_a_body(
    wire: respx.MockRouter, place: Any, query: dict[str, str], key: str | None
) -> None:
    """A GET has no body to carry a key, so `key_in="json"` falls back to the header."""
    async with client(v2(key_in=place)) as sms:
        await sms.balance()
    (request,) = requests_of(wire)
    assert Seen("GET", BALANCE, query) == seen(request)
    assert key == request.headers.get("x-api-key")


@pytest.mark.parametrize("place", ["header", "json", "query"])
@pytest.mark.parametrize(
    ("operation", "settings", "path", "body"),
    [
        ("generate", {}, "/api/generate-key", {}),
        ("generate", {"expiry_days": 3}, "/api/generate-key", {"expiry_days": 3}),
        ("regenerate", {"expiry_days": 365}, "/api/regenerate-key", {"expiry_days": 365}),
        ("revoke", {}, "/api/revoke-key", {}),
    ],
)
async def test_v2_manages_keys_with_its_key_in_the_header(
    wire: respx.MockRouter,
    place: Any,
    operation: str,
    settings: dict[str, int],
    path: str,
    body: dict[str, int],
) -> None:
    """Calls about keys are POSTs of JSON, with the header wherever sends have the key."""
    async with client(v2(key_in=place)) as sms:
        await getattr(sms.provider.keys, operation)(**settings)
    (request,) = requests_of(wire)
    assert Seen("POST", HOST + path, {}, "json", body) == seen(request)
    assert request.headers["x-api-key"] == API_KEY


@pytest.mark.parametrize("place", ["form", "json", "query"])
@pytest.mark.parametrize(
    ("operation", "settings", "path", "body"),
    [
        ("generate", {"expiry_days": 1}, "/api/generate-key", {"expiry_days": 1}),
        ("regenerate", {}, "/api/regenerate-key", {}),
        ("revoke", {}, "/api/revoke-key", {}),
    ],
)
async def test_v1_manages_keys_with_its_credentials_in_the_body(
    wire: respx.MockRouter,
    place: Any,
    operation: str,
    settings: dict[str, int],
    path: str,
    body: dict[str, int],
) -> None:
    """Calls about keys carry name and password in the JSON body, wherever sends have them."""
    async with client(v1(credentials_in=place)) as sms:
        await getattr(sms.provider.keys, operation)(**settings)
    (request,) = requests_of(wire)
    assert Seen("POST", HOST + path, {}, "json", {**CREDENTIALS, **body}) == seen(request)


@pytest.mark.parametrize(
    "provider",
    [v1(), v1(credentials_in="json"), v2(), v2(key_in="json")],
    ids=["form", "v1 json", "header", "v2 json"],
)
async def test_no_credential_is_in_a_url_unasked(
    wire: respx.MockRouter, provider: UgsmsV1Provider | UgsmsV2Provider
) -> None:
    """Only `"query"` puts a password or key into a URL, whatever is called."""
    async with client(provider) as sms:
        await sms.send("0701234500", "Hi")
        bound = sms.provider
        await bound.keys.generate()
        if isinstance(bound, UgsmsV2Provider):
            await bound.submit([bound.prepare(message) for message in different(2)])
            await bound.balance()
    urls = " ".join(str(request.url) for request in requests_of(wire))
    assert [part for part in (API_KEY, "p%40ss", PASSWORD, "?") if part in urls] == []


@pytest.mark.parametrize(
    ("provider", "messages", "expected"),
    [
        (v1(sender_id="BAKERY"), [Message("0701234500", "Hi")], "BAKERY"),
        (v1(sender_id="BAKERY"), [Message("0701234500", "Hi", "SHOP")], "SHOP"),
        (v2(), [Message("0701234500", "Hi", "SHOP")], "SHOP"),
        (v2(sender_id="BAKERY"), [Message("0701234500", "Hi")], "BAKERY"),
        (v2(sender_id="BAKERY"), different(2), "BAKERY"),
        (v2(), different(2), None),
        (v2(), to_many(2), None),
    ],
)
async def test_the_message_s_sender_goes_before_the_provider_s(
    wire: respx.MockRouter,
    provider: UgsmsV1Provider | UgsmsV2Provider,
    messages: list[Message],
    expected: str | None,
) -> None:
    """`sender_id` is the message's own, else the provider's, else not sent at all."""
    await submit(provider, *messages)
    assert expected == seen(requests_of(wire)[-1]).fields.get("sender_id")


@pytest.mark.parametrize(
    ("number_format", "to", "expected"),
    [
        ("national", "+256 701 234567", "0701234567"),
        ("national", "701234567", "0701234567"),
        ("national", "00256701234567", "0701234567"),
        ("international", "0701234567", "256701234567"),
        ("international", "+254 712 345678", "254712345678"),
    ],
)
async def test_numbers_travel_in_the_chosen_notation(
    wire: respx.MockRouter, number_format: Any, to: str, expected: str
) -> None:
    """National numbers have a zero, international ones their country code and no plus sign."""
    await submit(v2(number_format=number_format), Message(to, "Hi"))
    assert expected == seen(requests_of(wire)[-1]).fields["numbers"]


async def test_every_request_asks_for_json(wire: respx.MockRouter) -> None:
    """Laravel answers a browser with HTML; `Accept` tells it that we are none."""
    await submit(v1(), *to_many(1))
    assert requests_of(wire)[-1].headers["accept"] == "application/json"


@pytest.mark.usefixtures("whole_batches")
async def test_many_different_texts_take_one_request(wire: respx.MockRouter) -> None:
    """A bulk run packs different texts for different numbers into one v2 bulk request."""
    async with client(v2()) as sms, sms.send_many(different(2)) as run:
        states = [outcome.state async for outcome in run]
    assert states == ["accepted", "accepted"]
    assert [str(request.url) for request in requests_of(wire)] == [V2_BULK]
    assert KEY_HEADER["x-api-key"] == requests_of(wire)[-1].headers["x-api-key"]


async def test_a_host_of_one_s_own_is_asked(respx_mock: respx.MockRouter) -> None:
    """`base_url` replaces the host for every address."""
    route = respx_mock.post("https://www.ugsms.com/x/v1/sms/send").mock(
        return_value=httpx.Response(200, json={"success": True})
    )
    await submit(v1(base_url="https://www.ugsms.com/x/"), *to_many(1))
    assert route.call_count == 1
