"""What Ultimate SMS's errors mean, and what is asked again."""

from __future__ import annotations

import pytest
import respx
from support.infopromo.wire import (
    EAGER,
    FIRST,
    FLAVOURS,
    HOST,
    OPERATIONS,
    TEXT,
    connect,
    error,
    in_turn,
    outcome_of,
    success,
)

from iprog_async import (
    AuthenticationError,
    HttpPool,
    NotFoundError,
    OutcomeUnknownError,
    ProviderError,
    RateLimitError,
    RejectedError,
    RetryPolicy,
)
from iprog_async.adapter import Refusal
from iprog_async.testing import InstantClock


@pytest.mark.parametrize("message", ["Something else", "", None])
@pytest.mark.parametrize("status", [200, 403, 500, 503])
async def test_unknown_error_is_no_proof(
    respx_mock: respx.MockRouter, status: int, message: str | None
) -> None:
    """An error that no row knows leaves a send unknown, and it is asked once."""
    route = respx_mock.route(url__startswith=HOST)
    route.respond(status, json={"status": "error", "message": message})
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send(FIRST, TEXT)

    assert route.call_count == 1


async def test_known_words_with_a_server_error_are_no_proof(
    respx_mock: respx.MockRouter,
) -> None:
    """A 500 may come after dispatch, whatever its words are."""
    respx_mock.route(url__startswith=HOST).respond(500, json=error("Unauthenticated."))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send(FIRST, TEXT)


BARE = [(404, NotFoundError), (405, RejectedError), (413, RejectedError), (308, RejectedError)]


@pytest.mark.parametrize(("status", "expected"), BARE)
@pytest.mark.parametrize("body", ["", "{}", '{"message": "?"}', "<html>"])
async def test_bare_statuses(
    respx_mock: respx.MockRouter, status: int, body: str, expected: type[Exception]
) -> None:
    """Without the envelope the status alone decides, where it proves something."""
    respx_mock.route(url__startswith=HOST).respond(status, text=body)
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(expected):
            await sms.send(FIRST, TEXT)


@pytest.mark.parametrize("status", [401, 403, 302, 303, 304])
@pytest.mark.parametrize("body", ["{}", '{"message": "?"}', "<html>"])
async def test_bare_statuses_that_prove_nothing(
    respx_mock: respx.MockRouter, status: int, body: str
) -> None:
    """A wall in front may have read the answer, and a redirection may say where the text is."""
    route = respx_mock.route(url__startswith=HOST).respond(status, text=body)
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send(FIRST, TEXT)

    assert route.call_count == 1


async def test_true_401_in_another_language(respx_mock: respx.MockRouter) -> None:
    """A true 401 in words that no row knows proves nothing of a send, and refuses a read."""
    respx_mock.route(url__startswith=HOST).respond(401, json=error("Non authentifié."))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send(FIRST, TEXT)
        with pytest.raises(AuthenticationError):
            await sms.balance()


async def test_users_patterns_come_first(respx_mock: respx.MockRouter) -> None:
    """A translated refusal becomes certain by a row of the user's."""
    respx_mock.route(url__startswith=HOST).respond(json=error("Solde insuffisant"))
    rows = [Refusal(RejectedError, "solde insuffisant", blame="account")]
    async with connect(FLAVOURS["v3"](refusals=rows)) as sms:
        with pytest.raises(RejectedError) as caught:
            await sms.send(FIRST, TEXT)

    assert caught.value.blame == "account"


async def test_rate_limit_in_the_body_is_waited_for(respx_mock: respx.MockRouter) -> None:
    """`Too Many Attempts.` with HTTP 200 has lost its `Retry-After`: a minute is waited."""
    clock = InstantClock()
    route = respx_mock.route(url__startswith=HOST)
    route.side_effect = in_turn(error("Too Many Attempts."), success({"uid": "a"}))
    async with (
        HttpPool(clock=clock) as pool,
        connect(FLAVOURS["v3"](), RetryPolicy(), pool) as sms,
    ):
        receipt = await sms.send(FIRST, TEXT)

    assert receipt.message_id == "a"
    assert sum(clock.sleeps) == 60.0


async def test_rate_limit_error_tells_how_long(respx_mock: respx.MockRouter) -> None:
    """A true 429 keeps the seconds it asked for."""
    respx_mock.route(url__startswith=HOST).respond(429, headers={"Retry-After": "7"})
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(RateLimitError) as caught:
            await sms.balance()

    assert caught.value.retry_after == 7.0


GONE = error("No query results for model [App\\Models\\Contacts] c1")


@pytest.mark.parametrize("name", ["groups.delete", "contacts.delete"])
async def test_repeated_delete_that_finds_nothing_had_worked(
    respx_mock: respx.MockRouter, name: str
) -> None:
    """A delete whose first answer was lost succeeds when the second finds nothing."""
    respx_mock.route(url__startswith=HOST).side_effect = in_turn(error("?"), GONE)
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        assert await outcome_of(OPERATIONS[name], sms) is None


@pytest.mark.parametrize("name", ["groups.delete", "contacts.delete"])
async def test_delete_that_finds_nothing_at_first_says_so(
    respx_mock: respx.MockRouter, name: str
) -> None:
    """A delete of what is not there is an error."""
    respx_mock.route(url__startswith=HOST).respond(json=GONE)
    async with connect(FLAVOURS["v3"](), EAGER) as sms:
        with pytest.raises(NotFoundError):
            await OPERATIONS[name](sms)


BILLED = ["send", "send_many", "schedule_many", "campaigns.send", "groups.create", "contacts.store"]


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
async def test_only_what_does_no_harm_is_repeated(
    respx_mock: respx.MockRouter, name: str, flavour: str
) -> None:
    """Reads, changes and deletes are asked again; what is billed or makes something is not."""
    route = respx_mock.route(url__startswith=HOST)
    route.respond(503)
    async with connect(FLAVOURS[flavour](), EAGER) as sms:
        await outcome_of(OPERATIONS[name], sms)

    assert (1 if name in BILLED else 4) == route.call_count


async def test_get_form_is_sent_once(respx_mock: respx.MockRouter) -> None:
    """The GET form sends, so it is never repeated."""
    route = respx_mock.get(url__startswith=f"{HOST}/api/http/sms/send")
    route.respond(503)
    async with connect(FLAVOURS["http"](send_with="GET"), EAGER) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.send(FIRST, TEXT)

    assert route.call_count == 1


OF_ONE = [
    {"message": "Too Many Requests", "limit": 2},
    {"message": "Too Many Requests", "remaining": 3},
    {"message": "Too Many Requests", "errors": ["Too many requests"]},
]


@pytest.mark.parametrize("body", OF_ONE, ids=str)
async def test_what_is_said_of_one_refuses_no_campaign(
    respx_mock: respx.MockRouter, body: dict[str, object]
) -> None:
    """A group has several: a number of requests, or a list, may be of where it was broken off."""
    route = respx_mock.route(url__startswith=HOST).respond(429, json=body)
    async with (
        HttpPool(clock=InstantClock()) as pool,
        connect(FLAVOURS["v3"](), RetryPolicy(), pool) as sms,
    ):
        with pytest.raises(OutcomeUnknownError):
            await sms.provider.campaigns.send("g1", TEXT)

    assert route.call_count == 1


async def test_a_row_about_one_refuses_no_campaign(respx_mock: respx.MockRouter) -> None:
    """What the user knows of a number is nothing about the others of its group."""
    respx_mock.route(url__startswith=HOST).respond(403, json=error("Numero invalide"))
    rows = [Refusal(RejectedError, "numero invalide", (403,), blame="recipient")]
    async with connect(FLAVOURS["v3"](refusals=rows)) as sms:
        with pytest.raises(OutcomeUnknownError):
            await sms.provider.campaigns.send("g1", TEXT)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (
            403,
            "There is not enough balance available to send this message.You have 0.3 of the 0.35",
        ),
        (403, "Purchased plan is not active. Please contact support team."),
        (
            404,
            "The DLT Entity ID is mandatory. Kindly reach out to the system administrator for "
            "further assistance",
        ),
    ],
)
async def test_a_refusal_may_go_on_with_what_to_do(
    respx_mock: respx.MockRouter, status: int, words: str
) -> None:
    """Stock texts ask for money or a call, and say how much is there."""
    respx_mock.route(url__startswith=HOST).respond(status, json=error(words))
    async with connect(FLAVOURS["v3"]()) as sms:
        with pytest.raises(ProviderError):
            await sms.send(FIRST, TEXT)
