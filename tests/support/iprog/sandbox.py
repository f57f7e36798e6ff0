"""IPROG's part of the sandbox without a server, and with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from attrs import define
from starlette.applications import Starlette
from starlette.routing import Mount

from iprog_async import SmsClient
from iprog_async.sandbox import SandboxState
from iprog_async_providers.iprog import IprogProvider
from iprog_async_providers.iprog._sandbox import GATEWAY, TOKEN
from support.iprog.wire import EAGER, FIVE, Client


BASE_URL = "http://sandbox.test/iprog"


@define
class ClockedState(SandboxState):
    """A sandbox whose time stands still until the test moves it."""

    time: datetime = FIVE

    def now(self) -> datetime:
        """Return the test's time."""
        return self.time

    def later(self, **span: float) -> None:
        """Let time pass, for example `minutes=5`."""
        self.time += timedelta(**span)


@asynccontextmanager
async def sandbox_http(state: SandboxState) -> AsyncGenerator[httpx.AsyncClient, None]:
    """Yield an HTTP client that reaches IPROG's routes and nothing else."""
    app = Starlette(routes=[Mount("/iprog", routes=GATEWAY.routes(state))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as http:
        yield http


@asynccontextmanager
async def sandboxed(
    state: SandboxState, token: str = TOKEN, **settings: Any
) -> AsyncGenerator[Client, None]:
    """Yield a client of IPROG that speaks to the sandbox."""
    provider = IprogProvider(token, base_url=BASE_URL, **settings)
    async with sandbox_http(state) as http, SmsClient(provider, http=http, retry=EAGER) as sms:
        yield sms
