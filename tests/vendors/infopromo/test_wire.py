"""What Ultimate SMS's adapters put on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import respx
from support.infopromo.wire import (
    FIRST,
    FIRST_WIRE,
    FLAVOURS,
    HOST,
    OPERATIONS,
    SECOND_WIRE,
    SENDER,
    SEVEN,
    TEXT,
    TOKEN,
    collect,
    connect,
    messages,
    requests_of,
    seen,
    submit,
)

from iprog_async import Message
from iprog_async.adapter import Id, Text
from iprog_async_providers.infopromo import (
    Campaign,
    Contact,
    ContactGroup,
    InfopromoHttpProvider,
    InfopromoOptions,
    InfopromoProvider,
    UltimateSmsHttpProvider,
    UltimateSmsProvider,
)


MANY = f"{FIRST_WIRE},{SECOND_WIRE}"
CONTENT = {"sender_id": SENDER, "type": "plain", "message": TEXT}
ONE_PAGE = {"page": "1"}
CAMPAIGN = {"contact_list_id": "6415907d0d37a,6415907d", **CONTENT}
KEY = {"api_token": TOKEN}


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    """Play a host that says yes to everything, with an entry that fits wherever one is read."""
    entry = {"uid": "u", "name": "n", "phone": FIRST_WIRE, "status": "Delivered"}
    entry["remaining_balance"] = "1"
    with respx.mock(base_url=HOST, assert_all_called=False) as router:
        router.route(path__regex="/api/(v3|http)/(contacts|sms|contacts/.+/all)$").respond(
            json={"status": "success", "data": [entry]}
        )
        router.route().respond(json={"status": "success", "message": None, "data": entry})
        yield router


# Operation, method, path, query, body.
Row = tuple[str, str, str, dict[str, str] | None, dict[str, str] | None]
ROWS: list[Row] = [
    ("send", "POST", "/sms/send", None, {"recipient": FIRST_WIRE, **CONTENT}),
    ("send_many", "POST", "/sms/send", None, {"recipient": MANY, **CONTENT}),
    (
        "schedule_many",
        "POST",
        "/sms/send",
        None,
        {"recipient": MANY, **CONTENT, "schedule_time": "2031-12-20 07:00"},
    ),
    ("status", "GET", "/sms/606812e63f78b", None, None),
    ("queue_status", "GET", "/sms/queue/0b0d2c1a-77aa", None, None),
    ("balance", "GET", "/balance", None, None),
    ("me", "GET", "/me", None, None),
    ("messages.get", "GET", "/sms/606812e63f78b", None, None),
    ("messages.list", "GET", "/sms", ONE_PAGE, None),
    ("campaigns.send", "POST", "/sms/campaign", None, CAMPAIGN),
    ("campaigns.get", "GET", "/campaign/606812e63f78b/view", None, None),
    ("groups.list", "GET", "/contacts", ONE_PAGE, None),
    ("groups.create", "POST", "/contacts", None, {"name": "Friends"}),
    ("groups.show", "POST", "/contacts/g%2F1/show", None, None),
    ("groups.update", "PATCH", "/contacts/g%2F1", None, {"name": "Foes"}),
    ("groups.delete", "DELETE", "/contacts/g%2F1", None, None),
    ("contacts.all", "POST", "/contacts/g1/all", ONE_PAGE, None),
    (
        "contacts.store",
        "POST",
        "/contacts/g1/store",
        None,
        {"PHONE": FIRST_WIRE, "FIRST_NAME": "Ann"},
    ),
    ("contacts.search", "POST", "/contacts/g1/search/c1", None, None),
    ("contacts.update", "PATCH", "/contacts/g1/update/c1", None, {"PHONE": FIRST_WIRE}),
    ("contacts.delete", "DELETE", "/contacts/g1/delete/c1", None, None),
]
NAMES = [row[0] for row in ROWS]


async def request_of(wire: respx.MockRouter, provider: Any, operation: str) -> httpx.Request:
    """Run an operation and return the one request that it made."""
    async with connect(provider) as sms:
        await OPERATIONS[operation](sms)
    (request,) = requests_of(wire)
    return request


def test_every_operation_has_a_row() -> None:
    """No operation goes without a test of its request."""
    assert sorted(OPERATIONS) == sorted(NAMES)


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_v3_request(wire: respx.MockRouter, row: Row) -> None:
    """With v3 the token travels in a header and nowhere else."""
    name, method, path, query, body = row
    request = await request_of(wire, FLAVOURS["v3"](), name)

    assert (method, f"/api/v3{path}", query or {}, body) == seen(request)
    assert f"Bearer {TOKEN}" == request.headers["authorization"]
    assert request.headers["accept"] == "application/json"


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_http_request(wire: respx.MockRouter, row: Row) -> None:
    """With the HTTP API the token travels in the JSON body, of GET too."""
    name, method, path, query, body = row
    request = await request_of(wire, FLAVOURS["http"](), name)

    assert (method, f"/api/http{path}", query or {}, {**KEY, **(body or {})}) == seen(request)
    assert "authorization" not in request.headers
    assert request.headers["accept"] == "application/json"
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
async def test_http_request_with_the_token_in_the_query(wire: respx.MockRouter, row: Row) -> None:
    """The token travels in the address where the user asks for it."""
    name, method, path, query, body = row
    request = await request_of(wire, FLAVOURS["http"](token_in="query"), name)

    assert (method, f"/api/http{path}", {**KEY, **(query or {})}, body) == seen(request)


@pytest.mark.parametrize("token_in", ["json", "query"])
async def test_documented_get_form_sends(wire: respx.MockRouter, token_in: str) -> None:
    """`send_with="GET"` puts all of a send into the address, the token included."""
    provider = FLAVOURS["http"](send_with="GET", token_in=token_in)
    request = await request_of(wire, provider, "send")

    query = {**KEY, "recipient": FIRST_WIRE, **CONTENT}
    assert ("GET", "/api/http/sms/send", query, None) == seen(request)


async def test_get_form_is_for_sending_only(wire: respx.MockRouter) -> None:
    """`send_with="GET"` moves the token of no other request."""
    request = await request_of(wire, FLAVOURS["http"](send_with="GET"), "balance")

    assert seen(request) == ("GET", "/api/http/balance", {}, KEY)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (Message(FIRST, TEXT, "Other"), {"sender_id": "Other"}),
        (Message(FIRST, TEXT, options=InfopromoOptions("unicode")), {"type": "unicode"}),
        (Message(FIRST, "Ā"), {"type": "unicode", "message": "Ā"}),
        (Message(FIRST, "It\u2019s 5 €"), {"type": "unicode", "message": "It\u2019s 5 €"}),
        (Message(FIRST, "5 €"), {"message": "5 €"}),
        (
            Message(FIRST, "Ā", options=InfopromoOptions("plain")),
            {"type": "plain", "message": "Ā"},
        ),
        (
            Message(FIRST, "Ā", options=InfopromoOptions(dlt_template_id="1107")),
            {"type": "unicode", "message": "Ā", "dlt_template_id": "1107"},
        ),
        (
            Message(FIRST, TEXT, options=InfopromoOptions(dlt_template_id="1107")),
            {"dlt_template_id": "1107"},
        ),
    ],
)
async def test_message_overrides(
    wire: respx.MockRouter, message: Message, expected: dict[str, str]
) -> None:
    """A message's own sender ID and options go before the provider's."""
    async with connect(FLAVOURS["v3"]()) as sms:
        await submit(sms, [message])

    assert {"recipient": FIRST_WIRE, **CONTENT, **expected} == seen(requests_of(wire)[0])[3]


@pytest.mark.usefixtures("whole_batches")
async def test_type_that_goes_without_saying_parts_no_request(wire: respx.MockRouter) -> None:
    """Texts whose options come to the same on the wire travel in one request."""
    options = [None, InfopromoOptions(), InfopromoOptions("plain")]
    run = [Message(f"+3161234{index:04}", TEXT, options=each) for index, each in enumerate(options)]
    async with connect(FLAVOURS["v3"]()) as sms, sms.send_many(run) as sending:
        await sending.drain()

    assert len(requests_of(wire)) == 1


@pytest.mark.parametrize(
    ("zone", "when", "expected"),
    [
        ("Africa/Lagos", SEVEN, "2031-12-20 07:00"),
        ("Asia/Manila", SEVEN, "2031-12-20 14:00"),
        ("Asia/Manila", SEVEN + timedelta(seconds=1), "2031-12-20 14:01"),
        ("Asia/Manila", datetime(2031, 1, 1, 23, 30, tzinfo=UTC), "2031-01-02 07:30"),
        (
            "Europe/Amsterdam",
            datetime(2031, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=8))),
            "2031-07-01 06:00",
        ),
    ],
)
async def test_schedule_is_on_the_accounts_clock(
    wire: respx.MockRouter, zone: str, when: datetime, expected: str
) -> None:
    """A time of any zone is written as the account's clock shows it, without an offset."""
    async with connect(FLAVOURS["v3"](timezone=zone)) as sms:
        await submit(sms, messages(2, schedule_at=when))

    _, _, _, body = seen(requests_of(wire)[0])
    assert {"recipient": MANY, **CONTENT, "schedule_time": expected} == body


async def test_scheduled_campaign(wire: respx.MockRouter) -> None:
    """A campaign takes a schedule, a sender ID and options of its own."""
    async with connect(FLAVOURS["v3"]()) as sms:
        await sms.provider.campaigns.send(
            "g1",
            TEXT,
            sender_id="Other",
            schedule_at=SEVEN,
            options=InfopromoOptions(dlt_template_id="1107"),
        )

    assert seen(requests_of(wire)[0])[3] == {
        "contact_list_id": "g1",
        "sender_id": "Other",
        "type": "plain",
        "message": TEXT,
        "dlt_template_id": "1107",
        "schedule_time": "2031-12-20 07:00",
    }


async def test_list_filters(wire: respx.MockRouter) -> None:
    """Filters travel as the newer servers take them, in the zone that is named beside them."""
    async with connect(FLAVOURS["v3"]()) as sms:
        listed = sms.provider.messages.list(
            start=SEVEN, end=SEVEN + timedelta(hours=1), sms_type="plain", direction="outgoing"
        )
        await collect(listed)
        await collect(sms.provider.messages.list(timezone="Asia/Manila"))

    assert [seen(request)[2] for request in requests_of(wire)] == [
        {
            "start_date": "2031-12-20 07:00:00",
            "end_date": "2031-12-20 08:00:00",
            "timezone": "Africa/Lagos",
            "sms_type": "plain",
            "direction": "outgoing",
            "page": "1",
        },
        {"timezone": "Asia/Manila", "page": "1"},
    ]


async def test_objects_stand_for_their_uids(wire: respx.MockRouter) -> None:
    """Groups, contacts and campaigns can be given as what the gateway returned."""
    async with connect(FLAVOURS["v3"]()) as sms:
        contacts = sms.provider.contacts
        group = await contacts.groups.show("g1")
        contact = await contacts.search(group, "c1")
        await contacts.delete(group, contact)
        campaign = await sms.provider.campaigns.send(group, TEXT)
        await sms.provider.campaigns.get(campaign)

    assert ContactGroup(Id("u"), "n") == group
    assert Contact(Id("u"), Text(FIRST_WIRE), "Delivered") == contact
    assert isinstance(campaign, Campaign)
    assert [seen(request)[1] for request in requests_of(wire)] == [
        "/api/v3/contacts/g1/show",
        "/api/v3/contacts/u/search/c1",
        "/api/v3/contacts/u/delete/u",
        "/api/v3/sms/campaign",
        "/api/v3/campaign/u/view",
    ]


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        (
            UltimateSmsProvider(TOKEN, base_url="https://sms.example.com/"),
            "https://sms.example.com/api/v3/balance",
        ),
        (
            UltimateSmsHttpProvider(TOKEN, base_url="http://127.0.0.1:9/infopromo"),
            "http://127.0.0.1:9/infopromo/api/http/balance",
        ),
        (InfopromoProvider(TOKEN), f"{HOST}/api/v3/balance"),
        (InfopromoHttpProvider(TOKEN), f"{HOST}/api/http/balance"),
    ],
)
async def test_prefix_follows_the_host(
    respx_mock: respx.MockRouter, provider: Any, expected: str
) -> None:
    """`base_url` is the root of a host; the adapter appends its flavour's prefix."""
    body = {"status": "success", "data": {"remaining_balance": 1.5}}
    route = respx_mock.get(expected).respond(json=body)
    async with connect(provider) as sms:
        await sms.balance()

    assert route.call_count == 1
