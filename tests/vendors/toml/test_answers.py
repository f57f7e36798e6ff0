"""What the answers of a described gateway prove."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support.acme import ACME, TAKEN, acme, sent_by

from iprog_async import (
    Message,
    RejectedError,
)


def _error(words: object, **more: object) -> dict[str, object]:
    return {"state": "error", "error": words, **more}


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (201, TAKEN, "accepted"),
        (200, {"state": "sent", "data": {"id": "x"}}, "accepted"),
        (202, TAKEN, "unknown"),
        (200, {"state": "done", "data": {"id": "x"}}, "unknown"),
        (200, {"state": "sent", "data": {"id": ""}}, "unknown"),
        (200, {"state": "sent", "data": {"id": True}}, "unknown"),
        (200, {"state": "sent", "data": {"id": 0}}, "unknown"),
        (200, {"state": "sent", "data": {"id": "0"}}, "unknown"),
        (200, {"state": "sent", "data": {"id": "null"}}, "unknown"),
        (200, {"state": "sent", "data": {"id": " None "}}, "unknown"),
        (200, {"state": "sent", "data": {"id": -2}}, "unknown"),
        (200, {"state": "sent", "data": {"id": "00"}}, "unknown"),
        (200, {"state": "sent", "data": {"id": "Error"}}, "unknown"),
        (200, {"state": "sent"}, "unknown"),
        (200, {"state": ["sent"], "data": {"id": "x"}}, "unknown"),
        (401, _error("Unknown key"), "not_sent"),
        (401, _error(" unknown KEY. "), "not_sent"),
        (422, _error(["Invalid number", "Number not allowed"]), "not_sent"),
        (401, _error("Unknown key", id=5), "unknown"),
        (401, _error("Unknown key after a while"), "unknown"),
        (401, {"error": "Unknown key"}, "unknown"),
        (403, _error("Unknown key"), "unknown"),
        (422, _error(["Invalid number", "Something else"]), "unknown"),
        (404, {"detail": "Something went wrong"}, "unknown"),
        (404, None, "not_sent"),
    ],
)
async def test_only_what_the_file_calls_a_proof_is_one(
    tmp_path: Path, respx_mock: respx.MockRouter, status: int, body: object, state: str
) -> None:
    """All of what proves acceptance, or a whole refusal; anything else is unknown."""
    answer = httpx.Response(status, json=body) if body is not None else httpx.Response(status)

    _, outcome = await sent_by(acme(tmp_path), respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert state == outcome.state


async def test_an_id_beside_the_mark_of_an_error_proves_nothing(
    tmp_path: Path, respx_mock: respx.MockRouter
) -> None:
    """An answer that says both, taken and not, is unknown."""
    provider = acme(tmp_path, ('where = { "/state" = ["queued", "sent"] }\n', ""))
    answer = httpx.Response(200, json=_error("No route", data={"id": "a1"}))

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert "unknown" == outcome.state


@pytest.mark.parametrize(
    ("beside", "state"),
    [
        ({"error": "Out of credit"}, "unknown"),
        ({"error": ["Something else"]}, "unknown"),
        ({"error": "Message could not be sent"}, "unknown"),
        ({"error": "Unsuccessful"}, "unknown"),
        ({"error": "Upstream timed out"}, "unknown"),
        ({"error": "102"}, "unknown"),
        ({"error": 102}, "unknown"),
        ({"error": {"code": 102}}, "unknown"),
        ({"error": [True]}, "unknown"),
        ({"errors": ["Out of credit"]}, "unknown"),
        ({"data": {"id": "a1", "error": "Bad number"}}, "unknown"),
        ({"error": "Message sent successfully"}, "accepted"),
        ({"error": "Queued"}, "accepted"),
        ({"error": 0}, "accepted"),
        ({"error": "none"}, "accepted"),
        ({"error": ""}, "accepted"),
        ({"error": None}, "accepted"),
        ({}, "accepted"),
    ],
    ids=str,
)
async def test_words_of_an_error_beside_an_id_prove_nothing(
    tmp_path: Path, respx_mock: respx.MockRouter, beside: dict[str, object], state: str
) -> None:
    """Where nothing else marks an error, its words do; those of a success are none."""
    provider = acme(
        tmp_path,
        ('where = { "/state" = ["queued", "sent"] }\n', ""),
        ('where = { "/state" = "error" }\n', ""),
        ('"Text not allowed"', '"102"'),
    )
    answer = httpx.Response(200, json={"data": {"id": "a1"}, **beside})

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert state == outcome.state


@pytest.mark.parametrize(
    ("where", "body", "state"),
    [
        ("", {"error": "Out of credit"}, "unknown"),
        ("", {"data": {"id": "a1", "errors": ["No route"]}}, "unknown"),
        ("", {"error": None}, "accepted"),
        ('where = { "/errors/code" = 0 }\n', {"errors": {"code": 0}, "error": "Busy"}, "unknown"),
        ('where = { "/errors/code" = 0 }\n', {"errors": {"code": 0}}, "accepted"),
    ],
)
async def test_an_error_that_the_file_does_not_know_of_leaves_a_text_unknown(
    tmp_path: Path, respx_mock: respx.MockRouter, where: str, body: dict[str, object], state: str
) -> None:
    """A file without errors has none that it could refuse by, and gateways send them."""
    start, end = ACME.index("[errors]"), ACME.index("[balance]")
    provider = acme(
        tmp_path, ('where = { "/state" = ["queued", "sent"] }\n', where), (ACME[start:end], "")
    )
    answer = httpx.Response(200, json={"data": {"id": "a1"}, **body})

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert state == outcome.state


async def test_a_known_refusal_beside_the_mark_of_success_proves_nothing(
    tmp_path: Path, respx_mock: respx.MockRouter
) -> None:
    """An answer is not taken because a refusal in it has another mark."""
    answer = httpx.Response(200, json={**TAKEN, "error": "Out of credit"})

    _, outcome = await sent_by(acme(tmp_path), respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert "unknown" == outcome.state


@pytest.mark.parametrize(
    ("beside", "state"),
    [
        ({"error": "Bad number"}, "unknown"),
        ({"errors": {"to": "Bad number"}}, "unknown"),
        ({"error": "Queued"}, "accepted"),
        ({"error": None, "errors": []}, "accepted"),
    ],
    ids=str,
)
@pytest.mark.parametrize("around", [(), ("data",), ("data", "texts", 0)], ids=str)
async def test_an_error_anywhere_around_the_id_leaves_a_text_unknown(
    tmp_path: Path,
    respx_mock: respx.MockRouter,
    around: tuple[str | int, ...],
    beside: dict[str, object],
    state: str,
) -> None:
    """Beside the mark of a success, too, and in the entry of a list."""
    body: dict[str, Any] = {"state": "sent", "data": {"texts": [{"id": "a1"}]}}
    holder: Any = body
    for key in around:
        holder = holder[key]
    holder.update(beside)
    provider = acme(
        tmp_path,
        ('id = "/data/id"', 'id = "/data/texts/0/id"'),
        ('words = "/error"', f'words = ["/error", "{_pointer(around)}/error"]'),
    )

    message = Message("0917 123 4567", "Hi")
    _, outcome = await sent_by(provider, respx_mock, message, httpx.Response(200, json=body))

    assert state == outcome.state


def _pointer(keys: tuple[str | int, ...]) -> str:
    return "".join(f"/{key}" for key in keys if isinstance(key, str))


@pytest.mark.parametrize("mark", [1, True, "success"])
async def test_what_marks_an_error_is_no_sign_of_acceptance(
    tmp_path: Path, respx_mock: respx.MockRouter, mark: object
) -> None:
    """A gateway may say "error" with a 1, or with true, and its file says so."""
    provider = acme(
        tmp_path, ('where = { "/state" = "error" }', f'where = {{ "/state" = {json.dumps(mark)} }}')
    )
    answer = httpx.Response(401, json={"state": mark, "error": "Unknown key"})
    more = httpx.Response(401, json={"state": mark, "error": "Unknown key", "ok": mark})

    message = Message("0917 123 4567", "Hi")
    found = [(await sent_by(provider, respx_mock, message, each))[1] for each in (answer, more)]

    assert ["not_sent", "unknown"] == [outcome.state for outcome in found]


async def test_what_proves_acceptance_is_no_error(
    tmp_path: Path, respx_mock: respx.MockRouter
) -> None:
    """A word that the file takes for one of success may stand where errors have theirs."""
    provider = acme(
        tmp_path,
        ('["queued", "sent"]', '"E0 fine"'),
        ('where = { "/state" = "error" }\nwords = "/error"', 'words = "/state"'),
    )
    answer = httpx.Response(200, json={**TAKEN, "state": "E0 fine"})

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert "accepted" == outcome.state


@pytest.mark.parametrize(("number", "state"), [(None, "not_sent"), ("8812", "unknown")])
async def test_an_error_with_an_id_is_no_refusal(
    tmp_path: Path, respx_mock: respx.MockRouter, number: str | None, state: str
) -> None:
    """What stands where accepted texts have their id is one, whatever it is called."""
    provider = acme(
        tmp_path,
        ('id = "/data/id"', 'id = "/n"'),
        ('words = "/error"', 'words = "/error"\nalso = "/n"'),
    )
    answer = httpx.Response(401, json=_error("Unknown key", n=number))

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert state == outcome.state


async def test_words_may_be_a_code_anywhere_in_the_errors(
    tmp_path: Path, respx_mock: respx.MockRouter
) -> None:
    """A refusal is known by a number, under any key, in each item of a list."""
    provider = acme(
        tmp_path,
        ('words = "/error"', 'words = "/errors/*"\nalso = "/hint"'),
        ('"Unknown key"', '["101", "102"]'),
    )
    errors = {"a": [101], "b": ["102", 101]}
    answer = httpx.Response(401, json={"state": "error", "errors": errors, "hint": "No key"})

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert outcome.state == "not_sent"


async def test_blame_and_pattern_are_those_of_the_row(
    tmp_path: Path, respx_mock: respx.MockRouter
) -> None:
    """A row says whose fault it is, and may match words that vary."""
    provider = acme(
        tmp_path,
        (
            'words = ["Invalid number", "Number not allowed"]',
            'pattern = "Invalid number \\\\d{1,15}"',
        ),
    )
    answer = httpx.Response(422, json=_error("Invalid number 639171234567"))

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert outcome.state == "not_sent"
    assert isinstance(outcome.error, RejectedError)
    assert "recipient" == outcome.error.blame


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("Error: 639171234567 is no mobile number", "not_sent"),
        ("Error: SMSC timed out, message was sent", "unknown"),
    ],
)
async def test_what_a_wildcard_matches_may_be_news(
    tmp_path: Path, respx_mock: respx.MockRouter, words: str, state: str
) -> None:
    """A text that a pattern matches proves a refusal only if the rest of it tells nothing."""
    provider = acme(tmp_path, ('words = "Text not allowed"', 'pattern = "Error: .{1,40}"'))
    answer = httpx.Response(422, json=_error(words))

    _, outcome = await sent_by(provider, respx_mock, Message("0917 123 4567", "Hi"), answer)

    assert state == outcome.state
