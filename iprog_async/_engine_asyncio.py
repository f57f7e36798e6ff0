"""The fast engine: HTTP/1.1 straight over asyncio transports, parsed by llhttp (extra `fast`).

It does what a gateway needs and no more: one request at a time on a connection, no
pipelining, no redirects, no proxies, and never a second try.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections import defaultdict
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
from attrs import frozen

from iprog_async._engine import MAX_BODY, Failure, Progress
from iprog_async._errors import ConfigurationError
from iprog_async._http import WireReply, WireRequest
from iprog_async._proxies import proxy_for


_KEEPALIVE = 30.0


@frozen
class _Origin:
    host: str
    port: int
    tls: bool

    def refuse_proxy(self) -> None:
        """Raise `ConfigurationError` if the environment wants a proxy: nothing is sent past it."""
        address = f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"
        if proxy_for(address) is not None:
            raise ConfigurationError(
                f"the environment names a proxy for {address}, and engine='asyncio' uses none; "
                "take engine='httpx', or put the host into NO_PROXY. Nothing was sent"
            )


class _Connection(asyncio.Protocol):
    """One connection: sends a request and collects its answer."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[WireReply | Failure] | None = None
        self._socket: socket.socket | None = None
        self.idle_since = 0.0
        self.usable = True
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._in_body = False
        self._complete = False

    async def exchange(self, request: bytes) -> WireReply | Failure:
        """Write a request and wait for its answer; a cancelled wait closes the connection."""
        assert self._transport is not None  # noqa: S101 - made by create_connection
        self._reset()
        self._answer = self._loop.create_future()
        self._transport.write(request)
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._answer = None

    def is_quiet(self) -> bool:
        """Return whether the other side has neither closed nor said anything meanwhile.

        The loop may not have looked at the socket since, so the kernel is asked.
        """
        return self.usable and self._socket is not None and not _is_readable(self._socket)

    def close(self) -> None:
        """Close at once."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def _settle(self, result: WireReply | Failure) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(result)

    def _fail(self, reason: str) -> None:
        self._settle(Failure(reason, may_have_left=True))
        self.close()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._socket = transport.get_extra_info("socket")

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            # Nobody asked: whatever it is, it is no answer to the next request.
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._fail(f"an answer that is no HTTP ({type(exc).__name__})")

    def eof_received(self) -> bool:
        self.usable = False
        if self._in_body and not self._complete and self._ends_with_connection():
            self._finish()
        return False

    def _ends_with_connection(self) -> bool:
        """Return whether the answer named no length, as HTTP/1.0 servers may (RFC 9112, 6.3)."""
        return not self._headers.keys() & {"content-length", "transfer-encoding"}

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        why = f"{type(exc).__name__}: {exc}" if exc else "without a complete answer"
        self._settle(Failure(f"the connection was closed: {why}", may_have_left=True))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._complete:
            # A second answer to one request: the connection is out of step.
            self.usable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._complete:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_body = True
        length = self._headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            self._fail(f"the answer is {length} bytes long, more than {MAX_BODY}")

    def on_body(self, body: bytes) -> None:
        if self._complete:
            return
        self._body += body
        if len(self._body) > MAX_BODY:
            self._fail(f"the answer is longer than {MAX_BODY} bytes")

    def on_message_complete(self) -> None:
        if self._complete:
            return
        if self._parser.get_status_code() < 200:
            # An interim answer such as "100 Continue"; the real one follows.
            self._headers = {}
            self._in_body = False
            return
        if not self._parser.should_keep_alive():
            self.usable = False
        self._finish()

    def _finish(self) -> None:
        self._complete = True
        status = self._parser.get_status_code()
        self._settle(WireReply(status, self._headers, bytes(self._body)))


def _is_readable(sock: socket.socket) -> bool:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock.fileno(), select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])  # Windows has no poll


class AsyncioEngine:
    """Connections of our own, kept open between requests.

    Args:
        verify: Trusted certificates.
    """

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._idle: defaultdict[_Origin, list[_Connection]] = defaultdict(list)
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def exchange(
        self, request: WireRequest, progress: Progress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request over a kept connection that is still quiet, or a new one."""
        try:
            origin, head = _head_of(request)
        except ValueError as exc:
            return Failure(f"the request can't be written: {exc}", may_have_left=False)
        progress.connecting = True
        connection = self._kept(origin)
        if connection is None:
            made = await self._connect(origin, connect_timeout)
            if isinstance(made, Failure):
                return made
            connection = made
        progress.writing = True
        result = await connection.exchange(
            b"%s%d\r\n\r\n%s" % (head, len(request.content), request.content)
        )
        self._keep(origin, connection)
        return result

    def _kept(self, origin: _Origin) -> _Connection | None:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def _keep(self, origin: _Origin, connection: _Connection) -> None:
        if self._closed or not connection.usable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle[origin].append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(_KEEPALIVE, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close connections that nobody has used for a while."""
        oldest = loop.time() - _KEEPALIVE
        for origin, idle in self._idle.items():
            for connection in idle:
                if connection.idle_since < oldest:
                    connection.close()
            self._idle[origin] = [connection for connection in idle if connection.usable]
        self._sweeper = None
        if any(self._idle.values()):
            self._sweeper = loop.call_later(_KEEPALIVE, self._sweep, loop)

    async def _connect(self, origin: _Origin, connect_timeout: float) -> _Connection | Failure:
        origin.refuse_proxy()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(connect_timeout):
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop),
                    origin.host,
                    origin.port,
                    ssl=self._verify if origin.tls else None,
                    happy_eyeballs_delay=0.25,
                )
        except TimeoutError:
            return Failure(f"no connection within {connect_timeout:g} s", may_have_left=False)
        except (OSError, ValueError) as exc:
            # TLS errors are OSErrors; a host name that can't be encoded is a ValueError.
            return Failure(f"{type(exc).__name__}: {exc}", may_have_left=False)
        return connection

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for idle in self._idle.values():
            for connection in idle:
                connection.close()
        self._idle.clear()
        # Transports close their sockets in the loop's next round.
        await asyncio.sleep(0)


def _head_of(request: WireRequest) -> tuple[_Origin, bytes]:
    if request.has_query:
        # Not cached: the query of one request never comes again.
        return _head(request.method, request.url, request.headers)
    return _cached_head(request.method, request.url, request.headers)


def _head(method: str, url: str, headers: tuple[tuple[str, str], ...]) -> tuple[_Origin, bytes]:
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    origin = _Origin(parts.hostname or "", parts.port or (443 if tls else 80), tls)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    fields = [("Host", parts.netloc), *headers]
    if any(c in text for text in (target, *(t for pair in fields for t in pair)) for c in "\r\n\0"):
        raise ValueError("a line break in a header field or address")
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    return origin, f"{method} {target} HTTP/1.1\r\n{lines}Content-Length: ".encode("ascii")


_cached_head = cast("Any", lru_cache(maxsize=256)(_head))
