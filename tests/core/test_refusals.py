from __future__ import annotations

from typing import Any

import pytest

from iprog_async import (
    AuthenticationError,
    CredentialsOrCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async.adapter import NOT_JSON, Answer, Refusal, UnclearAnswer, give_up, refuse


TABLE = (
    Refusal(CredentialsOrCreditError, r"invalid api token or no load balance\.?"),
    Refusal(RejectedError, r"(text is )?too long", status=(422,), healable=True, blame="recipient"),
    Refusal(NotFoundError, status=(410,)),
)


def reply(status: int = 200, data: object = NOT_JSON, **headers: str) -> Answer:
    """Return an answer."""
    return Answer(status, headers, data, "" if data is not NOT_JSON else "<html>")


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        (200, "Invalid API TOKEN or no LOAD balance", CredentialsOrCreditError),
        (422, "text is too long", RejectedError),
        (410, "", NotFoundError),
    ],
)
def test_first_matching_row_is_raised(
    status: int, words: str, expected: type[ProviderError]
) -> None:
    """A row matches by words, ignoring case, by status, or by both."""
    with pytest.raises(expected):
        refuse(reply(status), TABLE, provider="x", reason=words)


@pytest.mark.parametrize(("status", "words"), [(200, "too long"), (422, "other"), (500, "")])
def test_what_no_row_knows_is_left_alone(status: int, words: str) -> None:
    """An answer outside the table raises nothing here."""
    refuse(reply(status), TABLE, provider="x", reason=words)


def test_row_decides_healable_and_blame() -> None:
    """The error has the row's judgement, the gateway's words and code, and the masked answer."""
    data = {"message": "too long", "api_token": "S3CRET"}
    with pytest.raises(RejectedError) as caught:
        refuse(reply(422, data), TABLE, provider="x", reason=" too long\n", code="E7")

    error = caught.value
    assert (True, "recipient", "too long", "E7", 422, "x") == (
        error.healable,
        error.blame,
        error.reason,
        error.code,
        error.http_status,
        error.provider,
    )
    assert {"message": "too long", "api_token": "***"} == error.raw


@pytest.mark.parametrize(
    ("status", "expected", "hint"),
    [
        (401, AuthenticationError, "check the credentials"),
        (404, NotFoundError, "check the id, and the base_url"),
        (405, RejectedError, "no reason given"),
        (413, RejectedError, "no reason given"),
        (301, RejectedError, "redirects are never followed"),
        (307, RejectedError, "redirects are never followed"),
        (308, RejectedError, "redirects are never followed"),
        (429, RateLimitError, "HTTP 429"),
    ],
)
def test_bare_statuses_that_prove_a_refusal(
    status: int, expected: type[ProviderError], hint: str
) -> None:
    """None of these statuses comes from a server that sends."""
    with pytest.raises(expected, match=hint):
        give_up(Answer(status, {}, NOT_JSON, blank=True), provider="x")


@pytest.mark.parametrize(
    "status",
    [200, 204, 300, 302, 303, 304, 400, 401, 403, 408, 409, 422, 451, 500, 502, 503, 599],
)
def test_other_statuses_prove_nothing(status: int) -> None:
    """Everything else is unclear, with what was seen."""
    unclear = give_up(reply(status), provider="x")

    assert isinstance(unclear, UnclearAnswer)
    assert f"HTTP {status}: '<html>'" == unclear.reason


@pytest.mark.parametrize("status", [401, 404, 302])
def test_status_beside_words_of_its_own_proves_nothing(status: int) -> None:
    """Where the body says something that no table knows, the status is not judged alone."""
    unclear = give_up(reply(status), provider="x", reason="odd", bare=False)

    assert f"HTTP {status}: 'odd'" == unclear.reason


@pytest.mark.parametrize(
    ("headers", "expected"), [({"retry-after": "7"}, 7.0), ({}, None), ({"retry-after": "x"}, None)]
)
def test_rate_limit_carries_the_wait(headers: dict[str, str], expected: float | None) -> None:
    """What the gateway asks for is on the error, also beside words of its own."""
    with pytest.raises(RateLimitError) as caught:
        give_up(Answer(429, headers, {}), provider="x", reason="slow", bare=False)

    assert expected == caught.value.retry_after


@pytest.mark.parametrize(("text", "why"), [("(", "unterminated|missing")])
def test_pattern_must_be_a_regular_expression(text: Any, why: str) -> None:
    """A user's wrong pattern shows when the row is made, not when a gateway refuses."""
    with pytest.raises(Exception, match=why):
        Refusal(RejectedError, text)
