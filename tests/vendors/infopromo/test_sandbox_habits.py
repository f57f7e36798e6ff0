"""What Infopromo's part of the sandbox answers to requests that no adapter makes."""

from __future__ import annotations

from typing import Any

import pytest
from support.infopromo.sandbox import BASE_URL, http_client

from iprog_async.sandbox import SandboxState
from iprog_async_providers.infopromo._sandbox import (
    TOKEN,
)


GOOD = "+639171234567"


OTHER = "+639181234567"


TEXT = "Your parcel has shipped."


@pytest.fixture
def state() -> SandboxState:
    """Return a sandbox whose texts arrive at once."""
    return SandboxState(delivered_after=0)


BEARER = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}


SEND = {"recipient": GOOD[1:], "sender_id": "X", "message": TEXT}


HABITS: list[tuple[dict[str, Any], int, str]] = [
    ({"json": {}}, 200, "The recipient field is required."),
    ({"json": {**SEND, "sender_id": ""}}, 200, "The sender id field is required."),
    ({"data": SEND}, 200, "The recipient field is required."),
    (
        {"content": b"{", "headers": {**BEARER, "Content-Type": "application/json"}},
        200,
        "The recipient field is required.",
    ),
    ({"json": [1]}, 200, "The recipient field is required."),
    ({"json": SEND, "headers": {"Accept": "application/json"}}, 200, "Unauthenticated."),
    (
        {"json": {**SEND, "recipient": ",".join(str(31612340000 + n) for n in range(101))}},
        403,
        "You cannot send more than 100 SMS in a single request.",
    ),
    ({"json": {**SEND, "recipient": "0612345678"}}, 403, "0612345678 is a invalid phone number"),
    (
        {"json": {**SEND, "recipient": f"{GOOD},{OTHER}", "schedule_time": "soon"}},
        200,
        "Could not parse 'soon': unexpected character",
    ),
]


@pytest.mark.parametrize(("request_args", "status", "message"), HABITS)
async def test_bad_habits(
    state: SandboxState, request_args: dict[str, Any], status: int, message: str
) -> None:
    """What the adapters never send is answered as the real server does."""
    async with http_client(state) as http:
        given: dict[str, Any] = {"headers": BEARER, **request_args}
        reply = await http.post(f"{BASE_URL}/api/v3/sms/send", **given)

    assert (status, {"status": "error", "message": message}) == (reply.status_code, reply.json())
    assert state.texts() == []


@pytest.mark.parametrize(
    "query", [{"timezone": "Nowhere"}, {"start_date": "yesterday"}, {"timezone": "/etc"}]
)
async def test_bad_filters(state: SandboxState, query: dict[str, str]) -> None:
    """A filter that makes no sense is answered with 422."""
    async with http_client(state) as http:
        reply = await http.get(f"{BASE_URL}/api/v3/sms", params=query, headers=BEARER)

    assert reply.status_code == 422


async def test_errors_are_html_without_accept(state: SandboxState) -> None:
    """Who does not accept JSON gets errors as HTML."""
    async with http_client(state) as http:
        reply = await http.get(f"{BASE_URL}/api/v3/sms", headers={"Accept": "*/*"})

    assert (reply.status_code, reply.text.startswith("<html>")) == (500, True)


async def test_duplicates_are_dropped(state: SandboxState) -> None:
    """A number that is given twice gets one text."""
    async with http_client(state) as http:
        body = {**SEND, "recipient": "63917-1234567, +63 917 1234567"}
        reply = await http.post(f"{BASE_URL}/api/v3/sms/send", json=body, headers=BEARER)

    assert "status" in reply.json()["data"]
    assert reply.headers["x-ratelimit-limit"] == "1000"
    assert len(state.texts()) == 1


@pytest.mark.parametrize(
    ("page", "expected"), [("2", 2), ("0", 1), ("-1", 1), ("two", 1), ("²", 1), ("9" * 40, None)]
)
async def test_odd_pages(state: SandboxState, page: str, expected: int | None) -> None:
    """A page that is no number is the first; one past the end is empty."""
    async with http_client(state) as http:
        reply = await http.get(f"{BASE_URL}/api/v3/sms", params={"page": page}, headers=BEARER)

    data = reply.json()["data"]
    assert (expected or int(page), []) == (data["current_page"], data["data"])
