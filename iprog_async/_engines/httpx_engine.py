"""The engines over httpx: transports of our own, and a client that the user brings."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import httpx
from attrs import define

from iprog_async._core.errors import ConfigurationError
from iprog_async._engines.base import (
    KEEPALIVE,
    TOO_LATE,
    Failure,
    RequestProgress,
    WireReply,
    WireRequest,
    add_field,
)
from iprog_async._engines.body import BadBodyError, Body, check_length
from iprog_async._engines.proxies import proxy_for


if TYPE_CHECKING:
    import httpcore

# httpcore looks at all its connections on each request, so each slot has a pool of its own.
_ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEEPALIVE)
# The certain failures: httpx raises them only before it has written anything.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


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
        self._last_used: dict[_Key, float] = {}
        self._in_use: set[_Key] = set()
        self._next_sweep = 0.0

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request over the slot's own connection."""
        key = slot, "/".join(request.url.split("/", 3)[:3])
        trace = _Trace(progress)
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
            return Failure(_words(exc), may_have_left=False)
        self._in_use.add(key)
        try:
            reply = await transport.handle_async_request(built)
            read = await _read(reply)
            if not read.whole:
                await self._drop(key)
            return read
        except (httpx.TransportError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as exc:
            # httpcore keeps a connection for ever that it never uses again, after TLS that failed
            # behind a proxy; in this pool of one, later requests would wait for it in vain.
            await self._drop(key)
            return _failure(exc, progress)
        except asyncio.CancelledError:
            # The same after being cancelled between connecting and writing.
            await self._drop(key)
            # In the middle of a handshake no pool knows of it yet.
            await _close(trace.stream)
            raise
        finally:
            self._in_use.discard(key)
            await self._sweep(key)

    def check(self, origin: str) -> None:
        """Raise `ConfigurationError` if the environment names a proxy that can't be used."""
        proxy_for(origin)

    def _transport(self, origin: str) -> httpx.AsyncBaseTransport:
        transport = httpx.AsyncHTTPTransport(
            verify=self._verify, limits=_ONE, proxy=proxy_for(origin), trust_env=False
        )
        _stream_directly(transport)
        return transport

    async def _drop(self, key: _Key) -> None:
        await _close(self._transports.pop(key, None))

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
        transports = list(self._transports.values())
        self._transports.clear()
        for transport in transports:
            await _close(transport)


def _stream_directly(transport: httpx.AsyncHTTPTransport) -> None:
    """Have httpcore read and write through our streams, which saves a quarter of its time.

    httpx has no argument for it. Where its inside is not as expected, httpcore keeps its own.
    """
    pool = getattr(transport, "_pool", None)
    if hasattr(pool, "_network_backend"):
        from iprog_async._engines.httpcore_stream import StreamBackend

        setattr(pool, "_network_backend", StreamBackend())  # noqa: B010 - private, as said


async def _close(resource: httpx.AsyncBaseTransport | httpcore.AsyncNetworkStream | None) -> None:
    # Trouble in closing a connection is not that of the request which is made or cancelled.
    with suppress(Exception):
        if resource is not None:
            await resource.aclose()


def _is_whole(reply: httpx.Response, headers: Mapping[str, str]) -> bool:
    """Return whether an answer that was read ended where it said, and with its last byte.

    httpcore would keep what came behind, and take it for the answer to the next request.
    """
    version = reply.extensions.get("http_version")
    if version is None or version == b"HTTP/2":
        # Of a mock; or each of its parts says whether it is the last one.
        return True
    framed = ("content-length" in headers) != ("transfer-encoding" in headers)
    return (
        (framed or reply.status_code in _WITHOUT_BODY)
        and "trailer" not in headers
        and not _said_more(reply)
        and not _said_more_below(reply)
    )


_WITHOUT_BODY = (204, 304)


def _said_more(reply: httpx.Response) -> bool:
    """Return whether a server said more than its answer.

    Where httpcore's inside is not as expected nobody can tell, and the connection is not used
    again. A transport of somebody else's, which shows no stream, has to know by itself.
    """
    if "network_stream" not in reply.extensions:
        return False
    # The user's own client has one more stream around it.
    stream: Any = getattr(reply.stream, "_stream", reply.stream)
    try:
        trailing, _ = stream._httpcore_stream._stream._connection._h11_state.trailing_data
    except AttributeError:
        return True
    return bool(trailing)


def _said_more_below(reply: httpx.Response) -> bool:
    """Return whether more came in with the answer that httpcore has not read, or has dropped."""
    stream = reply.extensions.get("network_stream")
    if stream is None:
        return False
    unread: bool | None = getattr(stream, "has_unread", None)
    if unread is None:
        return _said_more_in_tls(stream.get_extra_info("ssl_object"))
    return unread or stream.said_before


def _said_more_in_tls(tls: ssl.SSLObject | None) -> bool:
    """Return whether something encrypted is left, such as the end; it shows in no other way."""
    try:
        if tls is not None:
            tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return tls is not None


class ClientEngine:
    """A user's own `httpx.AsyncClient`, with its event hooks; it is never closed by us."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request through the client."""
        try:
            built = self._client.build_request(
                request.method,
                request.url,
                # Without it the client asks for every compression it knows, and we know gzip.
                headers=[("Accept-Encoding", "gzip"), *request.headers],
                content=request.content,
                extensions=_extensions(_Trace(progress), connect_timeout),
            )
            # The credentials are the adapter's business: no netrc, no default of the client.
            reply = await self._client.send(built, stream=True, follow_redirects=False, auth=None)
            return await _read(reply)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as exc:
            return _failure(exc, progress)

    def check(self, origin: str) -> None:
        """Check nothing: what the client reads of the environment is the user's."""

    async def aclose(self) -> None:
        """Leave the client open: it is the user's."""


def _build(request: WireRequest, trace: _Trace, connect_timeout: float) -> httpx.Request:
    url = httpx.URL(request.url) if request.has_query else _plain_url(request.url)
    return httpx.Request(
        request.method,
        url,
        headers=list(request.headers),
        content=request.content,
        extensions=_extensions(trace, connect_timeout),
    )


@lru_cache(maxsize=256)
def _plain_url(url: str) -> httpx.URL:
    return httpx.URL(url)


class _LateError(RuntimeError):
    """It is too late to write the request."""


@define
class _Trace:
    """What httpcore tells of its steps: how far a request has come, and over what."""

    progress: RequestProgress
    stream: httpcore.AsyncNetworkStream | None = None

    async def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.startswith("connection."):
            self.progress.connecting = True
            if event == "connection.connect_tcp.complete":
                self.stream = info["return_value"]
        elif event.endswith("send_request_headers.started"):
            # CONNECT only opens a tunnel through a proxy: the request itself comes after it.
            tunnels = getattr(info.get("request"), "method", b"") == b"CONNECT"
            if tunnels or self.progress.writing:
                return
            if self.progress.too_late() is not None:
                raise _LateError
            self.progress.writing = True


def _extensions(trace: _Trace, connect_timeout: float) -> dict[str, object]:
    # Reading and writing are bounded by the session's timeout for the whole attempt; waiting
    # for a connection by our own queue.
    timeout = {"connect": connect_timeout, "read": None, "write": None, "pool": None}
    return {"timeout": timeout, "trace": trace}


def _failure(exc: Exception, progress: RequestProgress) -> Failure:
    # Imported late, as httpx does with httpcore.
    from iprog_async._engines.httpcore_stream import UnaskedError

    if isinstance(exc, _LateError):
        return Failure(TOO_LATE, may_have_left=False)
    never_left = isinstance(exc, _NEVER_LEFT) and not progress.writing
    if isinstance(exc.__cause__, UnaskedError):
        # httpcore says that it writes before our streams do.
        return Failure(_words(exc), may_have_left=False)
    return Failure(_words(exc), may_have_left=not never_left and progress.may_have_left)


def _words(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__


async def _read(reply: httpx.Response) -> WireReply:
    try:
        headers = _headers(reply)
        if reply.is_stream_consumed:
            # An event hook of the user's client has read it.
            check_length(reply.content)
            content = reply.content
        else:
            body = Body(headers)
            if not isinstance(reply.stream, httpx.AsyncByteStream):
                raise BadBodyError("the answer can't be read asynchronously")
            async for chunk in reply.stream:
                body.feed(chunk)
            content = body.end()
        whole = _is_whole(reply, headers)
        if not whole:
            # Before the pool has it back, which gives it to the next request at once.
            await _close(reply.extensions.get("network_stream"))
        return WireReply(reply.status_code, headers, content, whole)
    finally:
        await reply.aclose()


def _headers(reply: httpx.Response) -> dict[str, str]:
    raw = reply.headers.raw
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in raw}
    if len(headers) < len(raw):
        headers.clear()
        for key, value in raw:
            add_field(headers, key.decode("latin-1").lower(), value.decode("latin-1"))
    return headers
