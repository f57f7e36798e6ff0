"""What a described gateway's requests look like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from support.acme import ACME, HOST, NOON, TAKEN, acme, sent_by

from iprog_async import (
    InvalidMessageError,
    Message,
    SmsClient,
    UnsupportedError,
)


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
