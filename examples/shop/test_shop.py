"""How to test an app that texts: in memory, and against a local gateway."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from iprog_async import InsufficientCreditError
from iprog_async.sandbox import Sandbox
from iprog_async.testing import SmsOutbox
from shop import create_app


ORDER = {"id": "42", "phone": "0917 123 4567", "item": "A lamp"}


@asynccontextmanager
async def running_app(data: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Start the app without a server, and give a client to it."""
    app = create_app(data)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client,
    ):
        yield client


async def test_an_order_is_confirmed(sms_outbox: SmsOutbox, tmp_path: Path) -> None:
    """The customer gets one text, though the request came twice."""
    async with running_app(tmp_path) as client:
        await client.post("/orders", json=ORDER)
        await client.post("/orders", json=ORDER)

    assert 1 == len(sms_outbox.messages)
    assert "A lamp" in sms_outbox.last.text


async def test_a_lost_answer_is_not_tried_again(sms_outbox: SmsOutbox, tmp_path: Path) -> None:
    """The caller is told that the text may be out."""
    sms_outbox.lose()
    async with running_app(tmp_path) as client:
        answer = await client.post("/orders", json=ORDER)

    assert (202, "unknown") == (answer.status_code, answer.json()["text"])
    assert 1 == len(sms_outbox.messages)


async def test_no_credit_is_told_as_later(sms_outbox: SmsOutbox, tmp_path: Path) -> None:
    """The caller hears nothing of our account."""
    sms_outbox.refuse(InsufficientCreditError)
    async with running_app(tmp_path) as client:
        answer = await client.post("/orders", json=ORDER)

    assert (503, "not sent") == (answer.status_code, answer.json()["text"])
    assert "credit" not in answer.text


@pytest.mark.parametrize(
    ("gateway", "phone"),
    [("iprog", "0917 123 4567"), ("infopromo", "+639171234567"), ("ugsms-v1", "0772 123 456")],
)
async def test_the_code_that_was_texted_logs_in(
    sms_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gateway: str, phone: str
) -> None:
    """The code is the shop's own, so that it comes through any gateway, and lets in once."""
    monkeypatch.setenv("SMS_URL", sms_sandbox.address(gateway))
    async with running_app(tmp_path) as client:
        assert [204, 401] == await log_in_twice(client, sms_sandbox, phone)


async def test_the_code_of_the_second_gateway_logs_in(
    sms_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a failover nobody notices that the first gateway has no credit."""
    sms_sandbox.set_credit("iprog", 0)
    first, second = map(sms_sandbox.address, ("iprog", "infopromo"))
    monkeypatch.setenv("SMS_URL", f"({first} || {second})?region=PH")
    async with running_app(tmp_path) as client:
        assert [204, 401] == await log_in_twice(client, sms_sandbox, "0917 123 4567")
    assert ["infopromo"] == [text.gateway for text in sms_sandbox.inbox]


async def log_in_twice(client: httpx.AsyncClient, sandbox: Sandbox, phone: str) -> list[int]:
    """Ask for a code, and type it two times."""
    await client.post("/login/code", json={"phone": phone})
    attempt = {"phone": phone, "code": sandbox.inbox[-1].text.split()[-1]}
    return [(await client.post("/login", json=attempt)).status_code for _ in range(2)]


async def test_the_next_code_waits_a_minute(sms_outbox: SmsOutbox, tmp_path: Path) -> None:
    """Whoever asks again at once is told when to, and costs nothing."""
    async with running_app(tmp_path) as client:
        phone = {"phone": "0917 123 4567"}
        answers = [await client.post("/login/code", json=phone) for _ in range(2)]

    assert [202, 429] == [answer.status_code for answer in answers]
    assert 0 < int(answers[1].headers["Retry-After"]) <= 60
    assert 1 == len(sms_outbox.messages)
