"""From the sandbox's page to the app: somebody answers STOP, and is not texted any more."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from support.inbound.posting import SECRET
from support.inbound.serving import serving
from support.sandbox_toy import fetch

from iprog_async import (
    Allow,
    Inbound,
    Message,
    Outgoing,
    SmsClient,
    SuppressedError,
    Suppressions,
)
from iprog_async.inbound import Confirmation, InboundApp, ReceivedCursor
from iprog_async.sandbox import Sandbox
from iprog_async_providers.infopromo import InfopromoProvider


NUMBER = "+2348012345678"


@pytest.fixture
def sandbox() -> Any:
    """Run a sandbox."""
    with Sandbox() as running:
        yield running


def answer_on_page(sandbox: Sandbox, words: str, serial: int = 1) -> dict[str, Any]:
    """Answer a text as the page's form does."""
    url = f"{sandbox.url}/_sandbox/texts/{serial}/replies"
    found = fetch("POST", url, json={"text": words})
    assert 201 == found.status_code
    return dict(found.json())


async def test_stop_by_the_page(sandbox: Sandbox, tmp_path: Path) -> None:
    """After a STOP by the page the next send raises before any network; a START undoes it."""
    suppressions = Suppressions.open(tmp_path / "stop.db")
    provider = InfopromoProvider("1|token")
    app = InboundApp(provider, secret=SECRET, suppressions=suppressions)
    client = SmsClient.from_url(sandbox.address("infopromo"), suppressions=suppressions)
    with serving(Starlette(routes=[Mount("/sms", app)])) as url, suppressions:
        async with client as sms:
            sandbox.push_to(f"{url}/sms/{SECRET}")
            await sms.send(NUMBER, "Your parcel has shipped")
            told = await asyncio.to_thread(answer_on_page, sandbox, "Stop!")
            assert {"pushed_to": f"{url}/…", "status": 200} == told
            requests = len(sandbox.inbox)
            sandbox.push_to(None)
            with pytest.raises(SuppressedError) as caught:
                await sms.send(NUMBER, "Your parcel has arrived")
            assert (NUMBER, requests) == (caught.value.number, len(sandbox.inbox))
            sandbox.push_to(f"{url}/sms/{SECRET}")
            assert 200 == await asyncio.to_thread(sandbox.reply, sandbox.inbox[0], "START")
            await sms.send(NUMBER, "Welcome back")


async def test_stop_by_the_page_while_a_run_goes_on(sandbox: Sandbox, tmp_path: Path) -> None:
    """A run that was begun before skips the number from then on, though the row was read."""
    suppressions = Suppressions.open(tmp_path / "stop.db")
    app = InboundApp(InfopromoProvider("1|token"), secret=SECRET, suppressions=suppressions)
    others = [f"+23480123456{last}" for last in (10, 11)]
    is_at_second, go_on = asyncio.Event(), asyncio.Event()

    async def hold(text: Outgoing) -> Allow:
        if text.number == others[1]:
            is_at_second.set()
            await go_on.wait()
        return Allow()

    client = SmsClient.from_url(
        sandbox.address("infopromo"), suppressions=suppressions, policies=[hold]
    )
    messages = [Message(to, f"Sale for {to}") for to in (*others, NUMBER)]
    with serving(app) as url, suppressions:
        async with client as sms:
            sandbox.push_to(f"{url}/{SECRET}")
            await sms.send(NUMBER, "Your parcel has shipped")
            async with sms.send_many(messages, concurrency=1) as run:
                reading = asyncio.create_task(run.drain())
                await is_at_second.wait()
                await asyncio.to_thread(answer_on_page, sandbox, "STOP")
                go_on.set()
                counts = await reading

    assert (2, 1) == (counts.accepted, counts.not_sent)
    assert [NUMBER[1:], *(to[1:] for to in others)] == [text.to for text in sandbox.inbox]


async def test_nothing_travels_for_a_suppressed_number(tmp_path: Path) -> None:
    """With no gateway to be reached at all, a suppressed number is refused as suppressed."""
    with Suppressions.open(tmp_path / "stop.txt") as suppressions:
        await suppressions.add(NUMBER)
        provider = InfopromoProvider("1|token", base_url="http://127.0.0.1:9", sender_id="Shop")
        async with SmsClient(provider, suppressions=suppressions) as sms:
            with pytest.raises(SuppressedError):
                await sms.send(NUMBER, "Hi")


async def test_stop_is_confirmed_once(sandbox: Sandbox, tmp_path: Path) -> None:
    """Who asks to be left alone is told so, once a day at most, and gets nothing else."""
    provider = InfopromoProvider("1|token")
    async with SmsClient.from_url(sandbox.address("infopromo")) as confirming:
        await confirming.send(NUMBER, "Sale!")
        with Suppressions.open(tmp_path / "stop.db") as suppressions:
            confirmation = Confirmation(client=confirming, stopped="No more texts from us.")
            app = InboundApp(
                provider, secret=SECRET, suppressions=suppressions, confirmation=confirmation
            )
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://app") as gateway:
                for words in ("STOP", "START", "stop", "Unsubscribe"):
                    fields = {"to": "Shop", "from": NUMBER, "content": words}
                    assert 200 == (await gateway.post(f"/{SECRET}", json=fields)).status_code
            app.close()
    assert ["Sale!", "No more texts from us."] == [text.text for text in sandbox.inbox]


async def test_list_of_received_texts(sandbox: Sandbox) -> None:
    """What was received is read once, oldest first, and goes on where it was left."""
    sandbox.push_to(None)
    async with SmsClient.from_url(sandbox.address("infopromo")) as sms:
        await sms.send(NUMBER, "How was it?")
        for words in ("Good", "Bad", "STOP"):
            assert await asyncio.to_thread(sandbox.reply, sandbox.inbox[0], words) is None
        cursor = ReceivedCursor()
        async for first in sms.provider.received(cursor):
            assert (NUMBER, "infopromo", "Good") == (first.sender, first.gateway, first.text)
            break
        cursor = ReceivedCursor.load(cursor.dump())
        again = [inbound async for inbound in sms.provider.received(cursor)]
        assert ["Good", "Bad", "STOP"] == [inbound.text for inbound in again]
        assert all(inbound.id and inbound.received_at for inbound in again)
        cursor = ReceivedCursor.load(cursor.dump())
        await asyncio.to_thread(sandbox.reply, sandbox.inbox[0], "Start")
        new: list[Inbound] = [inbound async for inbound in sms.provider.received(cursor)]
        assert ["Start"] == [inbound.text for inbound in new]
        assert [] == [inbound async for inbound in sms.provider.received(cursor)]


def test_server_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """What uvicorn logs of each request hides the secret."""
    caplog.set_level(logging.INFO, "uvicorn.access")
    app = InboundApp(InfopromoProvider("1|token"), print, secret=SECRET)
    with serving(Starlette(routes=[Mount("/sms", app)]), access_log=True) as url:
        fields = {"from": NUMBER, "content": "Hi"}
        assert 200 == fetch("POST", f"{url}/sms/{SECRET}", json=fields).status_code
    assert "POST /sms/___ HTTP/1.1" in caplog.text
    assert SECRET not in caplog.text
