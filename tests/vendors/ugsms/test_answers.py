"""What UGSMS's answer to a send means: taken, refused, or left open."""

from __future__ import annotations

from decimal import Decimal

import httpx
import pytest
import respx
from support.ugsms.outcomes import BAD_NUMBER, error_of, outcomes, states
from support.ugsms.wire import HOST, PASSWORD, sent_answer, submit, to_many, v1, v2

from iprog_async import (
    Accepted,
    AuthenticationError,
    InsufficientCreditError,
    NotFoundError,
    NotSent,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    RejectedError,
    RetryPolicy,
    SmsClient,
    Unknown,
)
from iprog_async.adapter import Refusal
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


Provider = UgsmsV1Provider | UgsmsV2Provider


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


async def test_an_error_that_echoes_the_password_hides_it(respx_mock: respx.MockRouter) -> None:
    """Secrets are masked in whatever the gateway sends back."""
    answer = {"error": f"Unauthorized: {PASSWORD}", "debug": [PASSWORD]}
    respx_mock.post(f"{HOST}/v1/sms/send").respond(401, json=answer)
    (found,) = await submit(v1(), *to_many(1))
    error = error_of(found)
    assert PASSWORD not in f"{error!r} {error.__dict__}"
    assert "***" in str(error)


@pytest.mark.parametrize(
    ("reason", "one", "many"),
    [
        ("recipients.3 is invalid.", "not_sent", "not_sent"),
        ("The message exceeds the limit of 160 characters.", "not_sent", "not_sent"),
        ("Insufficient credit for recipients.3", "not_sent", "unknown"),
        ("Daily limit exceeded.", "not_sent", "unknown"),
        ("No errors", "unknown", "unknown"),
        ("The recipient should have the message.", "unknown", "unknown"),
    ],
)
async def test_a_validator_proves_what_it_can_know_before_the_first_text(
    respx_mock: respx.MockRouter, reason: str, one: str, many: str
) -> None:
    """Credit may have run out at the third; what says that nothing is wrong is no reason."""
    body = {"message": "The given data was invalid.", "errors": {"numbers": [reason]}}
    answer = httpx.Response(422, json=body)
    assert [one] == states(await outcomes(respx_mock, answer, *to_many(1)))
    assert [many] * 3 == states(await outcomes(respx_mock, answer, *to_many(3)))


async def test_users_add_reasons_of_a_validator(respx_mock: respx.MockRouter) -> None:
    """A validator of another language is known by `refusals=`, too."""
    body = {"message": "Namba si sahihi", "errors": {"numbers": ["Namba si sahihi"]}}
    row = Refusal(RejectedError, "namba si sahihi", (422,), blame="recipient")
    answer = httpx.Response(422, json=body)
    assert ["unknown"] == states(await outcomes(respx_mock, answer, *to_many(1)))
    assert ["not_sent"] == states(await outcomes(respx_mock, answer, *to_many(1), refusals=(row,)))
