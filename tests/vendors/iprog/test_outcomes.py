from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx
from support.iprog.wire import EAGER, FIVE, GLOBE, OPERATIONS, SMART, connect, send_to_two

from iprog_async import (
    Message,
    NoAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
    RetryPolicy,
)
from iprog_async.adapter import Refusal


QUEUED = {"status": 200, "message": "Queued", "message_id": "iSms-1"}
MISSING = {"status": "error", "message": "Message reminder not found."}
LIMITED = {"status": 500, "message": "You've hit the limit of 3 requests per minute."}
SMART_TNT = {"status": 500, "message": "Smart/TNT does not accept the shared sender name."}

BILLED = ("send", "send_many", "schedule", "reminders.create", "otp.send", "otp.verify")
REPEATABLE = tuple(name for name in OPERATIONS if name not in BILLED)


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("operation", BILLED)
async def test_what_is_billed_is_asked_once(respx_mock: respx.MockRouter, operation: str) -> None:
    """A lost answer to a send, reminder or code is never followed by a second request."""
    respx_mock.route().respond(503)

    async with connect(EAGER) as sms:
        if operation == "send_many":
            outcomes = await send_to_two(sms)
            assert [outcome.state for outcome in outcomes] == ["unknown", "unknown"]
        else:
            error = NoAnswerError if operation == "otp.verify" else OutcomeUnknownError
            with pytest.raises(error):
                await OPERATIONS[operation](sms)

    assert respx_mock.calls.call_count == 1


@pytest.mark.parametrize("operation", REPEATABLE)
async def test_the_rest_is_asked_again(respx_mock: respx.MockRouter, operation: str) -> None:
    """Reads, changes and deletes are repeated, and end in an error that says nothing was sent."""
    respx_mock.route().respond(503)

    async with connect(EAGER) as sms:
        with pytest.raises(NoAnswerError) as caught:
            await OPERATIONS[operation](sms)

    assert not caught.value.may_have_been_sent
    assert EAGER.attempts == respx_mock.calls.call_count


@pytest.mark.parametrize("gone", [httpx.Response(200, json=MISSING), httpx.Response(404)])
async def test_a_delete_whose_first_answer_was_lost_has_worked(
    respx_mock: respx.MockRouter, gone: httpx.Response
) -> None:
    """The second try finds nothing: the first one had deleted it."""
    respx_mock.delete().mock(side_effect=[httpx.Response(503), gone])

    async with connect(EAGER) as sms:
        await sms.provider.reminders.delete("1")

    assert respx_mock.calls.call_count == 2


async def test_deleting_what_never_was_is_an_error(respx_mock: respx.MockRouter) -> None:
    """A first try that finds nothing says so."""
    respx_mock.delete().respond(json=MISSING)

    async with connect(EAGER) as sms:
        with pytest.raises(NotFoundError):
            await sms.provider.reminders.delete("1")


async def test_a_limit_in_the_body_is_waited_for(respx_mock: respx.MockRouter) -> None:
    """The words of the rate limit come with HTTP 200; the send waits and then succeeds."""
    answers = [httpx.Response(200, json=LIMITED), httpx.Response(200, json=QUEUED)]
    respx_mock.post().mock(side_effect=answers)

    async with connect(EAGER) as sms:
        receipt = await sms.send(GLOBE, "Hello.")

    assert receipt.message_id == "iSms-1"


async def test_a_limit_that_outlasts_the_patience_is_an_error(
    respx_mock: respx.MockRouter,
) -> None:
    """Above the cap of the retry policy the send ends as certainly not sent."""
    respx_mock.post().respond(json=LIMITED)

    async with connect(RetryPolicy.off()) as sms:
        with pytest.raises(RateLimitError) as caught:
            await sms.send(GLOBE, "Hello.")

    assert not caught.value.may_have_been_sent


@pytest.mark.usefixtures("whole_batches")
async def test_a_list_refused_for_one_number_is_unknown(respx_mock: respx.MockRouter) -> None:
    """Smart's refusal is no check of the whole list: the others may be queued, so it ends there."""
    respx_mock.post().respond(json=SMART_TNT)

    async with connect(EAGER) as sms:
        outcomes = await send_to_two(sms)

    assert [outcome.state for outcome in outcomes] == ["unknown", "unknown"]
    assert respx_mock.calls.call_count == 1


async def test_one_number_is_refused_for_its_network(respx_mock: respx.MockRouter) -> None:
    """Alone, it is certainly not sent, and another gateway may take it."""
    respx_mock.post().respond(json=SMART_TNT)

    async with connect() as sms:
        with pytest.raises(RejectedError) as caught:
            await sms.send(SMART, "Hello.")

    assert (True, "recipient") == (caught.value.healable, caught.value.blame)


async def test_scheduled_texts_of_a_run_are_reminders_of_their_own(
    respx_mock: respx.MockRouter,
) -> None:
    """A reminder has one recipient, so equal scheduled texts travel one by one."""
    numbers = iter((1, 2))

    def answer(_: httpx.Request) -> httpx.Response:
        data = {"id": next(numbers), "scheduled_at": "2031-03-08T05:00:00.000+08:00"}
        return httpx.Response(200, json={"status": "success", "data": data})

    respx_mock.post(path="/api/v1/message-reminders").mock(side_effect=answer)
    messages = [Message(number, "Hello.", schedule_at=FIVE) for number in (GLOBE, SMART)]

    async with connect() as sms, sms.send_many(messages, concurrency=1) as run:
        receipts = [o.receipt async for o in run if o.state == "accepted"]

    assert [receipt.message_id for receipt in receipts] == ["reminder:1", "reminder:2"]
    assert [receipt.scheduled for receipt in receipts] == [True, True]


async def test_the_users_own_refusals_come_first(respx_mock: respx.MockRouter) -> None:
    """A row that the user adds makes an unknown text a certain refusal."""
    respx_mock.post().respond(json={"status": 500, "message": "Bawal ang mensahe."})
    rows: Any = [Refusal(RejectedError, r"bawal ang mensahe\.?")]

    async with connect(refusals=rows) as sms:
        with pytest.raises(RejectedError):
            await sms.send(GLOBE, "Hello.")


async def test_an_unknown_outcome_keeps_the_gateways_words(respx_mock: respx.MockRouter) -> None:
    """What the gateway said is in the error, for the person who has to find out."""
    respx_mock.post().respond(json={"status": 500, "message": "Queue is\nfull"})

    async with connect() as sms:
        with pytest.raises(OutcomeUnknownError) as caught:
            await sms.send(GLOBE, "Hello.")

    assert caught.value.reason == "HTTP 200: 'Queue is full'"
