"""Ultimate SMS's operations by name, and what came of them as plain data."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import httpx
import respx

from iprog_async import (
    Accepted,
    Balance,
    DeliveryStatus,
    HttpPool,
    Message,
    NotSent,
    Outcome,
    RetryPolicy,
    SmsClient,
    SmsError,
    Unknown,
)
from iprog_async_providers.infopromo import (
    Campaign,
    Contact,
    ContactGroup,
    InfopromoHttpProvider,
    InfopromoProvider,
    StoredMessage,
)


Provider: TypeAlias = InfopromoProvider | InfopromoHttpProvider
Run = Callable[[SmsClient[Any]], Awaitable[Any]]

HOST = "https://sms.infopromo.digital"
TOKEN = "12|s3cr3tToken+abc/=="
SENDER = "YourName"
FIRST, SECOND = "+31 6 12345678", "+880 1721-970168"
FIRST_WIRE, SECOND_WIRE = "31612345678", "8801721970168"
# 07:00 in Lagos, an hour ahead of UTC all year.
SEVEN = datetime(2031, 12, 20, 6, 0, tzinfo=UTC)
TEXT = "This is a test message"

# Tries again as usual, without waiting in between.
EAGER = RetryPolicy(base=0)

SETTINGS: dict[str, Any] = {"sender_id": SENDER, "timezone": "Africa/Lagos"}


def v3(**given: Any) -> InfopromoProvider:
    """Return a provider of the v3 API, with these settings besides the usual ones."""
    return InfopromoProvider(TOKEN, **{**SETTINGS, **given})


def over_http(**given: Any) -> InfopromoHttpProvider:
    """Return a provider of the HTTP API, with these settings besides the usual ones."""
    return InfopromoHttpProvider(TOKEN, **{**SETTINGS, **given})


FLAVOURS: dict[str, Callable[..., Provider]] = {"v3": v3, "http": over_http}


def connect(
    provider: Provider, retry: RetryPolicy | None = None, pool: HttpPool | None = None
) -> SmsClient[Any]:
    """Return a client that tries once, unless a policy says otherwise."""
    return SmsClient(provider, retry=retry or RetryPolicy.off(), pool=pool)


def messages(count: int, **details: Any) -> list[Message]:
    """Return one text for the first two numbers, and on."""
    numbers = [FIRST, SECOND, *(f"+3161234{index:04}" for index in range(count - 2))]
    return [Message(number, TEXT, **details) for number in numbers[:count]]


async def submit(sms: SmsClient[Any], batch: Sequence[Message]) -> list[Outcome]:
    """Send messages in one request."""
    provider = sms.provider
    prepared = [provider.prepare(message, index) for index, message in enumerate(batch)]
    return list(await provider.submit(prepared))


async def collect(items: AsyncIterator[Any]) -> list[Any]:
    """Read an async iterator to its end."""
    return [item async for item in items]


OPERATIONS: Mapping[str, Run] = {
    "send": lambda sms: submit(sms, messages(1)),
    "send_many": lambda sms: submit(sms, messages(2)),
    "schedule_many": lambda sms: submit(sms, messages(2, schedule_at=SEVEN)),
    "status": lambda sms: sms.provider.status("606812e63f78b"),
    "queue_status": lambda sms: sms.provider.status("queue:0b0d2c1a-77aa"),
    "balance": lambda sms: sms.provider.balance(),
    "me": lambda sms: sms.provider.me(),
    "messages.get": lambda sms: sms.provider.messages.get("606812e63f78b"),
    "messages.list": lambda sms: collect(sms.provider.messages.list()),
    "campaigns.send": lambda sms: sms.provider.campaigns.send(["6415907d0d37a", "6415907d"], TEXT),
    "campaigns.get": lambda sms: sms.provider.campaigns.get("606812e63f78b"),
    "groups.list": lambda sms: collect(sms.provider.contacts.groups.list()),
    "groups.create": lambda sms: sms.provider.contacts.groups.create(" Friends "),
    "groups.show": lambda sms: sms.provider.contacts.groups.show("g/1"),
    "groups.update": lambda sms: sms.provider.contacts.groups.update("g/1", "Foes"),
    "groups.delete": lambda sms: sms.provider.contacts.groups.delete("g/1"),
    "contacts.all": lambda sms: collect(sms.provider.contacts.all("g1")),
    "contacts.store": lambda sms: sms.provider.contacts.store("g1", FIRST, {"first_name": "Ann"}),
    "contacts.search": lambda sms: sms.provider.contacts.search("g1", "c1"),
    "contacts.update": lambda sms: sms.provider.contacts.update("g1", "c1", FIRST),
    "contacts.delete": lambda sms: sms.provider.contacts.delete("g1", "c1"),
}


async def outcome_of(run: Run, sms: SmsClient[Any]) -> object:
    """Run an operation and return its value, or the error it raised, as plain data."""
    try:
        return plain(await run(sms))
    except SmsError as exc:
        return plain(exc)


def plain(value: Any) -> object:
    """Return what matters of a value as JSON-ready data."""
    match value:
        case list():
            return [plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - any list will do
        case Accepted():
            receipt = value.receipt
            cost = None if receipt.cost is None else str(receipt.cost)
            status = receipt.status.state
            return {"id": receipt.message_id, "status": status, "cost": cost}
        case NotSent() | Unknown():
            return plain(value.error)
        case SmsError():
            return {"error": type(value).__name__, "healable": value.healable, "blame": value.blame}
        case DeliveryStatus():
            return {"state": value.state, "word": value.word}
        case Balance():
            amount = None if value.amount is None else str(value.amount)
            return {"amount": amount, "unit": value.unit, "text": value.text}
        case StoredMessage():
            return {"uid": value.uid, "from": value.sender_id, "word": value.word}
        case Campaign():
            return {"uid": value.uid, "name": value.name, "status": value.status}
        case ContactGroup():
            return {"uid": value.uid, "name": value.name}
        case Contact():
            return {"uid": value.uid, "phone": value.phone}
        case _:
            return value


def requests_of(router: respx.MockRouter) -> list[httpx.Request]:
    """Return the requests that a mocked host got, in order."""
    calls: list[Any] = list(router.calls)
    return [call.request for call in calls]


def seen(request: httpx.Request) -> tuple[str, str, dict[str, str], object]:
    """Return method, address, query and JSON body of a request."""
    query = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
    body: object = json.loads(request.content) if request.content else None
    address = str(request.url.copy_with(query=None)).removeprefix(HOST)
    return request.method, address, query, body


def success(data: object, message: str | None = None) -> dict[str, object]:
    """Return a success envelope."""
    return {"status": "success", "message": message, "data": data}


def error(message: str) -> dict[str, object]:
    """Return an error envelope."""
    return {"status": "error", "message": message}


def in_turn(*bodies: object) -> list[httpx.Response]:
    """Return answers to be given one after the other."""
    return [httpx.Response(200, json=body) for body in bodies]
