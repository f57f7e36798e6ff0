"""What one send costs in CPU time when the network costs nothing: over a null transport."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator

import httpx

from benchmarks._measure import Figure, Timings, race
from benchmarks.server import ONE, TOKEN
from iprog_async import HttpPool, SmsClient
from iprog_async._engines.httpx_engine import TransportEngine
from iprog_async_providers import IprogProvider


_URL = "https://www.iprogsms.com/api/v1/sms_messages"
_JSON = {"api_token": TOKEN, "phone_number": "639171234567", "message": "Hello"}


class _Body(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield ONE


class NullTransport(httpx.AsyncBaseTransport):
    """Answers at once, without a socket."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return an accepted send."""
        return httpx.Response(200, headers=[(b"content-type", b"application/json")], stream=_Body())


class NullEngine(TransportEngine):
    """The default engine, over transports that touch no network."""

    def _transport(self, origin: str) -> httpx.AsyncBaseTransport:
        return NullTransport()


async def measure(messages: int = 2000, rounds: int = 5) -> dict[str, Figure]:
    """Return CPU time per message of the SDK, and of httpx used in the usual ways."""
    client = httpx.AsyncClient(transport=NullTransport())
    pool = HttpPool()
    pool.engine = NullEngine(ssl.create_default_context())
    sms = SmsClient(IprogProvider(TOKEN), pool=pool)

    async def sdk(count: int, timings: Timings) -> None:
        for _ in range(count):
            await sms.send("0917 123 4567", "Hello")

    async def post(count: int, timings: Timings) -> None:
        for _ in range(count):
            (await client.post(_URL, json=_JSON)).json()

    async def send(count: int, timings: Timings) -> None:
        for _ in range(count):
            (await client.send(client.build_request("POST", _URL, json=_JSON))).json()

    async def transport(count: int, timings: Timings) -> None:
        null = NullTransport()
        for _ in range(count):
            answer = await null.handle_async_request(httpx.Request("POST", _URL, json=_JSON))
            await answer.aread()

    figures = await race(
        {
            "iprog-async send": sdk,
            "httpx client.post": post,
            "httpx client.send": send,
            "httpx transport, called directly": transport,
        },
        messages=messages,
        rounds=rounds,
    )
    await pool.aclose()
    await client.aclose()
    return figures


def show(figures: dict[str, Figure]) -> None:
    """Print the table."""
    for name, figure in figures.items():
        print(f"{name:34} {figure.cpu_us:6.1f} us a message")


if __name__ == "__main__":
    show(asyncio.run(measure()))
