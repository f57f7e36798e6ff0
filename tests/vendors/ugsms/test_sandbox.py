"""UGSMS as the sandbox plays it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio
from support.ugsms.sandbox import TickingState, connect, open_http, sandbox_v1, sandbox_v2
from support.ugsms.wire import different, to_many

from iprog_async import (
    Accepted,
    AuthenticationError,
    InsufficientCreditError,
    Message,
    RateLimitError,
    RejectedError,
)
from iprog_async.sandbox import REFUSED_RECIPIENT
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider
from iprog_async_providers.ugsms._sandbox import SandboxUgsms
from iprog_async_providers.ugsms._sandbox.account import API_KEY, PASSWORD, USERNAME


KEY = {"X-API-Key": API_KEY}
TEXT = {"numbers": "0701234500", "message_body": "Hi"}


@pytest.fixture
def state() -> TickingState:
    """Return a sandbox's memory whose time stands still."""
    return TickingState()


@pytest_asyncio.fixture
async def http(state: TickingState) -> AsyncIterator[httpx.AsyncClient]:
    """Open an HTTP client that reaches the sandbox's UGSMS alone."""
    async with open_http(UgsmsV1Provider.sandbox().routes(state)) as opened:
        yield opened


def test_both_apis_are_one_gateway() -> None:
    """v1 and v2 share prefix and routes, and so the account and its credit."""
    first, second = UgsmsV1Provider.sandbox(), UgsmsV2Provider.sandbox()
    assert (first.prefix, first.routes) == (second.prefix, second.routes)


@pytest.mark.parametrize(
    "provider",
    [
        sandbox_v1(),
        sandbox_v1("&credentials_in=json"),
        sandbox_v1("&credentials_in=query"),
        sandbox_v2(),
        sandbox_v2("&key_in=json"),
        sandbox_v2("&key_in=query"),
    ],
)
async def test_a_text_for_many_arrives(
    http: httpx.AsyncClient, state: TickingState, provider: Any
) -> None:
    """Wherever the credentials travel, each recipient is in the inbox, under one id."""
    async with (
        connect(provider, http) as sms,
        sms.send_many([Message(m.to, m.text, "SHOP") for m in to_many(2, "Hi & bye, é")]) as run,
    ):
        found = [outcome async for outcome in run]
    ids = {outcome.receipt.message_id for outcome in found if isinstance(outcome, Accepted)}
    texts = state.texts("ugsms")
    assert [text.to for text in texts] == ["0701234500", "0701234501"]
    assert {("Hi & bye, é", "SHOP")} == {(text.text, text.sender_id) for text in texts}
    assert ids == {text.message_id for text in texts}


@pytest.mark.parametrize("place", ["header", "json", "query"])
async def test_different_texts_arrive(
    http: httpx.AsyncClient, state: TickingState, place: str
) -> None:
    """A bulk request brings each number its own text."""
    provider = sandbox_v2(f"&key_in={place}&sender_id=SHOP")
    async with connect(provider, http) as sms, sms.send_many(different(3)) as run:
        assert [outcome.state async for outcome in run] == ["accepted"] * 3
    assert [(f"070123450{i}", f"Hi {i}", "SHOP") for i in range(3)] == [
        (text.to, text.text, text.sender_id) for text in state.texts()
    ]


async def test_a_bulk_request_can_fail_in_part(
    http: httpx.AsyncClient, state: TickingState
) -> None:
    """A refused number and an empty account are reported for each message."""
    state.set_credit("ugsms", 1)
    messages = [
        Message(f"070100{REFUSED_RECIPIENT}", "One"),
        Message("0701234502", "Two"),
        Message("0701234503", "Three"),
    ]
    async with connect(sandbox_v2(), http) as sms:
        bound = sms.provider
        found = await bound.submit([bound.prepare(m, i) for i, m in enumerate(messages)])
    assert [outcome.state for outcome in found] == ["not_sent", "accepted", "not_sent"]
    assert [RejectedError, InsufficientCreditError] == [
        type(outcome.error) for outcome in (found[0], found[2])
    ]


@pytest.mark.parametrize("provider", [sandbox_v1(), sandbox_v2()])
async def test_one_bad_number_refuses_the_whole_list(
    http: httpx.AsyncClient, state: TickingState, provider: Any
) -> None:
    """The list is refused as a whole and halved, until only the bad number is left."""
    messages = [*to_many(1), Message(f"070100{REFUSED_RECIPIENT}", "Hi")]
    async with connect(provider, http) as sms, sms.send_many(messages) as run:
        found = {outcome.index: outcome.state async for outcome in run}
    assert found == {0: "accepted", 1: "not_sent"}
    assert [text.to for text in state.texts()] == ["0701234500"]


@pytest.mark.parametrize("provider", [sandbox_v1(), sandbox_v2()])
async def test_credit_runs_down(
    http: httpx.AsyncClient, state: TickingState, provider: Any
) -> None:
    """Each segment costs; a list that costs too much is refused as a whole."""
    state.set_credit("ugsms", 3)
    async with connect(provider, http) as sms:
        receipt = await sms.send("0701234500", "a" * 161)
        assert Decimal(2) == receipt.cost
        bound = sms.provider
        found = await bound.submit([bound.prepare(m, i) for i, m in enumerate(to_many(2))])
    assert [InsufficientCreditError] * 2 == [type(outcome.error) for outcome in found]
    assert len(state.texts()) == 1


@pytest.mark.parametrize("place", ["header", "json", "query"])
async def test_the_balance_is_the_credit(
    http: httpx.AsyncClient, state: TickingState, place: str
) -> None:
    """The balance shows what sends have left, in shillings."""
    async with connect(sandbox_v2(f"&key_in={place}"), http) as sms:
        await sms.send("0701234500", "Hi")
        balance = await sms.balance()
    assert (Decimal(999), "UGX") == (balance.amount, balance.unit)


@pytest.mark.parametrize(
    "provider",
    [
        UgsmsV1Provider(USERNAME, "wrong-password", base_url="http://sandbox/ugsms"),
        UgsmsV1Provider("nobody", PASSWORD, base_url="http://sandbox/ugsms"),
        UgsmsV2Provider("wrong-key", base_url="http://sandbox/ugsms"),
    ],
)
async def test_wrong_credentials_are_refused(
    http: httpx.AsyncClient, state: TickingState, provider: Any
) -> None:
    """Every operation asks for the right credentials, and accepts nothing without them."""
    async with connect(provider, http) as sms:
        keys = sms.provider.keys
        sends = sms.provider.submit([sms.provider.prepare(m) for m in different(2)])
        for call in (sms.send("0701234500", "Hi"), keys.generate(), keys.regenerate()):
            with pytest.raises(AuthenticationError):
                await call
        with pytest.raises(AuthenticationError):
            await keys.revoke()
        outcomes = await sends
    assert [AuthenticationError] * 2 == [type(outcome.error) for outcome in outcomes]
    assert state.texts() == []


@pytest.mark.parametrize("path", ["/api/v2/sms/send", "/api/v2/account/balance"])
async def test_a_missing_key_gets_the_recorded_answer(http: httpx.AsyncClient, path: str) -> None:
    """The body and the counting header fields are those of the vendor's page."""
    answers = [await http.get(path) for _ in range(2)]
    assert answers[0].json() == {
        "error": "API key is required",
        "help": "Provide X-API-Key header or api_key parameter",
    }
    assert [
        (a.status_code, a.headers["x-ratelimit-limit"], a.headers["x-ratelimit-remaining"])
        for a in answers
    ] == [(401, "60", "59"), (401, "60", "58")]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/v2/sms/send", {"numbers": "0701234500"}, "message_body"),
        ("/api/v2/sms/send", {"message_body": "Hi"}, "numbers"),
        ("/api/v2/sms/send", {"message_body": "Hi", "numbers": " , "}, "numbers"),
        ("/api/v2/sms/send/bulk", {"messages": []}, "messages"),
        ("/api/v2/sms/send/bulk", {"messages": "all"}, "messages"),
        ("/api/generate-key", {"expiry_days": 366}, "expiry_days"),
        ("/api/regenerate-key", {"expiry_days": "soon"}, "expiry_days"),
    ],
)
async def test_a_missing_field_is_named(
    http: httpx.AsyncClient, path: str, body: object, field: str
) -> None:
    """What is missing or wrong is answered as Laravel's validator does."""
    answer = await http.post(path, headers=KEY, json=body)
    assert (422, [field]) == (answer.status_code, list(answer.json()["errors"]))


async def test_a_bulk_message_without_a_text_fails_alone(http: httpx.AsyncClient) -> None:
    """A message that is no object, or has no text, is in the list of failures."""
    body = {"messages": [{"number": "0701234500"}, "hello"]}
    answer = await http.post("/api/v2/sms/send/bulk", headers=KEY, json=body)
    data = answer.json()["data"]
    assert [item["index"] for item in data["failed_messages"]] == [0, 1]
    assert data["successful_messages"] == []


async def test_spaces_after_commas_are_taken(http: httpx.AsyncClient, state: TickingState) -> None:
    """The vendor's own sample has a space after the comma."""
    form = {**TEXT, "numbers": "0701234567, 0712345678", "username": USERNAME}
    answer = await http.post("/v1/sms/send", data={**form, "password": PASSWORD})
    assert answer.json()["data"]["recipients"] == 2
    assert [text.to for text in state.texts()] == ["0701234567", "0712345678"]


@pytest.mark.parametrize("number", ["070123456", "hello", "07012345678901234", "+"])
async def test_a_number_of_another_shape_is_refused(http: httpx.AsyncClient, number: str) -> None:
    """The refusal of a bad number has the documented body."""
    answer = await http.post("/api/v2/sms/send", headers=KEY, json={**TEXT, "numbers": number})
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid phone number format."})


async def test_the_limit_is_counted_by_credential_and_minute(state: TickingState) -> None:
    """One too many is told when to come back; a minute later the count starts again."""
    async with open_http(SandboxUgsms(state, limit=2).routes()) as http:
        first = [await http.get("/api/v2/account/balance", headers=KEY) for _ in range(2)]
        state.pass_time(seconds=20)
        over = await http.get("/api/v2/account/balance", headers=KEY)
        other = await http.get("/api/v2/account/balance")
        state.pass_time(seconds=float(over.headers["retry-after"]))
        later = await http.get("/api/v2/account/balance", headers=KEY)
    remaining = [a.headers["x-ratelimit-remaining"] for a in (*first, over, other, later)]
    assert remaining == ["1", "0", "0", "1", "1"]
    assert [a.status_code for a in (*first, over, other, later)] == [200, 200, 429, 401, 200]
    assert 40 <= float(over.headers["retry-after"]) <= 41


async def test_the_adapter_understands_the_limit(state: TickingState) -> None:
    """A client that may not wait gets the limit as an error, with the time to wait."""
    async with open_http(SandboxUgsms(state, limit=1).routes()) as http:
        await http.get("/api/v2/account/balance", headers=KEY)
        async with connect(sandbox_v2(), http) as sms:
            with pytest.raises(RateLimitError) as caught:
                await sms.send("0701234500", "Hi")
    assert caught.value.retry_after is not None
    assert 59 <= caught.value.retry_after <= 61


@pytest.mark.parametrize("provider", [sandbox_v1(), sandbox_v2()])
async def test_a_generated_key_works_until_it_expires(
    http: httpx.AsyncClient, state: TickingState, provider: Any
) -> None:
    """Either kind of credentials makes a key, which v2 then takes for so many days."""
    async with connect(provider, http) as sms:
        made = await sms.provider.keys.generate(expiry_days=2)
    mine = UgsmsV2Provider(made.key, base_url="http://sandbox/ugsms")
    async with connect(mine, http) as sms:
        await sms.send("0701234500", "Hi")
        state.pass_time(days=2)
        with pytest.raises(AuthenticationError):
            await sms.send("0701234501", "Hi")
    assert made.expires_at == "2026-01-03T00:00:00+00:00"


async def test_a_regenerated_key_replaces_the_old_one(http: httpx.AsyncClient) -> None:
    """The key that asked for a new one is void, and the new one works."""
    async with connect(sandbox_v2(), http) as sms:
        made = await sms.provider.keys.regenerate()
        with pytest.raises(AuthenticationError):
            await sms.balance()
    async with connect(UgsmsV2Provider(made.key, base_url="http://sandbox/ugsms"), http) as sms:
        assert Decimal(1000) == (await sms.balance()).amount
    assert made.expires_at == ""


@pytest.mark.parametrize("provider", [sandbox_v1(), sandbox_v2()])
async def test_a_revoked_key_is_refused(http: httpx.AsyncClient, provider: Any) -> None:
    """A key revokes itself; a user name and password revoke whatever key there is."""
    async with connect(provider, http) as sms:
        await sms.provider.keys.revoke()
    async with connect(sandbox_v2(), http) as sms:
        with pytest.raises(AuthenticationError):
            await sms.send("0701234500", "Hi")
