"""Infopromo's part in the sandbox, reached in process through its adapters."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from iprog_async import SmsClient, provider_from_url
from iprog_async.sandbox import SandboxGateway, SandboxState
from iprog_async_providers.infopromo import InfopromoHttpProvider, InfopromoProvider


BASE_URL = "http://sandbox.invalid/infopromo"
GATEWAYS: dict[str, SandboxGateway] = {
    "v3": InfopromoProvider.sandbox(),
    "http": InfopromoHttpProvider.sandbox(),
}


def http_client(state: SandboxState) -> httpx.AsyncClient:
    """Return a client of a sandbox with this state."""
    gateway = GATEWAYS["v3"]
    app = Starlette(routes=[Mount(f"/{gateway.prefix}", routes=gateway.routes(state))])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE_URL)


def address(flavour: str, **settings: str) -> str:
    """Return the sandbox's own address of a flavour, with further settings."""
    found = GATEWAYS[flavour].address.format(base_url=quote(BASE_URL, safe=""))
    return found + "".join(f"&{key}={quote(value)}" for key, value in settings.items())


@asynccontextmanager
async def sandbox(
    state: SandboxState, flavour: str, **settings: str
) -> AsyncGenerator[SmsClient[Any]]:
    """Open a client of a flavour that speaks to a sandbox with this state."""
    async with http_client(state) as http:
        provider = provider_from_url(address(flavour, **settings))
        async with SmsClient(provider, http=http) as sms:
            yield sms
