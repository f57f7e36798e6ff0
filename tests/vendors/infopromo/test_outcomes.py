"""What becomes of each recipient of a send through Ultimate SMS."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support.infopromo.wire import (
    FIRST,
    FIRST_WIRE,
    FLAVOURS,
    HOST,
    SECOND_WIRE,
    SEVEN,
    TEXT,
    connect,
    error,
    messages,
    requests_of,
    seen,
    submit,
    success,
)

from iprog_async import (
    Accepted,
    InvalidMessageError,
    Journal,
    Message,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    RejectedError,
    Unknown,
)
from iprog_async.adapter import Refusal


def item(to: str, word: str = "Delivered", **more: object) -> dict[str, object]:
    """Return one entry of the list that answers a send to many."""
    return {"uid": f"u{to[-2:]}", "to": to, "customer_status": word, "cost": "1", **more}


async def outcomes(
    router: respx.MockRouter, body: Any, batch: list[Message], **settings: Any
) -> list[Outcome]:
    """Send a batch to a host that gives this answer."""
    router.route(url__startswith=HOST).respond(json=body)
    async with connect(FLAVOURS["v3"](**settings)) as sms:
        return await submit(sms, batch)


BAD = f"{SECOND_WIRE} is a invalid phone number"
STOCK = "Your message was successfully delivered"
MIXED: list[tuple[str, object, str | None, list[str]]] = [
    ("all there", [item(FIRST_WIRE), item(SECOND_WIRE)], None, ["accepted", "accepted"]),
    ("spaced number", [item("+31 6-1234 5678"), item(SECOND_WIRE)], None, ["accepted"] * 2),
    ("numeric number", [{"uid": 7, "to": int(FIRST_WIRE)}], BAD, ["accepted", "not_sent"]),
    ("named with a plus", [item(FIRST_WIRE)], f"+{BAD}", ["accepted", "not_sent"]),
    ("named within another", [item(FIRST_WIRE)], f"1{BAD}", ["accepted", "unknown"]),
    ("named without a reason", [item(FIRST_WIRE)], SECOND_WIRE, ["accepted", "unknown"]),
    ("delivered to", [item(FIRST_WIRE)], f"{STOCK} to {SECOND_WIRE}", ["accepted", "unknown"]),
    ("named as out", [item(FIRST_WIRE)], f"{SECOND_WIRE} went out before", ["accepted", "unknown"]),
    ("bad, and more", [item(FIRST_WIRE)], f"{BAD} but went out", ["accepted", "unknown"]),
    ("bad, and stock", [item(FIRST_WIRE)], f"{BAD}. {STOCK}.", ["accepted", "not_sent"]),
    ("stock, and bad", [item(FIRST_WIRE)], f"{STOCK} {BAD}", ["accepted", "not_sent"]),
    ("an object for one of two", item(FIRST_WIRE), BAD, ["accepted", "not_sent"]),
    ("listed twice", [item(FIRST_WIRE)] * 2, BAD, ["accepted", "unknown"]),
    ("no number", [item(FIRST_WIRE), {"uid": "x"}], BAD, ["accepted", "unknown"]),
    ("odd entries", [item(FIRST_WIRE), None, 7, {"uid": []}], BAD, ["accepted", "unknown"]),
    ("a number alone", [{"to": FIRST_WIRE}, item(SECOND_WIRE)], None, ["unknown", "accepted"]),
    ("uid 0", [item(FIRST_WIRE), {"uid": "0", "to": SECOND_WIRE}], BAD, ["accepted", "unknown"]),
    ("another word", [{"to": FIRST_WIRE, "status": "New"}], None, ["unknown", "unknown"]),
    ("a status alone", [{"to": FIRST_WIRE, "status": "Enroute"}], BAD, ["accepted", "not_sent"]),
    ("nobody, one named", [], FIRST_WIRE, ["unknown", "unknown"]),
    ("null", None, None, ["unknown", "unknown"]),
    ("queued", {"queue_uid": "q"}, None, ["accepted", "accepted"]),
    ("two queued", {"queue_uid": "q", "recipients_count": "2"}, None, ["accepted", "accepted"]),
    ("one queued", {"queue_uid": "q", "recipients_count": 1}, None, ["unknown", "unknown"]),
    ("one queued, as text", {"queue_uid": "q", "recipients_count": "1"}, None, ["unknown"] * 2),
    ("words", "sent", None, ["unknown", "unknown"]),
    ("queued without an id", {"queue_uid": []}, None, ["unknown", "unknown"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "message", "expected"), [row[1:] for row in MIXED], ids=[row[0] for row in MIXED]
)
async def test_mixed_answer(
    respx_mock: respx.MockRouter, data: object, message: str | None, expected: list[str]
) -> None:
    """Each recipient of a mixed answer gets the outcome that the answer proves, and no more."""
    result = await outcomes(respx_mock, success(data, message), messages(2))

    assert expected == [outcome.state for outcome in result]


SINGLE: list[tuple[object, str | None]] = [
    ({"uid": 7}, "7"),
    ({"uid": "a", "to": "0612345678"}, "a"),
    ({}, None),
    (None, None),
    ([item(FIRST_WIRE)], "u78"),
    ({"queue_uid": "q"}, "queue:q"),
    ({"queue_uid": "q", "uid": "a"}, "a"),
]


@pytest.mark.parametrize(("data", "expected"), SINGLE)
async def test_success_for_one_is_accepted(
    respx_mock: respx.MockRouter, data: object, expected: str | None
) -> None:
    """A success envelope for one recipient is accepted, with an id or without."""
    (outcome,) = await outcomes(respx_mock, success(data), messages(1))

    assert isinstance(outcome, Accepted)
    assert expected == outcome.receipt.message_id


WORDS_ALONE = [
    (None, "accepted"),
    ("", "accepted"),
    ("Message is scheduled successfully.", "accepted"),
    (STOCK, "accepted"),
    ("Unauthenticated.", "unknown"),
    ("Insufficient balance", "unknown"),
    ("Algo salió mal. Inténtalo de nuevo", "unknown"),
    ("Something went wrong. Please try again", "unknown"),
    (f"{STOCK} to nobody", "unknown"),
]


@pytest.mark.parametrize(("message", "expected"), WORDS_ALONE)
async def test_a_success_without_data_is_read_by_its_words(
    respx_mock: respx.MockRouter, message: str | None, expected: str
) -> None:
    """Where no id is, other words than those of a success say that something is wrong."""
    (outcome,) = await outcomes(respx_mock, success(None, message), messages(1))

    assert expected == outcome.state


@pytest.mark.parametrize(
    "data",
    [
        {"uid": "a", "to": SECOND_WIRE, "status": "Delivered"},
        {"to": SECOND_WIRE},
        {"uid": "0"},
        {"uid": "null", "status": "Delivered"},
        {"status": "Invalid number"},
        {"uid": "a", "error": "Insufficient balance"},
    ],
)
async def test_one_text_needs_a_report_of_its_own(
    respx_mock: respx.MockRouter, data: dict[str, object]
) -> None:
    """Somebody else's number, what stands for no id, an error: unknown."""
    (outcome,) = await outcomes(respx_mock, success(data), messages(1))

    assert outcome.state == "unknown"


async def test_an_entry_with_an_error_is_no_report(respx_mock: respx.MockRouter) -> None:
    """One of a list that has an error says two things of its number, whatever it lacks."""
    listed: list[Any] = [item(FIRST_WIRE, error="Busy"), item(SECOND_WIRE, errors=None)]
    found = await outcomes(respx_mock, success(listed), messages(2))

    assert ["unknown", "accepted"] == [outcome.state for outcome in found]
    (error,) = [each.error for each in found if isinstance(each, Unknown)]
    assert isinstance(error, OutcomeUnknownError)
    assert 1 == len(error.references)


async def test_a_request_that_failed_in_the_queue_says_so(respx_mock: respx.MockRouter) -> None:
    """The status of a queued request is that of its receipts."""
    body = success({"queue_uid": "q", "status": "failed", "recipients_count": 1})
    (outcome,) = await outcomes(respx_mock, body, messages(1))

    assert isinstance(outcome, Accepted)
    assert outcome.failed


async def test_reasons_in_another_language_are_the_user_s(respx_mock: respx.MockRouter) -> None:
    """A row of the user's about one number takes part in the words of a list."""
    row = Refusal(RejectedError, r"\d{6,15} es un número inválido", blame="recipient")
    body = success([item(FIRST_WIRE)], f"{SECOND_WIRE} es un número inválido {STOCK}")
    result = await outcomes(respx_mock, body, messages(2), refusals=[row])

    assert [outcome.state for outcome in result] == ["accepted", "not_sent"]


async def test_stray_ids_are_kept_for_reference(respx_mock: respx.MockRouter) -> None:
    """An unknown outcome carries the ids that paired with nobody."""
    body = success([item("4915112345678"), item(SECOND_WIRE)])
    first, _ = await outcomes(respx_mock, body, messages(2))

    assert isinstance(first, Unknown)
    assert first.error.references == ("u78",)


async def test_receipt_of_one_of_many(respx_mock: respx.MockRouter) -> None:
    """A receipt has the entry of its own recipient, and a cost only where one can be read."""
    body = success([item(FIRST_WIRE, cost=0.7), item(SECOND_WIRE, cost="free")])
    first, second = await outcomes(respx_mock, body, messages(2))

    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert item(FIRST_WIRE, cost=0.7) == first.receipt.raw
    assert (Decimal("0.7"), None) == (first.receipt.cost, second.receipt.cost)


async def test_scheduled_without_data(respx_mock: respx.MockRouter) -> None:
    """A schedule is accepted without ids, and the receipt says that it is sent later."""
    result = await outcomes(respx_mock, success(None), messages(2, schedule_at=SEVEN))

    assert [
        (outcome.receipt.message_id, outcome.receipt.scheduled)
        for outcome in result
        if isinstance(outcome, Accepted)
    ] == [(None, True), (None, True)]


async def test_scheduled_without_data_that_names_a_number(respx_mock: respx.MockRouter) -> None:
    """Where the words of a schedule name a number, nothing says in which sense."""
    body = success(None, f"{FIRST_WIRE} is a invalid phone number")
    result = await outcomes(respx_mock, body, messages(2, schedule_at=SEVEN))

    assert [outcome.state for outcome in result] == ["unknown", "accepted"]


@pytest.mark.parametrize(("word", "scheduled"), [("Delivered", False), ("Scheduled", True)])
async def test_scheduled_with_data(
    respx_mock: respx.MockRouter, word: str, scheduled: bool
) -> None:
    """A receipt is scheduled only if its status does not show that the text has gone."""
    body = success([item(FIRST_WIRE, word), item(SECOND_WIRE, word)])
    result = await outcomes(respx_mock, body, messages(2, schedule_at=SEVEN))

    assert [scheduled] * 2 == [
        outcome.receipt.scheduled for outcome in result if isinstance(outcome, Accepted)
    ]


async def test_single_recipient_trap(respx_mock: respx.MockRouter) -> None:
    """A scheduled text for one is not sent, with an error that says why and what to do."""
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(InvalidMessageError, match="allow_unscheduled_single"):
            await sms.send(FIRST, TEXT, schedule_at=SEVEN)

    assert len(respx_mock.calls) == 0


async def test_trap_can_be_allowed(respx_mock: respx.MockRouter) -> None:
    """Who allows the trap gets a receipt that says whether the text went at once."""
    body = success({"uid": "a", "status": "Delivered"})
    (outcome,) = await outcomes(
        respx_mock, body, messages(1, schedule_at=SEVEN), allow_unscheduled_single=True
    )

    assert isinstance(outcome, Accepted)
    assert not outcome.receipt.scheduled


@pytest.mark.usefixtures("whole_batches")
async def test_bulk_never_schedules_one_alone(respx_mock: respx.MockRouter) -> None:
    """101 scheduled texts travel as 51 and 50."""
    respx_mock.route(url__startswith=HOST).respond(json=success(None))
    scheduled = messages(101, schedule_at=SEVEN)
    async with connect(FLAVOURS["v3"]()) as sms, sms.send_many(scheduled) as run:
        states = [outcome.state async for outcome in run]

    assert states == ["accepted"] * 101
    bodies: list[Any] = [seen(request)[3] for request in requests_of(respx_mock)]
    sizes = [len(body["recipient"].split(",")) for body in bodies]
    assert sorted(sizes) == [50, 51]


async def test_refused_number_halves_the_batch(respx_mock: respx.MockRouter) -> None:
    """A whole batch that is refused for one number is sent in halves."""

    def answer(request: httpx.Request) -> httpx.Response:
        if FIRST_WIRE.encode() in request.content:
            return httpx.Response(403, json=error(f"{FIRST_WIRE} is a invalid phone number"))
        return httpx.Response(200, json=success({"uid": "a"}))

    respx_mock.route(url__startswith=HOST).mock(side_effect=answer)
    async with connect(FLAVOURS["v3"]()) as sms, sms.send_many(messages(2)) as run:
        found = {outcome.index: outcome.state async for outcome in run}

    assert found == {0: "not_sent", 1: "accepted"}


def recipients_of(request: httpx.Request) -> list[str]:
    """Return the numbers of one request."""
    body: Any = seen(request)[3]
    return str(body["recipient"]).split(",")


async def test_refused_number_among_scheduled_texts(
    respx_mock: respx.MockRouter, tmp_path: Path
) -> None:
    """One bad number of four is told apart with no request for one, and the others are sent."""
    bad = "+31612340001"
    sizes: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        numbers = recipients_of(request)
        sizes.append(len(numbers))
        if bad[1:] in numbers:
            return httpx.Response(403, json=error(f"{bad[1:]} is a invalid phone number"))
        return httpx.Response(200, json=success(None))

    respx_mock.route(url__startswith=HOST).mock(side_effect=answer)
    scheduled = messages(4, schedule_at=SEVEN)
    assert bad == scheduled[3].to
    with Journal.open(tmp_path / "june.db") as journal:
        async with connect(FLAVOURS["v3"]()) as sms:
            for _ in range(2):
                async with sms.send_many(scheduled, journal=journal) as run:
                    found = {outcome.index: outcome async for outcome in run}

                states = [found[index].state for index in range(4)]
                assert ["accepted", "accepted", "accepted", "not_sent"] == states
                assert isinstance(found[3], NotSent)
                assert "is a invalid phone number" in str(found[3].error)
                assert not found[3].error.healable

    # The second run knows all of them.
    assert [4, 3, 3, 3, 3] == sizes


async def test_two_scheduled_texts_of_which_one_is_refused(
    respx_mock: respx.MockRouter, tmp_path: Path
) -> None:
    """Who can't be told apart keeps the gateway's refusal, and a later run sends the good one."""

    def answer(request: httpx.Request) -> httpx.Response:
        numbers = recipients_of(request)
        if FIRST_WIRE in numbers:
            return httpx.Response(403, json=error(f"{FIRST_WIRE} is a invalid phone number"))
        return httpx.Response(200, json=success(None))

    respx_mock.route(url__startswith=HOST).mock(side_effect=answer)
    ends: list[list[str]] = []
    with Journal.open(tmp_path / "june.db") as journal:
        async with connect(FLAVOURS["v3"]()) as sms:
            for count in (2, 3):
                scheduled = messages(count, schedule_at=SEVEN)
                async with sms.send_many(scheduled, journal=journal) as run:
                    found = {outcome.index: outcome async for outcome in run}
                ends.append([found[index].state for index in range(count)])
                for outcome in found.values():
                    assert isinstance(outcome, Accepted) or "invalid phone" in str(outcome.error)

    assert [["not_sent"] * 2, ["not_sent", "accepted", "accepted"]] == ends
