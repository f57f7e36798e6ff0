"""STOP in the shop: from the sandbox's page, over sockets, to the next text that is not sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.inbound.posting import SECRET
from support.inbound.serving import serving
from support.shop import order, until_ended
from support.waiting import LONG

from iprog_async import ConfigurationError
from iprog_async.sandbox import Sandbox
from shop import create_app


# Each serves the shop on a socket.
pytestmark = pytest.mark.slow

NUMBER = "+639171234567"


def failover(sandbox: Sandbox) -> str:
    """Return the address of two gateways, of which the second one tells of incoming texts."""
    first, second = map(sandbox.address, ("iprog", "infopromo"))
    return f"({first} || {second})?region=PH"


@asynccontextmanager
async def serve_shop(sandbox: Sandbox, data: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve the shop, and have the sandbox post to it what phones answer."""
    with serving(create_app(data)) as url:
        sandbox.push_to(f"{url}/sms/{SECRET}")
        try:
            async with httpx.AsyncClient(base_url=url, timeout=LONG) as client:
                yield client
        finally:
            sandbox.push_to(None)


async def answer(sandbox: Sandbox, words: str) -> int:
    """Answer the newest text as the page's form does; return what the shop said to the gateway."""
    serial = sandbox.inbox[-1].serial
    async with httpx.AsyncClient(base_url=sandbox.url, timeout=LONG) as page:
        told = await page.post(f"/_sandbox/texts/{serial}/replies", json={"text": words})
    return int(told.json()["status"])


def person(name: str) -> dict[str, Any]:
    """Return a campaign for one person."""
    return {"text": "Hi {name}", "people": [{"phone": NUMBER, "name": name}]}


async def test_who_answers_stop_is_not_texted_any_more(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an order, a login or a campaign; other words change nothing, and a START undoes it."""
    monkeypatch.setenv("SMS_URL", failover(sandbox))
    monkeypatch.setenv("SHOP_INBOUND_SECRET", SECRET)
    sandbox.set_credit("iprog", 0)
    async with serve_shop(sandbox, tmp_path) as client:
        codes = [(await client.post("/orders", json=order("1", phone=NUMBER))).status_code]
        codes.append(await answer(sandbox, "Is it on its way?"))
        codes.append((await client.post("/orders", json=order("2", phone=NUMBER))).status_code)
        codes.append(await answer(sandbox, "Stop!"))
        texts = len(sandbox.inbox)
        refused = await client.post("/orders", json=order("3", phone=NUMBER))
        code = await client.post("/login/code", json={"phone": NUMBER})
        await client.put("/campaigns/june", json=person("Ann"))
        campaign = await until_ended(client, "june")
        assert texts == len(sandbox.inbox)
        codes.append(await answer(sandbox, "START"))
        codes.append((await client.post("/orders", json=order("3", phone=NUMBER))).status_code)

    assert [201, 200, 201, 200, 200, 201] == codes
    assert (409, 409) == (refused.status_code, code.status_code)
    assert "not sent" == refused.json()["text"]
    assert "asked for no more texts" in refused.json()["title"]
    assert ["not sent"] == [row["text"] for row in campaign["rows"]]


async def test_the_list_outlives_the_shop(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart obeys it, also where nothing is posted to it any more."""
    monkeypatch.setenv("SMS_URL", sandbox.address("infopromo"))
    monkeypatch.setenv("SHOP_INBOUND_SECRET", SECRET)
    async with serve_shop(sandbox, tmp_path) as client:
        await client.post("/orders", json=order("1", phone=NUMBER))
        await answer(sandbox, "STOP")
    monkeypatch.delenv("SHOP_INBOUND_SECRET")
    async with serve_shop(sandbox, tmp_path) as client:
        refused = await client.post("/orders", json=order("2", phone=NUMBER))
        posted = await client.post(f"/sms/{SECRET}", json={})

    assert (409, 404) == (refused.status_code, posted.status_code)


async def test_a_gateway_that_tells_nothing_is_named_at_the_start(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shop that waits for texts that never come would look as if nobody said STOP."""
    monkeypatch.setenv("SHOP_INBOUND_SECRET", SECRET)
    app = create_app(tmp_path)
    with pytest.raises(ConfigurationError, match="iprog tells of no incoming texts"):
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0)
