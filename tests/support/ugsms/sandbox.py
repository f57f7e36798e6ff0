"""UGSMS's adapters against the gateway that the sandbox plays, without a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
from attrs import define, field
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from iprog_async import RetryPolicy, SmsClient, provider_from_url
from iprog_async.sandbox import SandboxGateway, SandboxState
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


BASE_URL = "http://sandbox/ugsms"


@define
class TickingState(SandboxState):
    """A sandbox whose time passes only when told to."""

    time: datetime = field(default=datetime(2026, 1, 1, tzinfo=UTC), kw_only=True)

    def now(self) -> datetime:
        """Return the sandbox's own time."""
        return self.time

    def pass_time(self, **span: float) -> None:
        """Let time pass."""
        self.time += timedelta(**span)


def _address(gateway: SandboxGateway, settings: str) -> str:
    return gateway.address.format(base_url=quote(BASE_URL, safe="")) + settings


def sandbox_v1(settings: str = "") -> UgsmsV1Provider:
    """Return the v1 provider that the sandbox's address means."""
    provider = provider_from_url(_address(UgsmsV1Provider.sandbox(), settings))
    assert isinstance(provider, UgsmsV1Provider)
    return provider


def sandbox_v2(settings: str = "") -> UgsmsV2Provider:
    """Return the v2 provider that the sandbox's address means."""
    provider = provider_from_url(_address(UgsmsV2Provider.sandbox(), settings))
    assert isinstance(provider, UgsmsV2Provider)
    return provider


def transport(routes: Sequence[BaseRoute]) -> httpx.ASGITransport:
    """Return a way to the routes, mounted as the sandbox does."""
    return httpx.ASGITransport(Starlette(routes=[Mount("/ugsms", routes=list(routes))]))


@asynccontextmanager
async def open_http(routes: Sequence[BaseRoute]) -> AsyncGenerator[httpx.AsyncClient]:
    """Open an HTTP client that reaches the routes alone."""
    async with httpx.AsyncClient(transport=transport(routes), base_url=BASE_URL) as http:
        yield http


def connect(provider: Any, http: httpx.AsyncClient, **settings: Any) -> SmsClient[Any]:
    """Return a client over the routes; it tries once."""
    return SmsClient(provider, http=http, retry=RetryPolicy.off(), **settings)
