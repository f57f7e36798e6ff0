"""What Ultimate SMS's answers to reads mean: statuses, lists, balances, campaigns."""

from __future__ import annotations

from decimal import Decimal

import pytest
import respx
from support.infopromo.wire import (
    FIRST,
    FIRST_WIRE,
    FLAVOURS,
    HOST,
    OPERATIONS,
    TEXT,
    TOKEN,
    collect,
    connect,
    in_turn,
    requests_of,
    success,
)

from iprog_async import (
    NoAnswerError,
    OutcomeUnknownError,
)
from iprog_async_providers.infopromo import Campaign, Contact, ContactGroup


WORDS = [
    ("Delivered", "delivered"),
    ("DELIVERED", "delivered"),
    ("Undelivered", "failed"),
    ("Enroute", "sent"),
    ("Accepted", "sent"),
    ("Expired", "failed"),
    ("Rejected", "failed"),
    ("Skipped", "failed"),
    ("Failed", "failed"),
    ("Delivered|8f21c0", "delivered"),
    ("1701:Delivered:8f21", "delivered"),
    ("Failed: rejected by operator", "failed"),
    ("Delivered, then failed", "unknown"),
    ("Not delivered", "unknown"),
    ("Delivering", "unknown"),
    ("Zugestellt", "unknown"),
]


@pytest.mark.parametrize(("word", "expected"), WORDS)
async def test_status_words(respx_mock: respx.MockRouter, word: str, expected: str) -> None:
    """A known word counts, with gateway text around it too; anything else is unknown."""
    respx_mock.route(url__startswith=HOST).respond(json=success({"uid": "a", "status": word}))
    async with connect(FLAVOURS["v3"]()) as sms:
        status = await sms.status("infopromo:a")

    assert (expected, word) == (status.state, status.word)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("accepted", "pending"), ("Processing", "pending"), ("sent", "sent"), ("odd", "unknown")],
)
async def test_queue_words(respx_mock: respx.MockRouter, word: str, expected: str) -> None:
    """In a queue, accepted means waiting."""
    respx_mock.get(f"{HOST}/api/v3/sms/queue/q%2F1").respond(json=success({"status": word}))
    async with connect(FLAVOURS["v3"]()) as sms:
        assert expected == (await sms.provider.status("queue:q/1")).state


@pytest.mark.parametrize("data", [None, {}, {"status": 3}, "accepted"])
async def test_queue_without_status(respx_mock: respx.MockRouter, data: object) -> None:
    """A queue's answer without a status is no answer."""
    respx_mock.route(url__startswith=HOST).respond(json=success(data))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(NoAnswerError):
            await sms.provider.status("queue:q")


@pytest.mark.parametrize("data", [None, "words", {"uid": "a", "name": 7}, []])
async def test_campaign_without_readable_data_was_made(
    respx_mock: respx.MockRouter, data: object
) -> None:
    """The envelope says that a campaign was made, whatever its data is like."""
    respx_mock.route(url__startswith=HOST).respond(json=success(data))
    async with connect(FLAVOURS["v3"]()) as sms:
        campaign = await sms.provider.campaigns.send("g1", TEXT)

    assert Campaign() == campaign


@pytest.mark.parametrize(
    ("message", "made"),
    [
        ("Message is scheduled successfully.", True),
        ("Campaign was successfully created", True),
        ("Something went wrong. Please try again", False),
        ("Insufficient balance", False),
    ],
)
async def test_campaign_without_an_id_is_read_by_its_words(
    respx_mock: respx.MockRouter, message: str, made: bool
) -> None:
    """3.1.0 answers success after it deleted a campaign that it could not send."""
    respx_mock.route(url__startswith=HOST).respond(json=success(None, message))
    async with connect(FLAVOURS["v3"]()) as sms:
        try:
            await sms.provider.campaigns.send("g1", TEXT)
        except OutcomeUnknownError:
            assert not made
        else:
            assert made


async def test_viewed_campaign(respx_mock: respx.MockRouter) -> None:
    """A viewed campaign has its counts."""
    body: dict[str, object] = {
        "id": 7,
        "uid": "a",
        "message": TEXT,
        "type": "plain",
        "start_at": "2031-12-20 07:00",
    }
    body["stats"] = {"delivered_count": 2, "failed_count": "1"}
    respx_mock.route(url__startswith=HOST).respond(json=success(body))
    async with connect(FLAVOURS["v3"]()) as sms:
        campaign = await sms.provider.campaigns.get("a")

    assert (
        campaign.uid,
        campaign.sms_type,
        campaign.start_at,
    ) == ("a", "plain", "2031-12-20 07:00")
    assert (
        campaign.stats.delivered_count,
        campaign.stats.failed_count,
        campaign.stats.expired_count,
    ) == (2, 1, 0)


async def test_things_made_without_readable_data(respx_mock: respx.MockRouter) -> None:
    """A group or contact that was made without a uid in the answer is returned without one."""
    respx_mock.route(url__startswith=HOST).respond(json=success(None))
    async with connect(FLAVOURS["v3"]()) as sms:
        group = await sms.provider.contacts.groups.create("Friends")
        contact = await sms.provider.contacts.store("g1", FIRST)

    assert (group.uid, group.name) == (None, "Friends")
    assert (contact.uid, contact.phone) == (None, FIRST_WIRE)
    assert ContactGroup(None, "Friends") == group
    assert Contact(None, contact.phone) == contact


@pytest.mark.parametrize("name", ["campaigns.get", "messages.get", "groups.show", "me"])
async def test_read_without_readable_data(respx_mock: respx.MockRouter, name: str) -> None:
    """A read that holds no object is no answer."""
    respx_mock.route(url__startswith=HOST).respond(json=success("words"))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(NoAnswerError):
            await OPERATIONS[name](sms)


BALANCES: list[tuple[object, str | None, str]] = [
    ("1,234.50", "1234.50", ""),
    ("1,234.50 PHP", "1234.50", "PHP"),
    ("UGX1,000,000", "1000000", "UGX"),
    ("৳ 12", "12", ""),
    ("12 SMS units", "12", ""),
    (" 0 credits ", "0", "credits"),
    (17, "17", ""),
    (0.5, "0.5", ""),
    ("-3", "-3", ""),
    ("Unlimited", None, ""),
    ("1.234,50", None, ""),
    ("1 of 2", None, ""),
    ("", None, ""),
]


@pytest.mark.parametrize(("given", "amount", "unit"), BALANCES)
async def test_balances(
    respx_mock: respx.MockRouter, given: object, amount: str | None, unit: str
) -> None:
    """A balance is a number where there is exactly one, and always the gateway's words."""
    respx_mock.route(url__startswith=HOST).respond(json=success({"remaining_balance": given}))
    async with connect(FLAVOURS["v3"]()) as sms:
        balance = await sms.balance()

    assert (None if amount is None else Decimal(amount)) == balance.amount
    assert (unit, str(given).strip()) == (balance.unit, balance.text)


@pytest.mark.parametrize("given", [None, True, ["1"]])
async def test_odd_balances(respx_mock: respx.MockRouter, given: object) -> None:
    """A balance that is neither text nor number is no answer."""
    respx_mock.route(url__startswith=HOST).respond(json=success({"remaining_balance": given}))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(NoAnswerError):
            await sms.balance()


def page(number: int, last: int, *uids: str) -> dict[str, object]:
    """Return one page of a list of messages."""
    data = [{"uid": uid, "status": "Delivered"} for uid in uids]
    url = "https://elsewhere.invalid/"
    return success({"current_page": number, "last_page": last, "data": data, "next_page_url": url})


async def test_pages_are_asked_for_by_number(respx_mock: respx.MockRouter) -> None:
    """All pages are read in order, and the address that the server gives is never used."""
    route = respx_mock.get(url__startswith=HOST)
    route.side_effect = in_turn(page(1, 2, "a", "b"), page(2, 3, "c"), page(3, 3, "d"))
    async with connect(FLAVOURS["v3"]()) as sms:
        uids = [message.uid for message in await collect(sms.provider.messages.list())]

    assert uids == ["a", "b", "c", "d"]
    assert [request.url.params["page"] for request in requests_of(respx_mock)] == ["1", "2", "3"]


async def test_pages_are_asked_for_when_needed(respx_mock: respx.MockRouter) -> None:
    """Who stops reading causes no further request."""
    route = respx_mock.get(url__startswith=HOST)
    route.respond(json=page(1, 9, "a", "b"))
    async with connect(FLAVOURS["v3"]()) as sms:
        listed = sms.provider.messages.list()
        assert (await anext(listed)).uid == "a"

    assert route.call_count == 1


async def test_empty_page_ends_the_list(respx_mock: respx.MockRouter) -> None:
    """A page without entries is the last, whatever the server says."""
    respx_mock.get(url__startswith=HOST).side_effect = in_turn(page(1, 9, "a"), page(2, 9))
    async with connect(FLAVOURS["v3"]()) as sms:
        assert [message.uid for message in await collect(sms.provider.messages.list())] == ["a"]


async def test_same_page_again_is_an_error(respx_mock: respx.MockRouter) -> None:
    """A server that gives page 1 forever is found out at once."""
    route = respx_mock.get(url__startswith=HOST)
    route.respond(json=page(1, 9, "a"))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(NoAnswerError, match="asked for page 2 of the list and got page 1"):
            await collect(sms.provider.messages.list())

    assert route.call_count == 2


async def test_list_without_end_is_an_error(respx_mock: respx.MockRouter) -> None:
    """A list that grows as fast as it is read ends in an error."""
    route = respx_mock.get(url__startswith=HOST)
    route.side_effect = in_turn(*[page(number, number + 1, "a") for number in range(1, 99)])
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(NoAnswerError, match="no end"):
            await collect(sms.provider.messages.list())

    assert route.call_count == 14


async def test_me_masks_every_secret(respx_mock: respx.MockRouter) -> None:
    """The account's record shows neither this token nor any other."""
    body = success(
        {"uid": "u", "api_token": TOKEN, "note": f"use {TOKEN}", "keys": [{"password": "x"}]}
    )
    respx_mock.route(url__startswith=HOST).respond(json=body)
    async with connect(FLAVOURS["http"]()) as sms:
        found = await sms.provider.me()

    assert found == {
        "uid": "u",
        "api_token": "***",
        "note": "use ***",
        "keys": [{"password": "***"}],
    }
