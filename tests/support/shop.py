"""The shop of the examples, as a client sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from shop import create_app
from support.waiting import LONG


PHONE = "0917 123 4567"


@asynccontextmanager
async def open_shop(data: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """Start the app on its folder, and stop it; the gateway behind it is a real server."""
    app = create_app(data)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
    ):
        yield client


def order(number: str = "42", **changes: str) -> dict[str, str]:
    """Return an order."""
    return {"id": number, "phone": PHONE, "item": "A lamp", **changes}


def campaign(count: int, text: str = "Hi {name}") -> dict[str, Any]:
    """Return a campaign for so many people, each with a text of their own."""
    # The sandbox refuses the number that ends with 0001.
    places = range(100, 100 + count)
    people = [{"phone": f"0917{place:07}", "name": f"Ann{place}"} for place in places]
    return {"text": text, "people": people}


async def until_ended(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """Ask for the progress of a campaign until it is not running any more."""
    async with asyncio.timeout(LONG):
        while True:
            progress: dict[str, Any] = (await client.get(f"/campaigns/{name}")).json()
            if progress["state"] != "running":
                return progress
            await asyncio.sleep(0.01)
