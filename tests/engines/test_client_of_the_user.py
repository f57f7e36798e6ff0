from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from asyncio import StreamWriter
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
from support.engines.wire import NUMBER, client_of, outcome, raw, whole
from support.waiting import LONG

from iprog_async import (
    ClientClosedError,
    ConnectionFailedError,
    OutcomeUnknownError,
    ProviderError,
    RetryPolicy,
    SmsError,
)
from iprog_async.testing import Behaviour, RawGateway, RawRequest


# It is not needed here, and reading certificates for each client would take longer than a test.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
EAGER = RetryPolicy(attempts=3, base=0)
SILENT = raw(b"", stays=False)
TOKEN = b'{"status":500,"message":"Invalid Token"}'
REFUSED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(TOKEN), TOKEN)
LIMITED = b"HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"


class ByHand(httpx.AsyncBaseTransport):
    """A transport that httpx knows nothing of, and that calls a lost answer by another name.

    httpx-aiohttp does so with `httpx.ConnectTimeout`.
    """

    def __init__(self, error: type[httpx.TransportError]) -> None:
        self._error = error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Write the request, and fail."""
        reader, writer = await asyncio.open_connection(request.url.host, request.url.port)
        body = await request.aread()
        writer.write(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await reader.read()
        writer.close()
        raise self._error("lost")


class OnTop(httpx.AsyncHTTPTransport):
    """One that builds upon httpx's, and goes its own way."""

    def __init__(self, error: type[httpx.TransportError]) -> None:
        super().__init__(verify=TLS)
        self._by_hand = ByHand(error)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do without what it builds upon."""
        return await self._by_hand.handle_async_request(request)


class AnotherWay(OnTop):
    """One that looks for another way after it could not connect."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Fail to connect through httpcore, and write without it."""
        with suppress(httpx.ConnectError):
            await self._fail_to_connect(request)
        return await super().handle_async_request(request)

    async def _fail_to_connect(self, request: httpx.Request) -> None:
        with _nowhere() as url:
            away = httpx.Request("POST", url, extensions=request.extensions)
            await httpx.AsyncHTTPTransport.handle_async_request(self, away)


class TellingOfTheFirst(AnotherWay):
    """One that, where the other way fails too, tells of the first."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raise what httpcore raised, after something was written without it."""
        try:
            await self._fail_to_connect(request)
        except httpx.ConnectError:
            with suppress(httpx.TransportError):
                await self._by_hand.handle_async_request(request)
            raise
        raise AssertionError


class Impatient(OnTop):
    """One that gives up connecting, and goes another way."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Cancel httpcore while it connects."""
        await request.extensions["trace"](
            "connection.connect_tcp.failed", {"exception": asyncio.CancelledError()}
        )
        return await self._by_hand.handle_async_request(request)


class Overriding(httpx.AsyncClient):
    """A client that sends in a way of its own."""

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        """Write by hand."""
        return await ByHand(httpx.ConnectError).handle_async_request(request)


@contextmanager
def _nowhere() -> Generator[str]:
    """Yield an address at which nothing listens; it is kept, so that nobody else takes it."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


Error = type[httpx.TransportError]
Make = Callable[[Error], httpx.AsyncClient]
CLIENTS: dict[str, Make] = {
    "transport": lambda error: httpx.AsyncClient(verify=TLS, transport=ByHand(error)),
    "mount": lambda error: httpx.AsyncClient(verify=TLS, mounts={"all://": ByHand(error)}),
    "on top": lambda error: httpx.AsyncClient(verify=TLS, transport=OnTop(error)),
    "another way": lambda error: httpx.AsyncClient(verify=TLS, transport=AnotherWay(error)),
    "telling of the first": lambda error: httpx.AsyncClient(
        verify=TLS, transport=TellingOfTheFirst(error)
    ),
    "impatient": lambda error: httpx.AsyncClient(verify=TLS, transport=Impatient(error)),
    "overriding": lambda _: Overriding(verify=TLS),
}


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectTimeout, httpx.ConnectError, httpx.PoolTimeout, httpx.UnsupportedProtocol],
)
@pytest.mark.parametrize("name", CLIENTS)
async def test_what_others_call_a_failed_connection_is_no_proof(name: str, error: Error) -> None:
    """The gateway may have read the request: it is asked once, and the outcome is unknown."""
    async with (
        RawGateway(SILENT) as gateway,
        CLIENTS[name](error) as http,
        client_of(gateway.base_url, None, http=http, retry=EAGER) as client,
    ):
        with pytest.raises(OutcomeUnknownError):
            await client.send(NUMBER, "Hi")

        assert 1 == gateway.begun


class Around(httpx.AsyncBaseTransport):
    """A transport around httpx's."""

    def __init__(self) -> None:
        self._inner = httpx.AsyncHTTPTransport(verify=TLS)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Have httpx's do it."""
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close httpx's."""
        await self._inner.aclose()


@pytest.mark.parametrize(
    ("transport", "error"),
    [
        (lambda: httpx.AsyncHTTPTransport(verify=TLS), ConnectionFailedError),
        (Around, OutcomeUnknownError),
    ],
    ids=["httpx's own", "around it"],
)
async def test_a_connection_that_httpcore_could_not_make_is_a_proof_of_httpx_alone(
    transport: Callable[[], httpx.AsyncBaseTransport], error: type[SmsError]
) -> None:
    """What is around httpx's may have tried something else, by another library."""
    with _nowhere() as url:
        async with (
            httpx.AsyncClient(verify=TLS, transport=transport(), trust_env=False) as http,
            client_of(url, None, http=http) as client,
        ):
            with pytest.raises(error):
                await client.send(NUMBER, "Hi")


class Repeating(Around):
    """A transport that asks again by itself."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask until there is an answer that is no error."""
        for _ in range(3):
            with suppress(httpx.TransportError):
                reply = await super().handle_async_request(request)
                if reply.status_code < 400:
                    return reply
                await reply.aclose()
        raise httpx.ConnectError("gave up")


@pytest.mark.parametrize("answer", [SILENT, raw(LIMITED)], ids=["lost", "429"])
async def test_a_transport_that_repeats_is_kept_from_it(answer: Any) -> None:
    """Through httpcore a request is written once: only this library knows what may be repeated."""
    async with (
        RawGateway(answer) as gateway,
        httpx.AsyncClient(verify=TLS, transport=Repeating()) as http,
        client_of(gateway.base_url, None, http=http, retry=EAGER) as client,
    ):
        with pytest.raises(OutcomeUnknownError, match="repeat"):
            await client.send(NUMBER, "Hi")

        assert 1 == gateway.begun


async def test_a_closed_client_has_sent_nothing() -> None:
    """It is said what is closed, and that is certain."""
    async with RawGateway(raw(whole(1))) as gateway:
        http = httpx.AsyncClient(verify=TLS)
        await http.aclose()
        async with client_of(gateway.base_url, None, http=http, retry=EAGER) as client:
            with pytest.raises(ClientClosedError, match="http= is closed; nothing was sent"):
                await client.send(NUMBER, "Hi")

        assert 0 == gateway.begun


class Wrapped(httpx.AsyncByteStream):
    """A body that somebody looks at as it passes."""

    def __init__(self, reply: httpx.Response) -> None:
        assert isinstance(reply.stream, httpx.AsyncByteStream)
        self._body = reply.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._body:
            yield chunk

    async def aclose(self) -> None:
        """Close what it looks at."""
        await self._body.aclose()


class Rewrapping(Around):
    """A transport that makes an answer of its own out of each."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Keep what httpcore tells of the answer."""
        reply = await super().handle_async_request(request)
        inner = httpx.Response(reply.status_code, stream=Wrapped(reply))
        return httpx.Response(
            reply.status_code,
            headers=reply.headers,
            stream=Wrapped(inner),
            extensions=reply.extensions,
        )


async def test_a_refusal_that_somebody_looked_at_is_a_proof() -> None:
    """As long as it shows that nothing came behind it."""
    seen: list[str] = []
    for answer in (REFUSED, REFUSED + whole(1)):
        async with (
            RawGateway(raw(answer)) as gateway,
            httpx.AsyncClient(verify=TLS, transport=Rewrapping()) as http,
            client_of(gateway.base_url, None, http=http) as client,
        ):
            with pytest.raises((ProviderError, OutcomeUnknownError)) as caught:
                await client.send(NUMBER, "Hi")
        seen.append(type(caught.value).__name__)

    assert ["AuthenticationError", "OutcomeUnknownError"] == seen


PACKED = {
    "one part": (gzip.compress(TOKEN), False),
    "two parts": (gzip.compress(TOKEN) + gzip.compress(whole(1)), True),
    "more behind it": (gzip.compress(TOKEN) + b"iSms-1", True),
    "cut": (gzip.compress(TOKEN)[:-2], True),
}


@pytest.mark.parametrize("name", PACKED)
async def test_a_packed_answer_that_a_hook_has_read_has_to_be_all_of_it(name: str) -> None:
    """Httpx drops what stands behind the end of what is packed, and misses no end."""
    body, open_ = PACKED[name]
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def read(reply: httpx.Response) -> None:
        await reply.aread()

    for hooks in ({}, {"response": [read]}):
        async with (
            RawGateway(raw(answer + body)) as gateway,
            httpx.AsyncClient(verify=TLS, event_hooks=hooks) as http,
            client_of(gateway.base_url, None, http=http) as client,
        ):
            with pytest.raises(OutcomeUnknownError if open_ else ProviderError):
                await client.send(NUMBER, "Hi")


async def test_a_packed_answer_that_a_hook_has_read_is_accepted() -> None:
    """What it says of a text that was taken is read."""
    body = gzip.compress(b'{"status":200,"message_id":"iSms-1"}')
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def read(reply: httpx.Response) -> None:
        await reply.aread()

    async with (
        RawGateway(raw(answer + body)) as gateway,
        httpx.AsyncClient(verify=TLS, event_hooks={"response": [read]}) as http,
        client_of(gateway.base_url, None, http=http) as client,
    ):
        assert "iSms-1" == await outcome(client)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(whole(1), "iSms-1"), (REFUSED, "OutcomeUnknownError")],
    ids=["accepted", "refused"],
)
async def test_a_connection_that_another_request_has_is_left_alone(
    answer: bytes, expected: str
) -> None:
    """A hook that reads an answer, and waits, lends it: what comes in then is no more of this one.

    Nor can it be seen any more whether something came behind it, so that a refusal is no proof.
    """
    was_read, lent, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def in_two(_: RawRequest, writer: StreamWriter) -> bool:
        writer.write(whole(2)[:-5])
        await done.wait()
        writer.write(whole(2)[-5:])
        return True

    async def look(reply: httpx.Response) -> None:
        if was_read.is_set():
            lent.set()
            await done.wait()
        else:
            await reply.aread()
            was_read.set()
            await lent.wait()

    async with (
        RawGateway(raw(answer), Behaviour("in two", in_two)) as gateway,
        httpx.AsyncClient(verify=TLS, trust_env=False, event_hooks={"response": [look]}) as http,
        client_of(gateway.base_url, None, http=http) as client,
        asyncio.timeout(LONG),
    ):
        first = asyncio.create_task(outcome(client))
        await was_read.wait()
        second = asyncio.create_task(outcome(client))
        seen = await first
        done.set()

        assert (expected, "iSms-2") == (seen, await second)
        assert 1 == gateway.connections


class Multiplexed(Around):
    """A transport whose connection says that it has other requests too, as one of HTTP/2 does."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Say so of an answer of httpx's."""
        reply = await super().handle_async_request(request)
        inner: Any = reply.stream
        connection: Any = inner._httpcore_stream._stream._connection
        connection.is_idle = lambda: False
        reply.extensions["http_version"] = b"HTTP/2"
        return reply


async def test_a_connection_of_http2_is_nobodys_alone() -> None:
    """It keeps answers apart by itself: a refusal that a hook has read is a proof."""

    async def read(reply: httpx.Response) -> None:
        await reply.aread()

    async with (
        RawGateway(raw(REFUSED)) as gateway,
        httpx.AsyncClient(
            verify=TLS, transport=Multiplexed(), event_hooks={"response": [read]}
        ) as http,
        client_of(gateway.base_url, None, http=http) as client,
    ):
        assert "AuthenticationError" == await outcome(client)
