"""What UGSMS's answer to a list means for each of its messages."""

from __future__ import annotations

import httpx
import pytest
import respx
from support.ugsms.outcomes import BAD_NUMBER, SEND, error_of, outcomes, states
from support.ugsms.wire import (
    API_KEY,
    HOST,
    MESSAGE_ID,
    bulk_answer,
    client,
    different,
    sent_answer,
    to_many,
    v2,
)

from iprog_async import (
    Accepted,
    AuthenticationError,
    InsufficientCreditError,
    NotFoundError,
    OutcomeUnknownError,
    ProviderError,
)


BULK = f"{HOST}/api/v2/sms/send/bulk"


def item(index: int, **details: object) -> dict[str, object]:
    """Return one entry of a bulk answer's lists."""
    return {"index": index, "number": f"070123450{index}", **details}


async def test_every_receipt_carries_the_one_id_of_the_list(respx_mock: respx.MockRouter) -> None:
    """One id and one price stand for the whole request, so no receipt has a cost of its own."""
    found = await outcomes(respx_mock, sent_answer(3), *to_many(3))
    receipts = [outcome.receipt for outcome in found if isinstance(outcome, Accepted)]
    assert [(r.message_id, r.cost) for r in receipts] == [(MESSAGE_ID, None)] * 3
    assert [r.to for r in receipts] == ["0701234500", "0701234501", "0701234502"]


@pytest.mark.parametrize(
    ("data", "references"),
    [({"recipients": 2}, (MESSAGE_ID,)), ({"recipients": 0, "message_id": None}, ())],
)
async def test_fewer_recipients_than_sent_are_all_unknown(
    respx_mock: respx.MockRouter, data: dict[str, object], references: tuple[str, ...]
) -> None:
    """A lower count leaves open who is missing; the id that came is kept as a reference."""
    found = await outcomes(respx_mock, sent_answer(3, **data), *to_many(3))
    errors = [error_of(outcome) for outcome in found]
    assert states(found) == ["unknown"] * 3
    assert [references] * 3 == [
        error.references for error in errors if isinstance(error, OutcomeUnknownError)
    ]


async def test_a_list_refused_for_one_number_is_halved(respx_mock: respx.MockRouter) -> None:
    """A 400 for the whole list loses only the number that caused it."""

    def answer(request: httpx.Request) -> httpx.Response:
        if b"0701234502" in request.content:
            return httpx.Response(400, json=BAD_NUMBER)
        return sent_answer(request.content.count(b"07012"))

    route = respx_mock.post(SEND).mock(side_effect=answer)
    async with client(v2()) as sms, sms.send_many(to_many(4)) as run:
        found = {outcome.index: outcome.state async for outcome in run}
    assert found == {0: "accepted", 1: "accepted", 2: "not_sent", 3: "accepted"}
    assert route.call_count == 5


async def test_a_mixed_bulk_answer_gives_each_its_own_outcome(
    respx_mock: respx.MockRouter,
) -> None:
    """Listed as sent, listed as failed, in neither list, and in both: each by its index."""
    answer = bulk_answer(
        [item(3, number_of_messages=1), item(0, message_id="m-0")],
        [item(1, error="Invalid phone number format."), item(3, error="Busy")],
        success=False,
    )
    found = await outcomes(respx_mock, answer, *different(4))
    assert states(found) == ["accepted", "not_sent", "unknown", "unknown"]
    assert isinstance(found[0], Accepted)
    assert (found[0].receipt.message_id, found[0].receipt.to) == ("m-0", "0701234500")
    assert (error_of(found[1]).blame, error_of(found[1]).healable) == ("recipient", False)
    assert "Invalid phone number format." in str(error_of(found[1]))
    assert "neither list" in str(error_of(found[2]))
    assert "both lists" in str(error_of(found[3]))


async def test_a_failed_message_says_why_in_the_table_s_words(
    respx_mock: respx.MockRouter,
) -> None:
    """A message that failed for want of credit is the account's fault, not the recipient's."""
    answer = bulk_answer([item(0)], [item(1, error="Insufficient balance")])
    found = await outcomes(respx_mock, answer, *different(2))
    assert InsufficientCreditError is type(error_of(found[1]))


async def test_a_failed_message_without_words_is_refused_all_the_same(
    respx_mock: respx.MockRouter,
) -> None:
    """The list itself is the refusal; its error text only explains."""
    answer = bulk_answer([item(0)], [item(1, error=None)])
    found = await outcomes(respx_mock, answer, *different(2))
    assert "no reason given" in str(error_of(found[1]))


@pytest.mark.usefixtures("whole_batches")
async def test_messages_that_all_failed_are_not_sent_again(respx_mock: respx.MockRouter) -> None:
    """Each was refused by itself, so halving the batch could find out nothing."""
    refused = [item(0, error="Bad"), item(1, error="Bad")]
    route = respx_mock.post(BULK).mock(return_value=bulk_answer(None, refused, success=False))
    async with client(v2()) as sms, sms.send_many(different(2)) as run:
        assert [outcome.state async for outcome in run] == ["not_sent", "not_sent"]
    assert route.call_count == 1


async def test_a_secret_is_no_reference(respx_mock: respx.MockRouter) -> None:
    """An id in a header field is kept for whoever looks for the text, without the key."""
    answer = bulk_answer(None, [item(0, error="Bad"), item(1, error="Bad")])
    answer.headers["X-Message-Id"] = f"8d1f-{API_KEY}"
    errors = [error_of(found) for found in await outcomes(respx_mock, answer, *different(2))]
    assert [("x-message-id: 8d1f-***",)] * 2 == [
        error.references for error in errors if isinstance(error, OutcomeUnknownError)
    ]


@pytest.mark.parametrize(
    "answer",
    [
        bulk_answer([item(0), item(2)]),
        bulk_answer([item(0), item(-1)]),
        bulk_answer([item(0), {"index": 1, "number": "0701234500"}]),
        bulk_answer([item(0), {"index": "second"}]),
        bulk_answer([item(0), {}]),
        bulk_answer([item(0)], [item(1)], summary={"successful": 2, "failed": 0}),
        bulk_answer("all"),
        bulk_answer(None),
        httpx.Response(200, json={"success": True, "data": None}),
        httpx.Response(200, json={"success": False, "message": "Partly"}),
        httpx.Response(500, json=bulk_answer([item(0), item(1)]).json()),
        bulk_answer([item(0), item(1)], error="Operation timed out"),
        bulk_answer([item(0, errors=["Busy"]), item(1, error="Busy")]),
    ],
    ids=lambda answer: answer.text[-90:],
)
async def test_a_bulk_answer_that_contradicts_itself_is_unknown(
    respx_mock: respx.MockRouter, answer: httpx.Response
) -> None:
    """Where one index can't be right, none is trusted."""
    found = await outcomes(respx_mock, answer, *different(2))
    assert states(found) == ["unknown", "unknown"]


@pytest.mark.parametrize(
    "answer",
    [
        bulk_answer([item(0), item(1)], [], summary={"successful": 2, "failed": 0, "total": 2}),
        bulk_answer([item(0), item(1)], summary={"successful": True}),
        bulk_answer([{"index": 0}, {"index": "1", "number": 256701234501}], summary=[]),
        bulk_answer([item(0), {"index": 1, "number": "+256 701 234501"}]),
    ],
)
async def test_a_bulk_answer_may_write_things_in_its_own_way(
    respx_mock: respx.MockRouter, answer: httpx.Response
) -> None:
    """Numbers in another notation, an index as text and a summary we can't read do no harm."""
    found = await outcomes(respx_mock, answer, *different(2))
    assert states(found) == ["accepted", "accepted"]


@pytest.mark.parametrize(
    ("message", "summary"),
    [
        ("Some messages failed", {}),
        ("Bulk messages processed", {"total": 2, "successful": 1, "failed": 1}),
        ("1 of 2 messages failed.", {"total_messages": "2", "success_count": 1, "failed": 1.0}),
        ("Messages sent successfully", []),
        ("", None),
    ],
)
async def test_what_is_said_of_all_may_agree_with_a_list(
    respx_mock: respx.MockRouter, message: str, summary: object
) -> None:
    """Counts of what is listed, and words about the request, leave what is refused a proof."""
    answer = bulk_answer([item(0)], [item(1, error="Bad")], success=False, summary=summary)
    body = {**answer.json(), "message": message}
    found = await outcomes(respx_mock, httpx.Response(200, json=body), *different(2))
    assert states(found) == ["accepted", "not_sent"]


@pytest.mark.parametrize("key", ["message", "error", "help"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Completed with some failures", "not_sent"),
        ("Some messages failed", "not_sent"),
        ("Messages sent successfully", "not_sent"),
        ("Provide X-API-Key header or api_key parameter", "not_sent"),
        ("Validation failed for 1 message", "not_sent"),
        ("Please top up your account", "not_sent"),
        ("All messages failed to send", "unknown"),
        ("Please top up your account, the rest is with the carrier", "unknown"),
        ("Handed to the carrier, all were sent", "unknown"),
        ("Operation timed out", "unknown"),
        ("https://ugsms.example/8d1f", "unknown"),
        ("Completed 88120031", "unknown"),
    ],
)
async def test_words_beside_a_list_mean_the_same_wherever_they_stand(
    respx_mock: respx.MockRouter, key: str, words: str, expected: str
) -> None:
    """The gateway writes of the request under any of three names."""
    answer = bulk_answer([item(0)], [item(1, error="Bad")], success=False)
    body = {**answer.json(), "message": "", key: words}
    found = await outcomes(respx_mock, httpx.Response(200, json=body), *different(2))
    assert states(found) == ["accepted", expected]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("All messages failed to send", "not_sent"),
        ("Messages failed to send", "unknown"),
        ("All messages failed to send, will retry", "unknown"),
    ],
)
async def test_that_none_could_be_sent_agrees_with_a_list_of_all(
    respx_mock: respx.MockRouter, words: str, expected: str
) -> None:
    """Each entry says why, and nobody is listed as taken."""
    answer = bulk_answer(None, [item(0, error="Bad"), item(1, error="Bad")], success=False)
    body = {**answer.json(), "message": words}
    found = await outcomes(respx_mock, httpx.Response(200, json=body), *different(2))
    assert states(found) == [expected] * 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Bulk SMS processed", "not_sent"),
        ("Bulk operation completed", "not_sent"),
        ("Completed with errors", "not_sent"),
        ("Completed with 2 failures", "not_sent"),
        ("All messages failed", "not_sent"),
        ("No messages were successful", "not_sent"),
        ("0 of 2 messages succeeded", "not_sent"),
        ("2 of 2 messages failed", "not_sent"),
        ("2 messages could not be processed", "not_sent"),
        ("0 successful, 2 failed", "not_sent"),
        ("0 succeeded and 2 failed", "not_sent"),
        ("2 of 3 messages succeeded", "unknown"),
        ("2 of 2 messages succeeded", "unknown"),
        ("0 of 3 messages succeeded", "unknown"),
        ("All messages succeeded", "unknown"),
        ("Successfully processed 2 messages", "unknown"),
        ("Success", "unknown"),
        ("OK", "unknown"),
        ("Done", "unknown"),
        ("All messages are ok", "unknown"),
        ("All messages completed", "unknown"),
        ("Bulk SMS operation completed", "not_sent"),
        ("operation ok for 2 recipients", "unknown"),
        ("Bulk operation done for all", "unknown"),
        ("Operation complete with 2 messages", "unknown"),
        ("2 messages are in", "unknown"),
        ("The messages are in", "unknown"),
        ("All have been", "unknown"),
        ("1 of 2 messages failed", "unknown"),
        ("1 message failed", "unknown"),
        ("3 messages processed", "unknown"),
        ("Some messages failed", "unknown"),
        ("Completed with some failures", "unknown"),
        ("Partly processed", "unknown"),
        ("Not all messages were successful", "unknown"),
        ("No errors", "unknown"),
        ("No messages failed", "unknown"),
        ("0 failed", "unknown"),
        ("Not failed", "unknown"),
        ("None were not processed", "unknown"),
        ("2 successful, 0 failed", "unknown"),
        ("1 successful, 1 failed", "unknown"),
        ("The recipients should have the messages", "unknown"),
    ],
)
async def test_words_of_all_agree_with_a_list_that_has_nobody_as_taken(
    respx_mock: respx.MockRouter, words: str, expected: str
) -> None:
    """They say of nobody that it worked, and their counts are those of the lists."""
    refused = [item(place, error="Insufficient balance") for place in range(2)]
    answer = bulk_answer([], refused, success=False)
    body = {**answer.json(), "message": words}
    found = await outcomes(respx_mock, httpx.Response(200, json=body), *different(2))
    assert states(found) == [expected] * 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1 successful, 2 failed", "not_sent"),
        ("Successfully processed 1 of 3 messages", "not_sent"),
        ("1 succeeded and 2 of 3 failed", "not_sent"),
        ("1 successful - 2 failed", "not_sent"),
        ("1 successful 2 failed", "not_sent"),
        ("1 of 3 messages succeeded 2 failed", "not_sent"),
        ("2 successful - 1 failed", "unknown"),
        ("2 successful 1 failed", "unknown"),
        ("successful 1 failed 2", "unknown"),
        ("1 failed 2 successful", "unknown"),
        ("Not all messages were successful", "not_sent"),
        ("3 messages processed", "not_sent"),
        ("All messages processed with some failures", "not_sent"),
        ("2 messages were not successful", "not_sent"),
        ("2 successful, 1 failed", "unknown"),
        ("3 messages succeeded", "unknown"),
        ("All messages succeeded", "unknown"),
        ("All messages failed", "unknown"),
        ("1 message failed", "unknown"),
        ("None were successful", "unknown"),
        ("No errors", "unknown"),
        ("No messages failed successfully", "unknown"),
        ("1 of 4 messages succeeded", "unknown"),
    ],
)
async def test_words_of_all_agree_with_both_lists(
    respx_mock: respx.MockRouter, words: str, expected: str
) -> None:
    """A number is of those that it is said of, and what is said of all holds for all."""
    answer = bulk_answer([item(0)], [item(1, error="Bad"), item(2, error="Bad")], success=False)
    body = {**answer.json(), "message": words}
    found = await outcomes(respx_mock, httpx.Response(200, json=body), *different(3))
    assert states(found) == ["accepted", expected, expected]


@pytest.mark.parametrize("key", ["total_messages", "total_recipients", "total"])
@pytest.mark.parametrize(("total", "expected"), [(2, "not_sent"), (3, "unknown")])
async def test_a_total_is_that_of_the_request(
    respx_mock: respx.MockRouter, key: str, total: int, expected: str
) -> None:
    """It counts whom the lists name, and nobody else."""
    answer = bulk_answer([item(0)], [item(1, error="Bad")], success=False, summary={key: total})
    body = {**answer.json(), "message": ""}
    found = await outcomes(respx_mock, httpx.Response(200, json=body), *different(2))
    assert states(found) == ["accepted", expected]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"error": "Unauthorized."}), AuthenticationError),
        (httpx.Response(401, json={"error": "API key is required"}), AuthenticationError),
        (httpx.Response(404, html="<h1>404</h1>"), NotFoundError),
    ],
)
async def test_a_bulk_request_can_be_refused_as_a_whole(
    respx_mock: respx.MockRouter, answer: httpx.Response, error: type[ProviderError]
) -> None:
    """Without lists the table decides, as for any send."""
    found = await outcomes(respx_mock, answer, *different(2))
    assert [error, error] == [type(error_of(outcome)) for outcome in found]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400, json={"error": "Insufficient balance"}),
        httpx.Response(200, json={"success": False, "message": "Insufficient balance"}),
        httpx.Response(400, json=BAD_NUMBER),
    ],
)
async def test_what_is_wrong_with_one_of_different_texts_leaves_all_unknown(
    respx_mock: respx.MockRouter, answer: httpx.Response
) -> None:
    """The first of them may have been sent before the last one was looked at."""
    assert ["unknown"] * 2 == states(await outcomes(respx_mock, answer, *different(2)))
    assert ["not_sent"] * 2 == states(await outcomes(respx_mock, answer, *to_many(2)))
