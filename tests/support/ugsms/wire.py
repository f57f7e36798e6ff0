"""UGSMS's adapters over respx: what they were asked to send, and what came of it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import httpx
import respx
from attrs import field, frozen

from iprog_async import Message, Outcome, RetryPolicy, SmsClient, SmsProvider
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


P = TypeVar("P", bound=SmsProvider)

HOST = "https://ugsms.com"
MESSAGE_ID = "9b1f3c1e-6d0f-4a6e-9c8e-0d8b0a9f4c11"
USERNAME = "kampala-bakery"
PASSWORD = "p@ss word/1&2"
API_KEY = "ug-key-000111222"

KEY_HEADER = {"x-api-key": API_KEY}
CREDENTIALS = {"username": USERNAME, "password": PASSWORD}


def v1(**settings: Any) -> UgsmsV1Provider:
    """Return a v1 provider with test credentials."""
    return UgsmsV1Provider(USERNAME, PASSWORD, **settings)


def v2(**settings: Any) -> UgsmsV2Provider:
    """Return a v2 provider with a test key."""
    return UgsmsV2Provider(API_KEY, **settings)


@asynccontextmanager
async def client(provider: P, **settings: Any) -> AsyncGenerator[SmsClient[P]]:
    """Open a client that tries once and never waits."""
    async with SmsClient(provider, retry=RetryPolicy.off(), **settings) as sms:
        yield sms


async def submit(provider: SmsProvider, *messages: Message) -> Sequence[Outcome]:
    """Send messages in one request of a fresh client; return their outcomes."""
    async with client(provider) as sms:
        bound = sms.provider
        return await bound.submit([bound.prepare(m, i) for i, m in enumerate(messages)])


def to_many(count: int, text: str = "Hi") -> list[Message]:
    """Return one text for so many numbers, `0701234500` and on."""
    return [Message(f"070123450{index}", text) for index in range(count)]


def different(count: int) -> list[Message]:
    """Return so many different texts for different numbers."""
    return [Message(f"070123450{index}", f"Hi {index}") for index in range(count)]


def sent_answer(accepted: int = 1, **data: object) -> httpx.Response:
    """Return the documented answer of an accepted send."""
    details = {"message_id": MESSAGE_ID, "estimated_cost": 20.0, "recipients": accepted, **data}
    return httpx.Response(200, json={"success": True, "message": "sent", "data": details})


def bulk_answer(
    taken: object, refused: object = None, *, success: bool = True, **data: object
) -> httpx.Response:
    """Return the answer of a bulk send with these lists."""
    details = {"successful_messages": taken, "failed_messages": refused, **data}
    return httpx.Response(
        200, json={"success": success, "message": "Bulk SMS processed", "data": details}
    )


def requests_of(router: respx.MockRouter) -> list[httpx.Request]:
    """Return the requests that a router got, in order."""
    calls: list[respx.models.Call] = list(router.calls)
    return [call.request for call in calls]


@frozen
class Seen:
    """A request as the gateway saw it; `kind` says how its fields travelled in the body."""

    method: str
    url: str
    query: dict[str, str] = field(factory=dict[str, str])
    kind: str = ""
    fields: dict[str, Any] = field(factory=dict[str, Any])


def seen(request: httpx.Request) -> Seen:
    """Return a request, parsed."""
    query = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
    url = str(request.url.copy_with(query=None))
    text = request.content.decode()
    match request.headers.get("content-type"):
        case "application/json":
            return Seen(request.method, url, query, "json", json.loads(text))
        case "application/x-www-form-urlencoded":
            fields = dict(parse_qsl(text, keep_blank_values=True))
            return Seen(request.method, url, query, "form", fields)
        case _:
            return Seen(request.method, url, query, text)
