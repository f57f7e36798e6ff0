"""What Ultimate SMS's words prove about a send, and what they do not."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest
import respx
from support.infopromo.outcomes import BAD_NUMBER, COUNTRY, SENDER_REFUSED, outcomes
from support.infopromo.wire import (
    EAGER,
    FIRST,
    FLAVOURS,
    HOST,
    SECOND_WIRE,
    TEXT,
    connect,
    error,
    messages,
    plain,
    submit,
    success,
)

from iprog_async import Accepted, OutcomeUnknownError
from iprog_async_providers.infopromo._refusals import DISPATCH


ACCOUNT = ("RejectedError", True, "account")
CREDIT = ("InsufficientCreditError", True, "account")
TOKEN = ("AuthenticationError", True, "account")
MESSAGE = ("RejectedError", False, "message")
RECIPIENT = ("RejectedError", False, "recipient")

# HTTP status, the words, and what they mean: class, healable, blame.
REFUSALS: list[tuple[int, str, tuple[str, bool, str]]] = [
    (200, "Unauthenticated.", TOKEN),
    (401, "Unauthenticated.", TOKEN),
    (200, "These credentials do not match our records.", TOKEN),
    (403, "You do not have permission to access API", TOKEN),
    (200, "The recipient field is required.", MESSAGE),
    (200, "The schedule time field is required.", MESSAGE),
    (404, "You have exceeded your sending limit.", CREDIT),
    (404, "No active subscription found.", CREDIT),
    (403, "No active subscription", CREDIT),
    (404, "Purchased plan is not active. Kindly get in touch.", CREDIT),
    (403, "There is not enough balance available to send this message. Please recharge.", CREDIT),
    (404, SENDER_REFUSED, ACCOUNT),
    (404, 'Sender ID "" is not authorized to send this message.', ACCOUNT),
    (404, 'Sender ID "Café & Co" is not authorized to send "plain" SMS.', ACCOUNT),
    (404, "Originator TALKSASA is not authorized to send this message", ACCOUNT),
    (404, "Originator My Shop is not capable to send plain sms", ACCOUNT),
    (403, "Your sending server is not capable to send unicode sms", ACCOUNT),
    (403, "No sending server available for your subscribed plan", ACCOUNT),
    (403, "Sending server not available", ACCOUNT),
    (404, "Customer not found", ACCOUNT),
    (404, "The DLT Entity ID is mandatory. Kindly get in touch.", ACCOUNT),
    (404, "The DLT Template ID is mandatory. Kindly get in touch.", MESSAGE),
    (404, "Your message contains spam words.", MESSAGE),
    (403, BAD_NUMBER, RECIPIENT),
    (403, "Number contains in the blacklist", RECIPIENT),
    (403, f"{BAD_NUMBER} {SECOND_WIRE} is a invalid phone number", RECIPIENT),
    (403, COUNTRY, ("RejectedError", True, "recipient")),
    (
        403,
        "Valid phone number not found. Please insert at least one valid phone number",
        RECIPIENT,
    ),
    (403, "You cannot send more than 100 SMS in a single request.", RECIPIENT),
    (
        200,
        "The route api/v3/api/v3/sms/send could not be found.",
        ("NotFoundError", False, "account"),
    ),
    (
        200,
        "The POST method is not supported for route api/v3/sms. Supported methods: GET, HEAD.",
        ("RejectedError", False, "account"),
    ),
    (200, "Service Unavailable", ACCOUNT),
]
IDS = [f"{status} {text[:40]}" for status, text, _ in REFUSALS]


async def states(
    router: respx.MockRouter, answers: Sequence[tuple[int, object]], count: int = 1
) -> list[set[str]]:
    """Send texts again and again, and return what became of them at each of the answers."""
    route = router.route(url__startswith=HOST)
    route.side_effect = [httpx.Response(status, json=body) for status, body in answers]
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        return [{outcome.state for outcome in await submit(sms, messages(count))} for _ in answers]


@pytest.mark.parametrize(("status", "text", "expected"), REFUSALS, ids=IDS)
@pytest.mark.parametrize("count", [1, 3])
async def test_refusal(
    respx_mock: respx.MockRouter,
    status: int,
    text: str,
    expected: tuple[str, bool, str],
    count: int,
) -> None:
    """Each text of the table is a refusal of all of the request, with its judgement."""
    found = await outcomes(respx_mock, status, error(text), count)

    name, healable, blame = expected
    assert [{"error": name, "healable": healable, "blame": blame}] * count == plain(list(found))
    assert {"not_sent"} == {outcome.state for outcome in found}


def test_every_row_has_an_example_and_its_evidence() -> None:
    """No row is without a text that it was made for, and each says where it was read."""
    waits = {row for row in DISPATCH if "too many attempts" in str(row.text)}
    for row in set(DISPATCH) - waits:
        assert any(row.matches(status, [text]) for status, text, _ in REFUSALS), row.text
        assert row.evidence
        assert row.whole_request
        assert row.status <= {200, 401, 403, 404, 405, 422, 429}


# The words of a row, and around them what makes them another sentence.
AROUND = [
    "Upstream said: {}",
    "{} The message was queued all the same",
    "{} (1 sent)",
    "cURL error 28 after INSERT … VALUES ('{}')",
    "{}|SM0123",
]


@pytest.mark.parametrize("around", AROUND)
async def test_words_within_others_prove_nothing(respx_mock: respx.MockRouter, around: str) -> None:
    """A longer text that holds the words of a row may quote the message, and is unknown."""
    answers = [(status, error(around.format(text))) for status, text, _ in REFUSALS]

    assert [{"unknown"}] * len(answers) == await states(respx_mock, answers)


@pytest.mark.parametrize("status", [302, 304, 400, 409, 500, 502, 503])
async def test_words_with_another_status_prove_nothing(
    respx_mock: respx.MockRouter, status: int
) -> None:
    """With a status that no server was seen to give, and with any 5xx, words are unknown."""
    answers = [(status, error(text)) for _, text, _ in REFUSALS]

    assert [{"unknown"}] * len(answers) == await states(respx_mock, answers)


SIGNS: list[dict[str, object]] = [
    {"data": {"uid": "a1"}},
    {"data": {"queue_uid": "0b0d2c1a-77aa"}},
    {"data": [{"uid": "a1", "to": "4915112345678", "status": "Delivered"}]},
    {"uid": "a1"},
    {"message_id": "a1"},
    {"data": {"sent": 1}},
    {"data": {"recipients_count": 2}},
    {"data": {"status": "accepted"}},
]


@pytest.mark.parametrize("sign", SIGNS, ids=str)
@pytest.mark.parametrize("count", [1, 2])
async def test_words_beside_a_sign_of_acceptance_prove_nothing(
    respx_mock: respx.MockRouter, sign: dict[str, object], count: int
) -> None:
    """Beside an id, a count or a status word no text is a refusal."""
    answers = [(status, {**error(text), **sign}) for status, text, _ in REFUSALS]

    assert [{"unknown"}] * len(answers) == await states(respx_mock, answers, count)


AFTER_DISPATCH = [
    "Operation timed out after 30001 milliseconds with 0 bytes received",
    "Operation timed out after 30001 milliseconds: the sending server gave no answer",
    "Submitted to carrier; DND blacklist check pending",
    "Message was sent, but the DLR callback is invalid",
    "Something went wrong. Please try again",
    "cURL error 56: Recv failure: Connection reset by peer",
    "queued|SM0123 by carrier",
    "Failed to connect to upstream",
    "Sent to 2 of 3",
    "not delivered",
    "ACCEPTD",
    "System busy",
    "<response>0</response>",
    "Votre message contient des mots interdits.",
    "Sender ID sent|SM0123 is not authorized to send this message.",
    'Sender ID "sent|SM0123" is not authorized to send this message.',
    f"Originator X is not authorized; {'x' * 200} is not authorized to send this message",
    "",
]


@pytest.mark.parametrize("status", [200, 403, 404, 422])
@pytest.mark.parametrize("count", [1, 3])
async def test_any_other_text_is_unknown(
    respx_mock: respx.MockRouter, status: int, count: int
) -> None:
    """Servers before 3.8 dispatch first, so that no status is a refusal by itself."""
    answers = [(status, error(text)) for text in AFTER_DISPATCH]

    assert [{"unknown"}] * len(answers) == await states(respx_mock, answers, count)


@pytest.mark.parametrize("status", [404, 405, 413, 429])
@pytest.mark.parametrize("key", ["message", "error"])
async def test_no_status_is_judged_beside_words_that_leave_it_open(
    respx_mock: respx.MockRouter, status: int, key: str
) -> None:
    """A true status proves nothing where the body speaks of what comes after dispatch."""
    texts = ["Operation timed out after 30001 milliseconds", "Failed", "sent|SM0123"]
    answers: list[tuple[int, object]] = [(status, {key: text}) for text in texts]

    assert [{"unknown"}] * len(answers) == await states(respx_mock, answers)


@pytest.mark.parametrize(
    ("reason", "one", "many"),
    [
        ("recipients.3 is invalid.", "not_sent", "not_sent"),
        ("Insufficient credit for recipients.3", "not_sent", "unknown"),
        ("No errors", "unknown", "unknown"),
    ],
)
async def test_a_validator_proves_what_it_can_know_before_the_first_text(
    respx_mock: respx.MockRouter, reason: str, one: str, many: str
) -> None:
    """Credit may have run out at the third; what says that nothing is wrong is no reason."""
    body = {"message": "The given data was invalid.", "errors": {"recipient": [reason]}}

    assert [{one}] == await states(respx_mock, [(422, body)])
    assert [{many}] == await states(respx_mock, [(422, body)], 3)


@pytest.mark.parametrize("text", ["Unauthenticated.", "Service Unavailable"])
async def test_words_without_the_envelope_need_a_true_status(
    respx_mock: respx.MockRouter, text: str
) -> None:
    """With HTTP 200 only the exact envelope is a refusal."""
    assert [{"unknown"}] == await states(respx_mock, [(200, {"message": text})])


WORDS = [
    *((word, "failed") for word in ("Failed", "Undelivered", "Rejected", "Expired", "Skipped")),
    *((word, "sent") for word in ("Enroute", "Accepted", "Sent", "Sending", "Scheduled")),
    ("Delivered", "sent"),
    ("sent|SM0123", "sent"),
    ("Delivered|8f21c0", "sent"),
    ("failed.", "failed"),
]


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(("word", "expected"), WORDS)
async def test_status_word_alone_is_the_status_of_the_text(
    respx_mock: respx.MockRouter, status: int, word: str, expected: str
) -> None:
    """A status word where a reason would stand is the upstream's answer: the text was taken."""
    (found,) = await outcomes(respx_mock, status, error(word))

    assert isinstance(found, Accepted)
    assert (expected, word) == (found.receipt.status.state, found.receipt.status.word)


@pytest.mark.parametrize("status", [200, 403, 500])
async def test_status_word_for_many_is_unknown(respx_mock: respx.MockRouter, status: int) -> None:
    """For several recipients nobody can tell whom the word is about."""
    found = await outcomes(respx_mock, status, error("Failed"), 2)

    assert [outcome.state for outcome in found] == ["unknown", "unknown"]


async def test_delivered_in_the_answer_of_a_send_means_sent(
    respx_mock: respx.MockRouter,
) -> None:
    """The upstream took the text; whether it was delivered is asked for once at least."""
    respx_mock.post(f"{HOST}/api/v3/sms/send").respond(
        json=success({"uid": "a1", "status": "Delivered"})
    )
    view = respx_mock.get(f"{HOST}/api/v3/sms/a1")
    view.respond(json=success({"uid": "a1", "status": "Undelivered"}))
    async with connect(FLAVOURS["v3"]()) as sms:
        receipt = await sms.send(FIRST, TEXT)
        status = await sms.wait(receipt)

    assert ("sent", "Delivered") == (receipt.status.state, receipt.status.word)
    assert ("failed", 1) == (status.state, view.call_count)


async def test_unknown_is_said_once(respx_mock: respx.MockRouter) -> None:
    """A send whose answer proves nothing raises an error with the gateway's words."""
    respx_mock.route(url__startswith=HOST).respond(404, json=error(AFTER_DISPATCH[0]))
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        with pytest.raises(OutcomeUnknownError, match="Operation timed out"):
            await sms.send(FIRST, TEXT)
