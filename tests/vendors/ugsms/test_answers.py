"""What UGSMS's answers mean: outcomes of many, and errors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx
from support.ugsms.wire import (
    API_KEY,
    HOST,
    MESSAGE_ID,
    PASSWORD,
    bulk_answer,
    client,
    different,
    sent_answer,
    submit,
    to_many,
    v1,
    v2,
)

from iprog_async import (
    Accepted,
    AuthenticationError,
    Balance,
    HttpPool,
    InsufficientCreditError,
    Message,
    NoAnswerError,
    NotFoundError,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    RejectedError,
    RetryPolicy,
    SmsClient,
    SmsError,
    Unknown,
)
from iprog_async.adapter import Refusal
from iprog_async.testing import InstantClock
from iprog_async_providers.ugsms import ApiKey, UgsmsV1Provider, UgsmsV2Provider


Provider = UgsmsV1Provider | UgsmsV2Provider

SEND = f"{HOST}/api/v2/sms/send"
BULK = f"{HOST}/api/v2/sms/send/bulk"
BALANCE = f"{HOST}/api/v2/account/balance"
BAD_NUMBER = {"error": "Invalid phone number format."}


async def outcomes(
    router: respx.MockRouter, answer: httpx.Response, *messages: Message, **settings: Any
) -> list[Outcome]:
    """Return the outcomes of messages that one request of v2 got this answer for."""
    router.post(url__startswith=HOST).mock(return_value=answer)
    return list(await submit(v2(**settings), *messages))


def states(found: list[Outcome]) -> list[str]:
    """Return the states of outcomes, in order."""
    return [outcome.state for outcome in found]


def error_of(outcome: Outcome) -> SmsError:
    """Return the error of an outcome that has one."""
    assert not isinstance(outcome, Accepted)
    return outcome.error


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
    ("data", "expected"),
    [
        ({}, Decimal("20.0")),
        ({"estimated_cost": "35"}, Decimal(35)),
        ({"estimated_cost": None}, None),
        ({"estimated_cost": {"UGX": 20}}, None),
    ],
)
async def test_the_cost_of_a_single_text_is_read_if_it_can_be(
    respx_mock: respx.MockRouter, data: dict[str, object], expected: Decimal | None
) -> None:
    """A price that can't be read does not make an accepted text unknown."""
    (found,) = await outcomes(respx_mock, sent_answer(1, **data), *to_many(1))
    assert isinstance(found, Accepted)
    assert expected == found.receipt.cost


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


@pytest.mark.parametrize(
    "body",
    [
        {"success": True},
        {"success": True, "data": None},
        {"success": True, "data": []},
        {"success": True, "data": {"recipients": "two"}},
    ],
)
async def test_success_true_is_enough(respx_mock: respx.MockRouter, body: object) -> None:
    """`"success": true` accepts all, with or without details."""
    found = await outcomes(respx_mock, httpx.Response(201, json=body), *to_many(2))
    assert states(found) == ["accepted", "accepted"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"success": "true"}),
        httpx.Response(200, json={"success": 1}),
        httpx.Response(200, json={"success": False, "error": "Something went wrong"}),
        httpx.Response(200, json=["success"]),
        httpx.Response(200, html="<h1>Welcome</h1>"),
        httpx.Response(200, json={"success": True, "data": {"message_id": []}}),
        httpx.Response(400, json={"error": "A text that nobody has seen"}),
        httpx.Response(403, json={"error": "A text that nobody has seen"}),
        httpx.Response(422, json={"message": "Carrier refused"}),
        httpx.Response(500, json={"message": "Server Error"}),
        httpx.Response(500, json={"error": "Insufficient balance"}),
        httpx.Response(500, json={"success": True}),
        httpx.Response(503),
        httpx.Response(401, json={"error": "Any words"}),
        httpx.Response(401, html="<h1>401</h1>"),
        httpx.Response(403),
        httpx.Response(302, headers={"location": "/"}),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.text[:40]}",
)
@pytest.mark.parametrize(("provider", "path"), [(v1(), "/v1/sms/send"), (v2(), "/api/v2/sms/send")])
async def test_anything_else_on_a_send_is_unknown_and_asked_once(
    respx_mock: respx.MockRouter, provider: Provider, path: str, answer: httpx.Response
) -> None:
    """What is neither `"success": true` nor in the table proves nothing and is not repeated."""
    route = respx_mock.post(HOST + path).mock(return_value=answer)
    async with SmsClient(provider, retry=RetryPolicy(base=0)) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send("0701234500", "Hi")
    assert route.call_count == 1


@pytest.mark.parametrize("body", ["", " \n"])
async def test_an_empty_success_is_accepted_only_if_asked_for(
    respx_mock: respx.MockRouter, body: str
) -> None:
    """`accept_empty` takes an empty 2xx of v1 as accepted, without an id."""
    respx_mock.post(f"{HOST}/v1/sms/send").respond(200, text=body)
    (found,) = await submit(v1(accept_empty=True), *to_many(1))
    assert isinstance(found, Accepted)
    assert found.receipt.message_id is None
    (found,) = await submit(v1(), *to_many(1))
    assert isinstance(found, Unknown)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(200, text="x"), "unknown"),
        (httpx.Response(200, text=f"{'':300}error"), "unknown"),
        (httpx.Response(200, content=b"\0"), "unknown"),
        (httpx.Response(200, json={}), "unknown"),
        (httpx.Response(500), "unknown"),
        (httpx.Response(401), "not_sent"),
        (httpx.Response(200, json={"success": True}), "accepted"),
    ],
)
async def test_accept_empty_takes_nothing_but_emptiness(
    respx_mock: respx.MockRouter, answer: httpx.Response, expected: str
) -> None:
    """With `accept_empty`, every answer that is not empty means what it meant before."""
    respx_mock.post(f"{HOST}/v1/sms/send").mock(return_value=answer)
    (found,) = await submit(v1(accept_empty=True), *to_many(1))
    assert expected == found.state


ROUTE = "The route v1/sms/send could not be found."
METHOD = "The POST method is not supported for route v1. Supported methods: GET."
REQUIRED = {"message": "The given data was invalid.", "errors": {"numbers": ["Required."]}}

REFUSALS: list[tuple[httpx.Response, type[ProviderError], bool, str]] = [
    (httpx.Response(401, json={"error": "Unauthorized."}), AuthenticationError, True, "account"),
    (httpx.Response(401), AuthenticationError, True, "account"),
    (
        httpx.Response(400, json={"error": "Credentials are required"}),
        AuthenticationError,
        True,
        "account",
    ),
    (httpx.Response(400, json=BAD_NUMBER), RejectedError, False, "recipient"),
    (
        httpx.Response(400, json={"error": "Insufficient balance"}),
        InsufficientCreditError,
        True,
        "account",
    ),
    (
        httpx.Response(200, json={"success": False, "message": "Insufficient balance."}),
        InsufficientCreditError,
        True,
        "account",
    ),
    (httpx.Response(422, json=REQUIRED), RejectedError, False, "message"),
    (httpx.Response(404, json={"message": ROUTE}), NotFoundError, False, "account"),
    (httpx.Response(404, json={"message": ""}), NotFoundError, False, "account"),
    (httpx.Response(405, json={"message": METHOD}), RejectedError, False, "account"),
    (httpx.Response(301, headers={"location": "/"}), RejectedError, False, "account"),
    (httpx.Response(429, json={"message": "Too Many Attempts."}), RateLimitError, True, "account"),
]


@pytest.mark.parametrize(("answer", "error", "healable", "blame"), REFUSALS)
async def test_refusals_are_certain(
    respx_mock: respx.MockRouter,
    answer: httpx.Response,
    error: type[ProviderError],
    healable: bool,
    blame: str,
) -> None:
    """Each row of the table is an error that says who is to blame and what could help."""
    (found,) = await outcomes(respx_mock, answer, *to_many(1))
    assert isinstance(found, NotSent)
    refusal = found.error
    assert (error, healable, blame) == (type(refusal), refusal.healable, refusal.blame)
    assert not refusal.may_have_been_sent


async def test_the_gateway_s_words_are_kept(respx_mock: respx.MockRouter) -> None:
    """An error shows `error` and `help`, by which the person who reads it can act."""
    answer = httpx.Response(401, json={"error": "API key is required", "help": "Provide one"})
    (found,) = await outcomes(respx_mock, answer, *to_many(1))
    error = error_of(found)
    assert isinstance(error, ProviderError)
    assert error.reason == "API key is required Provide one"


async def test_users_add_refusals(respx_mock: respx.MockRouter) -> None:
    """`refusals=` makes a text certain that the table does not know."""
    answer = httpx.Response(400, json={"error": "Namba si sahihi"})
    row = Refusal(RejectedError, "namba si sahihi", blame="recipient")
    (found,) = await outcomes(respx_mock, answer, *to_many(1), refusals=(row,))
    assert error_of(found).blame == "recipient"


async def test_a_rate_limit_is_waited_for(respx_mock: respx.MockRouter) -> None:
    """After a 429 the send waits as told, and is accepted."""
    limited = httpx.Response(429, headers={"Retry-After": "12"}, json={"message": "Slow down"})
    respx_mock.post(SEND).mock(side_effect=[limited, sent_answer()])
    clock = InstantClock()
    async with HttpPool(clock=clock) as pool, SmsClient(v2(), pool=pool) as sms:
        receipt = await sms.send("0701234500", "Hi")
    assert (receipt.message_id, clock.sleeps) == (MESSAGE_ID, [12.0])


async def test_the_last_request_of_the_window_holds_up_the_next(
    respx_mock: respx.MockRouter,
) -> None:
    """`x-ratelimit-remaining: 0` pauses until our oldest call is a minute old."""
    last = sent_answer()
    last.headers["x-ratelimit-remaining"] = "0"
    respx_mock.post(SEND).mock(side_effect=[last, sent_answer()])
    clock = InstantClock()
    async with HttpPool(clock=clock) as pool, SmsClient(v2(), pool=pool) as sms:
        await sms.send("0701234500", "Hi")
        clock.advance(10)
        await sms.send("0701234501", "Hi")
    assert clock.sleeps == [50.0]


@pytest.mark.parametrize(("settings", "expected"), [({}, [60.0]), ({"rate": None}, [])])
async def test_sixty_requests_a_minute_are_the_default(
    respx_mock: respx.MockRouter, settings: dict[str, Any], expected: list[float]
) -> None:
    """The 61st request waits until the first is a minute old, unless `rate=None`."""
    respx_mock.post(SEND).mock(return_value=sent_answer())
    clock = InstantClock()
    async with HttpPool(clock=clock) as pool, SmsClient(v2(**settings), pool=pool) as sms:
        for _ in range(61):
            await sms.send("0701234500", "Hi")
    assert expected == clock.sleeps


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
    ("answer", "error"),
    [
        (httpx.Response(401, json={"error": "Unauthorized."}), AuthenticationError),
        (httpx.Response(400, json={"error": "Insufficient balance"}), InsufficientCreditError),
        (
            httpx.Response(200, json={"success": False, "message": "Insufficient balance"}),
            InsufficientCreditError,
        ),
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
    ("body", "expected"),
    [
        (
            {"success": True, "data": {"balance": 980.5, "currency": "UGX"}},
            Balance(Decimal("980.5"), "UGX", "980.5 UGX"),
        ),
        ({"balance": "1,980", "currency": "KES"}, Balance(Decimal(1980), "KES", "1980 KES")),
        ({"success": True, "data": None, "balance": 0}, Balance(Decimal(0), "UGX", "0 UGX")),
    ],
)
async def test_the_balance_is_read_wherever_it_stands(
    respx_mock: respx.MockRouter, body: object, expected: Balance
) -> None:
    """Clients read the balance from `data` and from the top level."""
    respx_mock.get(BALANCE).respond(json=body)
    async with client(v2()) as sms:
        assert expected == await sms.balance()


@pytest.mark.parametrize(
    "body", [{}, {"success": False}, {"error": "x", "balance": 1}, {"data": {"balance": "many"}}]
)
async def test_a_balance_that_can_t_be_read_is_asked_for_again(
    respx_mock: respx.MockRouter, body: object
) -> None:
    """Reading sends nothing, so an unclear answer is worth another try."""
    good = httpx.Response(200, json={"data": {"balance": 1}})
    route = respx_mock.get(BALANCE).mock(side_effect=[httpx.Response(200, json=body), good])
    async with SmsClient(v2(), retry=RetryPolicy(base=0)) as sms:
        assert Decimal(1) == (await sms.balance()).amount
    assert route.call_count == 2


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"success": True, "data": {"api_key": "k-1", "expires_at": "2026-12-31"}},
            ("k-1", "2026-12-31"),
        ),
        ({"api_key": "k-2", "expires_at": "2027"}, ("k-2", "2027")),
        ({"success": True, "data": {"key": " k-3\n"}}, ("k-3", "")),
        ({"message": "API key made", "key": "k-4"}, ("k-4", "")),
    ],
)
@pytest.mark.parametrize("operation", ["generate", "regenerate"])
async def test_a_new_key_is_found_in_any_likely_place(
    respx_mock: respx.MockRouter, operation: str, body: object, expected: tuple[str, str]
) -> None:
    """No answer is documented, so four places are read; the repr shows no key."""
    respx_mock.post(f"{HOST}/api/{operation}-key").respond(json=body)
    async with client(v1()) as sms:
        made: ApiKey = await getattr(sms.provider.keys, operation)()
    assert expected == (made.key, made.expires_at)
    assert "k-" not in repr(made)


SECRET = "ug-brand-new-secret"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"success": True}),
        httpx.Response(200, json={"success": True, "data": {"api_key": ["x"], "k": SECRET}}),
        httpx.Response(200, json={"success": False, "data": {"api_key": SECRET}}),
        httpx.Response(200, json={"success": True, "data": {"api_key": API_KEY}}),
        httpx.Response(200, json=[SECRET]),
        httpx.Response(200, text=SECRET),
        httpx.Response(500, json={"message": "Server Error", "key": SECRET}),
    ],
    ids=lambda answer: answer.text[:60],
)
async def test_a_key_that_may_have_been_made_is_unknown_and_not_shown(
    respx_mock: respx.MockRouter, answer: httpx.Response
) -> None:
    """An unclear answer is not repeated, and its error quotes nothing that may be a key."""
    route = respx_mock.post(f"{HOST}/api/generate-key").mock(return_value=answer)
    async with SmsClient(v2(), retry=RetryPolicy(base=0)) as sms:
        with pytest.raises(OutcomeUnknownError) as caught:
            await sms.provider.keys.generate()
    assert route.call_count == 1
    shown = f"{caught.value!r} {caught.value.__dict__}"
    assert [secret for secret in (SECRET, API_KEY) if secret in shown] == []


async def test_a_refusal_beside_a_key_is_none_and_shows_no_key(
    respx_mock: respx.MockRouter,
) -> None:
    """Where a key stands beside the words, one may have been made; nothing keeps it."""
    body = {"error": "Unauthorized.", "key": SECRET, "data": {"key": SECRET}}
    respx_mock.post(f"{HOST}/api/regenerate-key").respond(401, json=body)
    async with client(v1()) as sms:
        with pytest.raises(OutcomeUnknownError) as caught:
            await sms.provider.keys.regenerate()
    assert SECRET not in f"{caught.value!r} {caught.value.__dict__}"


async def test_a_refusal_about_keys_is_certain(respx_mock: respx.MockRouter) -> None:
    """The words alone are a refusal, as of a send."""
    respx_mock.post(f"{HOST}/api/regenerate-key").respond(401, json={"error": "Unauthorized."})
    async with client(v1()) as sms:
        with pytest.raises(AuthenticationError) as caught:
            await sms.provider.keys.regenerate()
    assert caught.value.raw == {"error": "Unauthorized."}


@pytest.mark.parametrize(
    "second",
    [
        httpx.Response(200, json={"message": "API key revoked"}),
        httpx.Response(200, json={"success": True}),
        httpx.Response(404),
    ],
)
async def test_revoking_is_tried_again(
    respx_mock: respx.MockRouter, second: httpx.Response
) -> None:
    """Twice is as good as once; nothing left to revoke means that the first try worked."""
    route = respx_mock.post(f"{HOST}/api/revoke-key").mock(
        side_effect=[httpx.Response(502), second]
    )
    async with SmsClient(v2(), retry=RetryPolicy(base=0)) as sms:
        await sms.provider.keys.revoke()
    assert route.call_count == 2


async def test_an_answer_without_words_revokes_nothing(respx_mock: respx.MockRouter) -> None:
    """A key must not be taken for revoked because of an empty object."""
    respx_mock.post(f"{HOST}/api/revoke-key").respond(json={})
    async with client(v2()) as sms:
        with pytest.raises(NoAnswerError):
            await sms.provider.keys.revoke()


async def test_an_error_that_echoes_the_password_hides_it(respx_mock: respx.MockRouter) -> None:
    """Secrets are masked in whatever the gateway sends back."""
    answer = {"error": f"Unauthorized: {PASSWORD}", "debug": [PASSWORD]}
    respx_mock.post(f"{HOST}/v1/sms/send").respond(401, json=answer)
    (found,) = await submit(v1(), *to_many(1))
    error = error_of(found)
    assert PASSWORD not in f"{error!r} {error.__dict__}"
    assert "***" in str(error)
