"""Raw answers for the engines, and clients that try once."""

from __future__ import annotations

import asyncio
import os
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from iprog_async import RetryPolicy, SmsClient, SmsError
from iprog_async.testing import Behaviour, RawRequest, Reply
from iprog_async_providers.iprog import IprogProvider


EngineName = Literal["httpx", "asyncio"]

NUMBER = "+639171234567"
TOKEN = "1|secret/token+value"
BOTH: tuple[EngineName, ...] = ("httpx", "asyncio")

BODY = b'{"status":200,"message_id":"iSms-1"}'
OK = Reply(200, BODY)
HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)


def whole(number: int) -> bytes:
    """Return an answer that accepts a text under an id of its own."""
    body = b'{"status":200,"message_id":"iSms-%d"}' % number
    return HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body


def raw(*pieces: bytes, stays: bool = True, gap: float = 0.01) -> Behaviour:
    """Answer with these bytes, piece by piece.

    Args:
        pieces: What is written; between two of them some time passes.
        stays: Whether the connection stays open.
        gap: Seconds between two pieces.
    """

    async def play(_: RawRequest, writer: StreamWriter) -> bool:
        for position, piece in enumerate(pieces):
            if position:
                await asyncio.sleep(gap)
            writer.write(piece)
            await writer.drain()
        return stays

    return Behaviour("raw", play)


Serve = Callable[[StreamReader, StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def server(
    serve: Serve, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncGenerator[str]:
    """Serve connections in ways that a `RawGateway` has no word for; yields the address.

    Args:
        serve: Deals with one connection, which is aborted after it.
        host: Where to listen.
        tls: Certificate to serve with; plain if `None`.
    """
    tasks: set[asyncio.Task[None]] = set()

    async def deal(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    def connected(reader: StreamReader, writer: StreamWriter) -> None:
        tasks.add(asyncio.create_task(deal(reader, writer)))

    listening = await asyncio.start_server(connected, host, 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"{'http' if tls is None else 'https'}://{shown}:{port}"
    finally:
        listening.close()
        # What was accepted and has no task yet gets one.
        for _ in range(5):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()


def client_of(
    base_url: str, engine: EngineName | None, **settings: Any
) -> SmsClient[IprogProvider]:
    """Return a client that tries once and does not wait long; with `pool=` it has no engine."""
    provider = IprogProvider(TOKEN, base_url=base_url)
    settings = {"timeout": 30.0, "retry": RetryPolicy.off(), **settings}
    return SmsClient(provider, engine=engine, **settings)


async def outcome(client: SmsClient[IprogProvider], text: str = "Hi") -> str:
    """Return the message id of a text, or the name of the error it met."""
    try:
        return str((await client.send(NUMBER, text)).message_id)
    except SmsError as exc:
        return type(exc).__name__


def open_files() -> set[str]:
    """Return what the file descriptors of this process lead to; pytest.skips without /proc."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not list the open files of a process")
    found: set[str] = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            # The one that listed them.
            continue
    return found


async def left_open(before: set[str]) -> set[str]:
    """Return what is open beyond `before`, once the loop has closed what it can."""
    for _ in range(20):
        await asyncio.sleep(0)
    return open_files() - before
