from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from iprog_async import (
    AuthenticationError,
    ConfigurationError,
    CredentialsOrCreditError,
    NotFoundError,
    ProviderError,
    RateLimitError,
    RejectedError,
)
from iprog_async._core.redaction import Redactor
from iprog_async._engines.base import WireReply
from iprog_async._http.codec import decode
from iprog_async.adapter import (
    NOT_JSON,
    Answer,
    ErrorForm,
    Refusal,
    UnclearAnswer,
    give_up,
    refuse,
    refuse_or_give_up,
)


TABLE = (
    Refusal(CredentialsOrCreditError, r"invalid api token or no load balance\.?"),
    Refusal(RejectedError, r"(text is )?too long", status=(422,), healable=True, blame="recipient"),
    Refusal(NotFoundError, status=(410,)),
)


def reply(status: int = 200, data: object = NOT_JSON, **headers: str) -> Answer:
    """Return an answer."""
    page = data is NOT_JSON
    return Answer(status, headers, data, "<html>" if page else "", says_no_more=page)


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


def test_an_answer_is_refused_or_given_up() -> None:
    """Rows come first, with all that tells of them; what none knows is unclear."""
    with pytest.raises(RejectedError) as caught:
        raise refuse_or_give_up(reply(422), TABLE, provider="x", reason="too long", code="E7")
    unclear = refuse_or_give_up(reply(422), TABLE, provider="x", reason="odd")

    assert ("too long", "E7") == (caught.value.reason, caught.value.code)
    assert "HTTP 422: 'odd'" == unclear.reason


def test_a_status_is_judged_alone_where_there_are_no_words() -> None:
    """So it is unless the adapter says otherwise, either way."""
    with pytest.raises(NotFoundError):
        raise refuse_or_give_up(reply(404), (), provider="x")
    with pytest.raises(NotFoundError):
        raise refuse_or_give_up(reply(404), (), provider="x", reason="odd", bare=True)
    for unclear in (
        refuse_or_give_up(reply(404), (), provider="x", reason="odd"),
        refuse_or_give_up(reply(404), (), provider="x", bare=False),
    ):
        assert unclear.reason.startswith("HTTP 404: ")


@pytest.mark.parametrize(
    ("body", "proof"),
    [
        ({"status": 404, "error": "Not Found"}, True),
        ({"detail": "Not Found"}, True),
        ({"status": "failed"}, True),
        ({"detail": "Not found in the queue"}, False),
        ({"detail": "Method Not Allowed"}, False),
    ],
)
def test_words_of_the_status_alone_leave_it_its_proof(body: object, proof: bool) -> None:
    """Its reason phrase, and "failed", add nothing to a 404; any other words may."""
    answer = reply(404, body)
    try:
        refuse_or_give_up(answer, (), provider="x")
    except NotFoundError:
        assert proof
    else:
        assert not proof


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


WHOLE = Refusal(RejectedError, r"no credit\.?", status=(400,), whole_request=True)


def refuses(answer: Answer, *rows: Refusal, words: str = "No credit.", **details: Any) -> bool:
    """Return whether a table makes a refusal of an answer."""
    try:
        refuse(answer, rows or (WHOLE,), provider="x", reason=words, **details)
    except ProviderError:
        return True
    return False


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("No credit.", True),
        (" \n NO CREDIT \n", True),
        ("No credit. One was sent.", False),
        ("Said: No credit.", False),
        ("No credit\nqueued", False),
        ("", False),
    ],
)
def test_a_row_matches_the_whole_text(words: str, expected: bool) -> None:
    """A longer text may quote the message; only case and white space around it are free."""
    assert expected == refuses(reply(400, {"error": words}), words=words)


@pytest.mark.parametrize("status", range(500, 600, 33))
def test_a_row_names_no_server_error(status: int) -> None:
    """It may come after the text has gone out, so such a row can't be made."""
    with pytest.raises(ConfigurationError, match=f"HTTP {status}"):
        Refusal(RejectedError, "no credit", status=(400, status))


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, True), (400, True), (499, True), (302, False), (304, False), (500, False), (599, False)],
)
def test_a_row_without_status_is_for_all_below_500(status: int, expected: bool) -> None:
    """Redirections have to be named, and server errors can't be."""
    row = Refusal(RejectedError, "no credit.")
    assert expected == refuses(reply(status, {"error": "No credit."}), row)


@pytest.mark.parametrize(
    ("row", "many"), [(WHOLE, True), (evolve(WHOLE, whole_request=False), False)]
)
def test_only_a_check_of_the_whole_request_refuses_many(row: Refusal, many: bool) -> None:
    """Of several people, some may have been sent to before the one that was refused."""
    answer = reply(400, {"error": "No credit."})
    assert refuses(answer, row)
    assert many == refuses(evolve(answer, recipients=2), row)


@pytest.mark.parametrize(
    "more", [{"message_id": "a"}, {"data": [{"uid": 1}]}, {"status": "queued"}, {"sent": 2}]
)
def test_nothing_is_refused_beside_a_sign_that_it_was_taken(more: dict[str, object]) -> None:
    """Neither by a row nor by the status alone."""
    assert not refuses(reply(400, {"error": "No credit.", **more}))
    for status in (401, 404, 405, 413, 429, 301, 307, 308):
        give_up(reply(status, more), provider="x")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ok": False, "error": "No credit."}, True),
        ({"ok": False, "error": ["No credit."], "data": None, "more": []}, True),
        ({"ok": False, "error": "No credit.", "info": {"why": "No credit."}}, True),
        ({"ok": False, "error": "No credit.", "info": {"why": "x"}}, False),
        ({"ok": False, "error": "No credit.", "info": {"why": 7}}, False),
        ({"ok": False, "error": ["No credit.", ["No credit."]]}, False),
        ({"ok": False, "error": ["No credit.", 8812]}, False),
        ({"ok": False, "error": ["No credit.", False]}, False),
        ({"ok": False, "error": "No credit.", "passed": False, "note": 7}, True),
        ({"ok": False, "error": "No credit.", "passed": True}, False),
        ({"ok": False, "error": "No credit.", "note": "It timed out"}, False),
        ({"ok": False, "error": "No credit.", "fields": {"to": ["No credit."]}}, True),
        ({"ok": 0, "error": "No credit."}, False),
        ({"error": "No credit."}, False),
        ({"ok": False, "error": "No credit.", "batch": "b"}, False),
        ({"ok": False, "error": [{"text": "No credit."}]}, False),
        ({"ok": False, "error": "No credit.", "info.why": "x"}, False),
        ({"ok": False, "error": "No credit.", "info": {"why": {"deep": "x"}}}, False),
        (["No credit."], False),
        (NOT_JSON, False),
    ],
)
def test_an_error_has_its_form_and_nothing_more(body: object, expected: bool) -> None:
    """The mark has its value, words stand where they may and a row knows each of them."""
    beside = {"passed": [False], "note": None}
    form = ErrorForm({"ok": (False,)}, ("error", "info.why", "fields.*"), beside)
    assert expected == refuses(reply(400, body), form=form)


def test_each_of_several_texts_has_to_match() -> None:
    """Where a gateway lists reasons, one that the row does not know leaves it open."""
    answer = reply(400, {"error": ["No credit.", "x"]})
    assert refuses(answer, texts=["No credit.", " no credit "])
    assert not refuses(answer, texts=["No credit.", "Half of them went out"])


def test_a_code_is_a_word_where_the_form_says_so() -> None:
    """A number stands for words only where a gateway's errors are known by numbers."""
    answer, table = reply(400, {"error": 102}), [Refusal(RejectedError, "102", (400,))]
    for codes in (False, True):
        form = ErrorForm({}, ["error"], codes=codes)
        assert codes == refuses(answer, *table, form=form)


def test_a_call_that_sends_nothing_needs_no_proof() -> None:
    """There words are found anywhere, and a bare status is enough."""
    answer = evolve(reply(404, {"error": "Sorry: no credit. Bye", "id": 7}), once=False)
    assert refuses(answer, words="Sorry: no credit. Bye")
    with pytest.raises(AuthenticationError):
        give_up(evolve(reply(403), once=False), provider="x")


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirection_names_the_host_and_nothing_more(status: int) -> None:
    """The address may hold a credential; the host says what to write as base_url."""
    location = "https://u:s3cret@www.shop.example:8443/s3cret?token=s3cret"
    wire = WireReply(status, {"location": location}, b"")
    with pytest.raises(RejectedError, match=r"the new address is on www\.shop\.example;") as caught:
        give_up(decode(wire, Redactor(())), provider="x")

    assert "s3cret" not in f"{caught.value} {caught.value.__dict__}"


@pytest.mark.parametrize(
    "location",
    [
        *("/sent/1", "", "https://[", "https://s3cret123.example/x", "https://s3cret123/"),
        *(
            "https://S3cretABC.example/x",
            "https://u:p@www.S3cretABC.example",
            "https://s3cret%41BC/",
        ),
    ],
)
def test_a_redirection_without_a_host_to_show_names_none(location: str) -> None:
    """A path of the same host, what is no address, and what holds a secret of the account."""
    answer = decode(
        WireReply(308, {"location": location}, b""), Redactor(("s3cret123", "S3cretABC"))
    )
    with pytest.raises(RejectedError) as caught:
        give_up(answer, provider="x")

    assert "s3cret" not in str(caught.value).lower()


def test_a_page_is_read_for_words_of_acceptance() -> None:
    """A page at a status that could be judged alone may say that the text was sent."""
    for page, found in ((b"<p>Your text was queued.</p>", False), (b"<p>Not found</p>", True)):
        answer = decode(WireReply(404, {}, page), Redactor(()))
        try:
            give_up(answer, provider="x")
        except NotFoundError:
            assert found
        else:
            assert not found
