"""What a described gateway's requests look like, and what its answers prove."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support.contract.toml import FILES

from iprog_async import (
    InvalidMessageError,
    Message,
    Outcome,
    RejectedError,
    SmsClient,
    UnsupportedError,
)
from iprog_async_providers import HttpProvider


ACME = (FILES / "acme.toml").read_text(encoding="utf-8")
HOST = "https://sms.acme.example"
TAKEN = {"state": "queued", "data": {"id": 17, "price": "0.50"}}
NOON = datetime(2030, 1, 1, 12, 0, 30, tzinfo=UTC)


def acme(tmp_path: Path, *changes: tuple[str, str], **settings: Any) -> HttpProvider:
    """Return the provider of Acme's file with some lines changed."""
    text = ACME
    for line, instead in changes:
        assert line in text
        text = text.replace(line, instead, 1)
    path = tmp_path / "acme.toml"
    path.write_text(text, encoding="utf-8")
    environ = {"ACME_SMS_KEY": "k3y-k3y", "ACME_USER": "shop-user"}
    return HttpProvider.from_toml(path, environ=environ, **settings)


async def sent_by(
    provider: HttpProvider, mock: respx.MockRouter, message: Message, answer: httpx.Response
) -> tuple[httpx.Request, Outcome]:
    """Send a text; return the request and what came of it."""
    route = mock.route(host="sms.acme.example").mock(return_value=answer)
    async with SmsClient(provider) as sms:
        (outcome,) = await sms.provider.submit([sms.provider.prepare(message)])
    return route.calls.last.request, outcome


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        ((), {"type": "plain", "to": "639171234567", "text": "Hi", "from": "SHOP"}),
        (
            (
                ('number = "to"', 'number = "/messages/0/to/0"'),
                ('text = "text"', 'text = "/messages/0/text"'),
            ),
            {"type": "plain", "messages": [{"to": ["639171234567"], "text": "Hi"}], "from": "SHOP"},
        ),
        (
            (('"digits"', '"national"'), ("type = ", '"/options/type" = ')),
            {"options": {"type": "plain"}, "to": "09171234567", "text": "Hi", "from": "SHOP"},
        ),
        (
            (('number_format = "digits"\n', ""),),
            {"type": "plain", "to": "+639171234567", "text": "Hi", "from": "SHOP"},
        ),
    ],
    ids=["names", "pointers", "national", "E.164"],
)
async def test_json_is_as_the_file_says(
    tmp_path: Path,
    respx_mock: respx.MockRouter,
    lines: tuple[tuple[str, str], ...],
    body: dict[str, Any],
) -> None:
    """Number, text and sender stand where the file puts them."""
    message = Message("0917 123 4567", "Hi", sender_id="SHOP")

    request, outcome = await sent_by(
        acme(tmp_path, *lines), respx_mock, message, httpx.Response(201, json=TAKEN)
    )

    assert ("POST", "/v1/texts") == (request.method, request.url.path)
    assert body == json.loads(request.content)
    assert "Bearer k3y-k3y" == request.headers["authorization"]
    assert outcome.state == "accepted"
    assert ("17", "0.50") == (outcome.receipt.message_id, str(outcome.receipt.cost))


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ('headers = { X-Key = "$ACME_SMS_KEY" }', "x-key", "k3y-k3y"),
        ('headers = { Authorization = "App $ACME_SMS_KEY" }', "authorization", "App k3y-k3y"),
        ('basic = "$ACME_USER:$ACME_SMS_KEY"', "authorization", "Basic c2hvcC11c2VyOmszeS1rM3k="),
    ],
)
async def test_credentials_travel_in_header_fields(
    tmp_path: Path, respx_mock: respx.MockRouter, auth: str, header: str, value: str
) -> None:
    """As any field, or as user name and password."""
    provider = acme(tmp_path, ('bearer = "$ACME_SMS_KEY"', auth))

    request, _ = await sent_by(
        provider, respx_mock, Message("0917 123 4567", "Hi"), httpx.Response(201, json=TAKEN)
    )

    assert value == request.headers[header]


@pytest.mark.parametrize(
    ("body", "auth", "query", "content"),
    [
        ("json", "query", "key=k3y-k3y", b'{"type":"plain","to":"639171234567","text":"Hi"}'),
        ("json", "fields", "", b'{"type":"plain","to":"639171234567","text":"Hi","key":"k3y-k3y"}'),
        ("form", "fields", "", b"type=plain&to=639171234567&text=Hi&key=k3y-k3y"),
        ("query", "fields", "type=plain&to=639171234567&text=Hi&key=k3y-k3y", b""),
        ("query", "query", "type=plain&to=639171234567&text=Hi&key=k3y-k3y", b""),
    ],
)
async def test_credentials_travel_in_body_and_query(
    tmp_path: Path,
    respx_mock: respx.MockRouter,
    body: str,
    auth: str,
    query: str,
    content: bytes,
) -> None:
    """Beside the text, or in the query of every request."""
    provider = acme(
        tmp_path,
        ('bearer = "$ACME_SMS_KEY"', f'{auth} = {{ key = "$ACME_SMS_KEY" }}'),
        ('text = "text"', f'text = "text"\nbody = "{body}"'),
    )

    request, _ = await sent_by(
        provider, respx_mock, Message("0917 123 4567", "Hi"), httpx.Response(201, json=TAKEN)
    )

    assert (query, content) == (request.url.query.decode(), request.content)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ('"at"', "2030-01-01T12:00:30+00:00"),
        ('"at", timezone = "Asia/Manila"', "2030-01-01T20:00:30+08:00"),
        ('"at", format = "unix"', 1893499230),
        (
            '"at", format = "%d.%m.%Y %H:%M", timezone = "Asia/Manila"',
            # The gateway keeps minutes, and no text leaves too early.
            "01.01.2030 20:01",
        ),
    ],
)
async def test_times_are_written_as_the_file_says(
    tmp_path: Path, respx_mock: respx.MockRouter, form: str, value: object
) -> None:
    """A time reaches the gateway in its form, and never too early."""
    provider = acme(tmp_path, ('text = "text"', f'text = "text"\nschedule = {{ field = {form} }}'))
    message = Message("0917 123 4567", "Hi", schedule_at=NOON)

    request, outcome = await sent_by(provider, respx_mock, message, httpx.Response(201, json=TAKEN))

    assert value == json.loads(request.content)["at"]
    assert outcome.state == "accepted"
    assert outcome.receipt.scheduled


@pytest.mark.parametrize(
    ("line", "message", "error", "words"),
    [
        ("", Message("0917 123 4567", "Hi", schedule_at=NOON), UnsupportedError, "scheduling"),
        (
            'sender = "from"\n',
            Message("0917 123 4567", "Hi", "X"),
            UnsupportedError,
            "no sender ID",
        ),
        ("", Message("0917 123 4567", "x" * 161), InvalidMessageError, "takes 160 characters"),
        ("", Message("0917 123 4567", "₱" * 80), InvalidMessageError, "takes 1 segments"),
        ("", Message("0917 123 4567", "Hi", "LONGER"), InvalidMessageError, "of a sender ID"),
        ("", Message("+63 2 8123 4567", "Hi"), InvalidMessageError, "landline"),
    ],
)
def test_what_the_gateway_does_not_take_is_refused_before_any_network(
    tmp_path: Path, line: str, message: Message, error: type[Exception], words: str
) -> None:
    """What a caller asks for is done or refused, never dropped."""
    limits = "[limits]\ncharacters = 160\nsegments = 1\nsender_characters = 5\n\n[accepted]"
    provider = acme(tmp_path, (line, ""), ("[accepted]", limits))

    with pytest.raises(error, match=words):
        provider.prepare(message)


def test_a_foreign_number_has_no_national_form(tmp_path: Path) -> None:
    """A gateway that takes national numbers is told no other: it would text a stranger."""
    provider = acme(tmp_path, ('"digits"', '"national"'))

    with pytest.raises(InvalidMessageError, match="not one of PH"):
        provider.prepare(Message("+256701234567", "Hi"))


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


async def test_balance_and_status_are_read_where_the_file_says(
    tmp_path: Path, respx_mock: respx.MockRouter
) -> None:
    """The id travels percent-encoded, and a word that is not declared is no state."""
    credit = respx_mock.get(f"{HOST}/v1/credit").respond(json={"credit": "1,012.50"})
    texts = respx_mock.get(url__regex=r".*/v1/texts/.*").respond(json={"state": "expired"})

    async with SmsClient(acme(tmp_path)) as sms:
        balance = await sms.balance()
        failed = await sms.status("acme:a/b")
        texts.respond(json={"state": "lost"})
        lost = await sms.status("acme:a/b")

    assert ("1012.50", "PHP") == (str(balance.amount), balance.unit)
    assert ("failed", "unknown") == (failed.state, lost.state)
    assert "/v1/texts/a%2Fb" == texts.calls.last.request.url.raw_path.decode()
    assert "Bearer k3y-k3y" == credit.calls.last.request.headers["authorization"]


async def test_what_the_file_does_not_describe_is_unsupported(tmp_path: Path) -> None:
    """A gateway without balance and status says so, and asks nothing."""
    provider = acme(tmp_path, (ACME[ACME.index("[balance]") :], ""))

    async with SmsClient(provider) as sms:
        with pytest.raises(UnsupportedError, match="balance"):
            await sms.balance()
        with pytest.raises(UnsupportedError, match="status"):
            await sms.status("acme:1")
