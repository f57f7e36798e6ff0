"""The engines over httpx: our own sharded transports, and a client that the user brings."""

from __future__ import annotations

import ssl
import zlib
from collections.abc import AsyncIterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from iprog_async._engine import MAX_BODY, Failure, Progress
from iprog_async._errors import ConfigurationError
from iprog_async._http import WireReply, WireRequest


# httpcore scans all its connections on each request, so a pool costs the square of its size.
SHARD_SIZE = 1
_KEEPALIVE = 30.0
# The certain failures: httpx raises them only before it has written anything.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class TransportEngine:
    """httpx's own transports, called directly and split into shards.

    Going past `httpx.AsyncClient` saves most of its time per request; mocks of httpx's
    transport (respx, pytest-httpx) still see every request.
    """

    def __init__(self, shards: int, verify: ssl.SSLContext) -> None:
        self._shards = shards
        self._verify = verify
        self._transports: dict[tuple[int, str | None], httpx.AsyncHTTPTransport] = {}
        self._proxies: dict[str, str | None] = {}

    async def exchange(
        self, request: WireRequest, progress: Progress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request over the slot's shard."""
        try:
            transport = self._transport(request.url, slot)
            reply = await transport.handle_async_request(_build(request, progress, connect_timeout))
            return await _read(reply)
        except (httpx.TransportError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as exc:
            return _failure(exc, progress)

    def _transport(self, url: str, slot: int) -> httpx.AsyncBaseTransport:
        proxy = self._proxy(url)
        key = slot % self._shards, proxy
        transport = self._transports.get(key)
        if transport is None:
            limits = httpx.Limits(
                max_connections=SHARD_SIZE,
                max_keepalive_connections=SHARD_SIZE,
                keepalive_expiry=_KEEPALIVE,
            )
            transport = httpx.AsyncHTTPTransport(
                verify=self._verify, limits=limits, proxy=proxy, trust_env=False
            )
            self._transports[key] = transport
        return transport

    def _proxy(self, url: str) -> str | None:
        origin = url[: url.find("/", 8)]
        if origin not in self._proxies:
            self._proxies[origin] = proxy_for(origin)
        return self._proxies[origin]

    async def aclose(self) -> None:
        """Close every connection."""
        transports = list(self._transports.values())
        self._transports.clear()
        for transport in transports:
            await transport.aclose()


class ClientEngine:
    """A user's own `httpx.AsyncClient`, with its event hooks; it is never closed by us."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def exchange(
        self, request: WireRequest, progress: Progress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request through the client."""
        try:
            built = self._client.build_request(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.content,
                extensions=_extensions(progress, connect_timeout),
            )
            # The credentials are the adapter's business: no netrc, no default of the client.
            reply = await self._client.send(built, stream=True, follow_redirects=False, auth=None)
            return await _read(reply)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as exc:
            return _failure(exc, progress)

    async def aclose(self) -> None:
        """Leave the client open: it is the user's."""


def proxy_for(origin: str) -> str | None:
    """Return the proxy that the environment names for an address, or `None`."""
    parts = urlsplit(origin)
    if proxy_bypass(parts.netloc):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


@lru_cache(maxsize=1)
def default_ssl_context() -> ssl.SSLContext:
    """Return the system's trust as httpx reads it; loading it takes 20 ms, so once is enough."""
    return httpx.create_ssl_context()


def ssl_context(verify: ssl.SSLContext | bool) -> ssl.SSLContext:
    """Turn `verify=` into an SSL context; raises `ConfigurationError` for anything else."""
    if verify is True:
        return default_ssl_context()
    if isinstance(verify, ssl.SSLContext):
        return verify
    raise ConfigurationError(
        "verify= takes an ssl.SSLContext, such as ssl.create_default_context(cafile=…); "
        "certificates are always checked, because credentials travel in every request"
    )


def _build(request: WireRequest, progress: Progress, connect_timeout: float) -> httpx.Request:
    url = httpx.URL(request.url) if request.has_query else _plain_url(request.url)
    return httpx.Request(
        request.method,
        url,
        headers=list(request.headers),
        content=request.content,
        extensions=_extensions(progress, connect_timeout),
    )


@lru_cache(maxsize=256)
def _plain_url(url: str) -> httpx.URL:
    return httpx.URL(url)


def _extensions(progress: Progress, connect_timeout: float) -> dict[str, object]:
    async def trace(event: str, info: Mapping[str, object]) -> None:
        if event.startswith("connection."):
            progress.connecting = True
        elif event.endswith("send_request_headers.started"):
            progress.writing = True

    # Reading and writing are bounded by the session's timeout for the whole attempt; waiting
    # for a connection by our own queue.
    timeout = {"connect": connect_timeout, "read": None, "write": None, "pool": None}
    return {"timeout": timeout, "trace": trace}


def _failure(exc: Exception, progress: Progress) -> Failure:
    never_left = isinstance(exc, _NEVER_LEFT) and not progress.writing
    words = f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
    return Failure(words, may_have_left=not never_left and progress.may_have_left)


class _BadBodyError(ValueError):
    """The body is too long or its compression is damaged."""


async def _read(reply: httpx.Response) -> WireReply:
    try:
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in reply.headers.raw}
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > MAX_BODY:
            raise _BadBodyError(f"the answer is {length} bytes long, more than {MAX_BODY}")
        if not isinstance(reply.stream, httpx.AsyncByteStream):
            raise _BadBodyError("the answer can't be read asynchronously")
        body = await _collect(reply.stream, headers.get("content-encoding", "").lower())
        return WireReply(reply.status_code, headers, body)
    finally:
        await reply.aclose()


async def _collect(stream: AsyncIterable[bytes], encoding: str) -> bytes:
    inflate = zlib.decompressobj(wbits=47) if encoding in ("gzip", "deflate") else None
    if encoding and encoding != "identity" and inflate is None:
        raise _BadBodyError(f"the answer is encoded as {encoding!r}, which was not asked for")
    body = bytearray()
    async for chunk in stream:
        if inflate is None:
            body += chunk
        else:
            try:
                body += inflate.decompress(chunk, MAX_BODY + 1)
            except zlib.error as exc:
                raise _BadBodyError(f"the answer's compression is damaged: {exc}") from None
        if len(body) > MAX_BODY:
            raise _BadBodyError(f"the answer is longer than {MAX_BODY} bytes")
    if inflate is not None and not inflate.eof:
        raise _BadBodyError("the answer's compression is cut short")
    return bytes(body)
