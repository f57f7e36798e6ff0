"""The ways of sending texts that are compared, each as a coroutine that sends so many of them."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any, Literal

import httpx

from benchmarks._floor import AsyncioAlone
from benchmarks._gateway import Gateway
from benchmarks._measure import Run, Timings, fan_out
from benchmarks.server import TOKEN
from iprog_async import Message, SmsClient
from iprog_async_providers import IprogProvider


Send = Callable[[int], Awaitable[object]]
"""Sends one text to the number made of its argument."""
Contender = Callable[[Gateway, int], AbstractAsyncContextManager[Run]]
"""Opens whatever it needs, for a gateway and so many requests at once."""

_PATH = "/api/v1/sms_messages"


def text(number: int) -> str:
    """Return what one person is told; everybody is told something else."""
    return f"Hi {number}, your parcel of June is at the office. Come before Friday, please."


def open_client(
    gateway: Gateway, connections: int = 100, engine: Literal["httpx", "asyncio"] = "asyncio"
) -> SmsClient[IprogProvider]:
    """Return this library's client."""
    provider = IprogProvider(TOKEN, base_url=gateway.base_url)
    return SmsClient(
        provider, engine=engine, max_connections=connections, verify=gateway.trust or True
    )


def _body(number: int) -> dict[str, str]:
    return {"api_token": TOKEN, "phone_number": f"63917{number:07d}", "message": text(number)}


def _singly(send: Send, concurrency: int) -> Run:
    async def run(count: int, timings: Timings) -> None:
        await fan_out(send, count, concurrency, timings)

    return run


def _single_sends(sms: SmsClient[IprogProvider]) -> Send:
    async def send(number: int) -> None:
        await sms.send(f"0917{number:07d}", text(number))

    return send


@asynccontextmanager
async def sdk_asyncio(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open this library with its fast engine."""
    async with open_client(gateway, concurrency) as sms:
        yield _singly(_single_sends(sms), concurrency)


@asynccontextmanager
async def sdk_httpx(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open this library with its default engine."""
    async with open_client(gateway, concurrency, "httpx") as sms:
        yield _singly(_single_sends(sms), concurrency)


@asynccontextmanager
async def sdk_bulk(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open this library with its fast engine, for a run of `send_many`."""
    async with open_client(gateway, concurrency) as sms:

        async def run(count: int, _: Timings) -> None:
            messages = (Message(f"0917{number:07d}", text(number)) for number in range(count))
            async with sms.send_many(messages, concurrency=concurrency) as sending:
                assert (await sending.drain()).accepted == count

        yield run


def _limits(connections: int, kept: int) -> httpx.Limits:
    # Kept longer than by default, so that no contender has to connect again in its next turn.
    return httpx.Limits(
        max_connections=connections, max_keepalive_connections=kept, keepalive_expiry=300
    )


def _httpx_client(gateway: Gateway, limits: httpx.Limits) -> httpx.AsyncClient:
    # Less the pool timeout, which fails its loop.
    timeout = httpx.Timeout(60, pool=None)
    return httpx.AsyncClient(timeout=timeout, limits=limits, verify=gateway.trust or True)


@asynccontextmanager
async def bare_httpx(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open httpx's client with its default limits.

    With as many kept connections as requests its pool's scan over the idle ones makes it slower
    still.
    """
    async with _httpx_client(gateway, _limits(concurrency, 20)) as client:
        yield _singly(_poster(client, gateway), concurrency)


@asynccontextmanager
async def sharded_httpx(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open clients of ten connections each, as many as it takes."""
    async with AsyncExitStack() as stack:
        clients = [_httpx_client(gateway, _limits(10, 10)) for _ in range(-(-concurrency // 10))]
        senders = [_poster(await stack.enter_async_context(client), gateway) for client in clients]

        async def send(number: int) -> None:
            await senders[number % len(senders)](number)

        yield _singly(send, concurrency)


@asynccontextmanager
async def httpx_over_aiohttp(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Httpx's client over the transport of the package httpx-aiohttp."""
    from httpx_aiohttp import AiohttpTransport

    limits = _limits(concurrency, concurrency)
    transport = AiohttpTransport(limits=limits, verify=gateway.trust or True)
    async with httpx.AsyncClient(
        timeout=httpx.Timeout(60, pool=None), transport=transport
    ) as client:
        yield _singly(_poster(client, gateway), concurrency)


def _poster(client: httpx.AsyncClient, gateway: Gateway) -> Send:
    async def send(number: int) -> None:
        answer = (await client.post(gateway.base_url + _PATH, json=_body(number))).json()
        assert answer["status"] == 200

    return send


def _aiohttp_session(gateway: Gateway, concurrency: int) -> Any:
    aiohttp: Any = import_module("aiohttp")
    connector = aiohttp.TCPConnector(
        limit=concurrency, keepalive_timeout=300, ssl=gateway.trust or True
    )
    return aiohttp.ClientSession(connector=connector)


@asynccontextmanager
async def bare_aiohttp(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Aiohttp alone: no checks, no retries, no outcomes."""
    async with _aiohttp_session(gateway, concurrency) as session:

        async def send(number: int) -> None:
            async with session.post(gateway.base_url + _PATH, json=_body(number)) as response:
                answer = await response.json()
            assert answer["status"] == 200

        yield _singly(send, concurrency)


@asynccontextmanager
async def twilio(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open Twilio's asynchronous client, its requests turned to the local gateway."""
    http: Any = import_module("twilio.http.async_http_client").AsyncTwilioHttpClient(
        pool_connections=False
    )
    http.session = _aiohttp_session(gateway, concurrency)
    request = http.request

    async def request_locally(method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        local = gateway.base_url + url.removeprefix("https://api.twilio.com")
        return await request(method, local, *args, **kwargs)

    http.request = request_locally
    client: Any = import_module("twilio.rest").Client("AC" + "0" * 32, TOKEN, http_client=http)
    try:

        async def send(number: int) -> None:
            message = await client.messages.create_async(
                to=f"+63917{number:07d}", from_="+15005550006", body=text(number)
            )
            assert message.sid

        yield _singly(send, concurrency)
    finally:
        await http.close()


@asynccontextmanager
async def asyncio_alone(gateway: Gateway, concurrency: int) -> AsyncGenerator[Run]:
    """Open what is no client at all, and shows what Python itself costs."""
    alone = AsyncioAlone(gateway)
    try:
        yield _singly(alone.send, concurrency)
    finally:
        await alone.aclose()


SDK_FAST = "iprog-async, engine asyncio"
SDK_BULK = "iprog-async, `send_many`"
SDK_DEFAULT = "iprog-async, engine httpx"
BARE_HTTPX = "bare httpx"
BARE_AIOHTTP = "bare aiohttp"
TWILIO = "Twilio's async client"
FLOOR = "asyncio alone, no client"

_ALL: dict[str, tuple[Contender, str]] = {
    SDK_FAST: (sdk_asyncio, "httptools"),
    SDK_BULK: (sdk_bulk, "httptools"),
    SDK_DEFAULT: (sdk_httpx, "httpx"),
    BARE_AIOHTTP: (bare_aiohttp, "aiohttp"),
    TWILIO: (twilio, "twilio"),
    "httpx over aiohttp": (httpx_over_aiohttp, "httpx_aiohttp"),
    "httpx, sharded": (sharded_httpx, "httpx"),
    BARE_HTTPX: (bare_httpx, "httpx"),
    FLOOR: (asyncio_alone, "asyncio"),
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
