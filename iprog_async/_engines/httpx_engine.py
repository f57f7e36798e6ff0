"""The engines over httpx: transports of our own, and a client that the user brings."""

from __future__ import annotations

import asyncio
import ssl
import time
from contextlib import AsyncExitStack
from functools import lru_cache
from typing import Any

import httpx
from attrs import evolve

from iprog_async._core.errors import ClientClosedError, ConfigurationError
from iprog_async._engines.base import (
    KEEPALIVE,
    Failure,
    RequestProgress,
    WireReply,
    WireRequest,
)
from iprog_async._engines.httpx_answers import close, read_answer
from iprog_async._engines.httpx_trace import Trace, extensions, words
from iprog_async._engines.proxies import proxy_for


# httpcore looks at all its connections on each request, so each slot has a pool of its own.
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE)
# What is trusted to say rightly that nothing was written. One made by somebody else is not, however
# well it is known, nor is what httpcore tells through it.
_OF_HTTPX = (httpx.AsyncHTTPTransport, httpx.MockTransport)

_Key = tuple[int, str]


class TransportEngine:
    """httpx's own transports, called directly: one for each slot and host.

    Going past `httpx.AsyncClient` saves most of its time per request; mocks of httpx's
    transport (respx, pytest-httpx) still see every request.

    Args:
        verify: Trusted certificates.
    """

    def __init__(self, verify: ssl.SSLContext) -> None:
        self._verify = verify
        self._transports: dict[_Key, httpx.AsyncBaseTransport] = {}
        self._proxies: dict[str, str] = {}
        self._last_used: dict[_Key, float] = {}
        self._in_use: set[_Key] = set()
        self._next_sweep = 0.0

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request over the slot's own connection."""
        key = slot, "/".join(request.url.split("/", 3)[:3])
        trace = Trace(progress)
        try:
            transport = self._transports.get(key)
            if transport is None:
                transport = self._transports[key] = self._transport(key[1])
            built = _build(request, trace, connect_timeout)
        except ConfigurationError:
            # A proxy that nothing can be sent through.
            raise
        except Exception as exc:
            # An address that httpx can't use; it has not touched the network.
            return Failure(words(exc), may_have_left=False, unusable=True)
        self._in_use.add(key)
        try:
            reply = await transport.handle_async_request(built)
            read = await read_answer(reply)
            if not read.whole:
                await self._drop(key)
            return read
        except (httpx.TransportError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as exc:
            # httpcore keeps a connection for ever that it never uses again, after TLS that failed
            # behind a proxy; in this pool of one, later requests would wait for it in vain.
            failure = trace.failure(exc)
            await self._drop(key)
            return evolve(failure, proxy=self._proxies.get(key[1], ""))
        except asyncio.CancelledError:
            # The same after being cancelled between connecting and writing.
            await self._drop(key)
            # In the middle of a handshake no pool knows of it yet.
            await close(trace.stream)
            raise
        finally:
            self._in_use.discard(key)
            await self._sweep(key)

    def check(self, origin: str) -> None:
        """Raise `ConfigurationError` if the environment names a proxy that can't be used."""
        proxy_for(origin)

    def _transport(self, origin: str) -> httpx.AsyncBaseTransport:
        proxy = proxy_for(origin)
        # Its name alone: the address may hold a password.
        self._proxies[origin] = "" if proxy is None else proxy.variable
        transport = httpx.AsyncHTTPTransport(
            verify=self._verify,
            limits=_ONE,
            proxy=None if proxy is None else proxy.url,
            trust_env=False,
        )
        _stream_directly(transport)
        return transport

    async def _drop(self, key: _Key) -> None:
        await close(self._transports.pop(key, None))

    async def _sweep(self, used: _Key) -> None:
        """Close what nobody has used for a while; httpcore looks only when a pool is used."""
        now = time.monotonic()
        self._last_used[used] = now
        if now < self._next_sweep:
            return
        self._next_sweep = now + KEEPALIVE
        for key, last_used in list(self._last_used.items()):
            if last_used < now - KEEPALIVE and key not in self._in_use:
                del self._last_used[key]
                await self._drop(key)

    async def aclose(self) -> None:
        """Close every connection."""
        async with AsyncExitStack() as closing:
            for transport in self._transports.values():
                closing.push_async_callback(close, transport)
            self._transports.clear()


def _stream_directly(transport: httpx.AsyncHTTPTransport) -> None:
    """Have httpcore read and write through our streams, which saves a quarter of its time.

    httpx has no argument for it. Where its inside is not as expected, httpcore keeps its own.
    """
    pool = getattr(transport, "_pool", None)
    if hasattr(pool, "_network_backend"):
        from iprog_async._engines.httpcore_stream import StreamBackend

        setattr(pool, "_network_backend", StreamBackend())  # noqa: B010 - private, as said


class ClientEngine:
    """A user's own `httpx.AsyncClient`, with its event hooks; it is never closed by us."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request through the client."""
        if self._client.is_closed:
            raise ClientClosedError("the client given as http= is closed; nothing was sent")
        trace = Trace(progress)
        try:
            built = self._build(request, trace, connect_timeout)
        except Exception as exc:
            # An address that httpx can't use; it has not touched the network.
            return Failure(words(exc), may_have_left=False, unusable=True)
        # Asked whenever it matters: an event hook may change the address.
        trace.is_of_httpx = lambda: self._goes_through_httpx(built.url)
        try:
            # The credentials are the adapter's business: no netrc, no default of the client.
            reply = await self._client.send(built, stream=True, follow_redirects=False, auth=None)
            return await read_answer(reply)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as exc:
            return trace.failure(exc)

    def _build(self, request: WireRequest, trace: Trace, connect_timeout: float) -> httpx.Request:
        return self._client.build_request(
            request.method,
            request.url,
            # Without it the client asks for every compression it knows, and we know gzip.
            headers=[("Accept-Encoding", "gzip"), *request.headers],
            content=request.content,
            extensions=extensions(trace, connect_timeout),
        )

    def _goes_through_httpx(self, url: httpx.URL) -> bool:
        """Return whether nothing but httpx itself is between us and an address.

        Where its inside is not as expected nobody can tell.
        """
        chosen: Any = getattr(self._client, "_transport_for_url", None)
        sends_itself = type(self._client).send is not httpx.AsyncClient.send
        return chosen is not None and not sends_itself and type(chosen(url)) in _OF_HTTPX

    def check(self, origin: str) -> None:
        """Check nothing: what the client reads of the environment is the user's."""

    async def aclose(self) -> None:
        """Leave the client open: it is the user's."""


def _build(request: WireRequest, trace: Trace, connect_timeout: float) -> httpx.Request:
    url = httpx.URL(request.url) if request.has_query else _plain_url(request.url)
    return httpx.Request(
        request.method,
        url,
        headers=list(request.headers),
        content=request.content,
        extensions=extensions(trace, connect_timeout),
    )


@lru_cache(maxsize=256)
def _plain_url(url: str) -> httpx.URL:
    return httpx.URL(url)
