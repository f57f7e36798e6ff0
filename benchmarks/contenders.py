"""The ways of sending single texts that are compared, each as a coroutine that sends one."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

import httpx

from iprog_async import SmsClient
from iprog_async_providers import IprogProvider


Send = Callable[[int], Awaitable[None]]
"""Sends one text to the number made of its argument."""
Contender = Callable[[str, int], AbstractAsyncContextManager[Send]]
"""Opens whatever it needs, for a gateway's address and so many requests at once."""

_PATH = "/api/v1/sms_messages"


def _body(number: int) -> dict[str, str]:
    return {
        "api_token": "benchmark-token",
        "phone_number": f"63917{number:07d}",
        "message": "Hello",
    }


@asynccontextmanager
async def sdk_asyncio(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Open this library with its fast engine."""
    provider = IprogProvider("benchmark-token", base_url=base_url)
    async with SmsClient(provider, max_connections=concurrency, engine="asyncio") as sms:

        async def send(number: int) -> None:
            await sms.send(f"0917{number:07d}", "Hello")

        yield send


@asynccontextmanager
async def sdk_httpx(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Open this library with its default engine."""
    provider = IprogProvider("benchmark-token", base_url=base_url)
    async with SmsClient(provider, max_connections=concurrency) as sms:

        async def send(number: int) -> None:
            await sms.send(f"0917{number:07d}", "Hello")

        yield send


def _limits(connections: int, kept: int) -> httpx.Limits:
    # Kept longer than by default, so that no contender has to connect again in its next turn.
    return httpx.Limits(
        max_connections=connections, max_keepalive_connections=kept, keepalive_expiry=300
    )


@asynccontextmanager
async def bare_httpx(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Open httpx's client with its default limits, less the pool timeout that fails its loop.

    With as many kept connections as requests its pool's scan over the idle ones makes it slower
    still.
    """
    limits = _limits(concurrency, 20)
    timeout = httpx.Timeout(60, pool=None)
    async with httpx.AsyncClient(timeout=timeout, limits=limits) as client:
        yield _poster(client, base_url)


@asynccontextmanager
async def sharded_httpx(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Open clients of ten connections each, as many as it takes."""
    timeout = httpx.Timeout(60, pool=None)
    limits = _limits(10, 10)
    async with AsyncExitStack() as stack:
        senders = [
            _poster(
                await stack.enter_async_context(httpx.AsyncClient(timeout=timeout, limits=limits)),
                base_url,
            )
            for _ in range(-(-concurrency // 10))
        ]

        async def send(number: int) -> None:
            await senders[number % len(senders)](number)

        yield send


@asynccontextmanager
async def httpx_over_aiohttp(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Httpx's client over the transport of the package httpx-aiohttp."""
    from httpx_aiohttp import AiohttpTransport

    limits = _limits(concurrency, concurrency)
    transport = AiohttpTransport(limits=limits)
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(60, pool=None), transport=transport
    ) as client:
        yield _poster(client, base_url)


def _poster(client: httpx.AsyncClient, base_url: str) -> Send:
    async def send(number: int) -> None:
        answer = (await client.post(base_url + _PATH, json=_body(number))).json()
        assert answer["status"] == 200

    return send


@asynccontextmanager
async def bare_aiohttp(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Aiohttp alone: no checks, no retries, no outcomes."""
    import aiohttp

    connector = aiohttp.TCPConnector(limit=concurrency, keepalive_timeout=300)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send(number: int) -> None:
            async with session.post(base_url + _PATH, json=_body(number)) as response:
                answer = await response.json()
            assert answer["status"] == 200

        yield send


@asynccontextmanager
async def twilio(base_url: str, concurrency: int) -> AsyncGenerator[Send]:
    """Open Twilio's asynchronous client, its requests turned to the local gateway."""
    http: Any = import_module("twilio.http.async_http_client").AsyncTwilioHttpClient()
    request = http.request

    async def request_locally(method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        local = base_url + url.removeprefix("https://api.twilio.com")
        return await request(method, local, *args, **kwargs)

    http.request = request_locally
    client: Any = import_module("twilio.rest").Client(
        "AC" + "0" * 32, "benchmark-token", http_client=http
    )
    try:

        async def send(number: int) -> None:
            message = await client.messages.create_async(
                to=f"+63917{number:07d}", from_="+15005550006", body="Hello"
            )
            assert message.sid

        yield send
    finally:
        await http.close()


SDK_FAST = "iprog-async, engine asyncio"
SDK_DEFAULT = "iprog-async, engine httpx"
BARE_HTTPX = "bare httpx"
BARE_AIOHTTP = "bare aiohttp"
TWILIO = "Twilio's async client"

_ALL: dict[str, tuple[Contender, str]] = {
    SDK_FAST: (sdk_asyncio, "httptools"),
    SDK_DEFAULT: (sdk_httpx, "httpx"),
    BARE_AIOHTTP: (bare_aiohttp, "aiohttp"),
    TWILIO: (twilio, "twilio"),
    "httpx over aiohttp": (httpx_over_aiohttp, "httpx_aiohttp"),
    "httpx, sharded": (sharded_httpx, "httpx"),
    BARE_HTTPX: (bare_httpx, "httpx"),
}


def missing() -> list[str]:
    """Return the contenders whose packages are not there."""
    return [name for name in _ALL if name not in installed()]


def installed() -> dict[str, Contender]:
    """Return the contenders whose packages are there; `iprog-async[bench]` has them all."""
    return {
        name: contender
        for name, (contender, module) in _ALL.items()
        if importlib.util.find_spec(module) is not None
    }
