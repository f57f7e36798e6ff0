"""The fast engine: HTTP/1.1 straight over asyncio transports, parsed by llhttp (extra `fast`).

It does what a gateway needs and no more: one request at a time on a connection, no
pipelining, no redirects, no proxies, and never a second try.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import defaultdict

from iprog_async._core.errors import ConfigurationError
from iprog_async._engines.base import (
    KEEPALIVE,
    Failure,
    RequestProgress,
    WireReply,
    WireRequest,
)
from iprog_async._engines.happy_eyeballs import connect
from iprog_async._engines.http1_connection import NOT_QUIET, Connection, WriteCoalescer
from iprog_async._engines.http1_request import Origin, RequestWriter
from iprog_async._engines.proxies import proxy_for


# Windows completes reads by itself; what came in shows when the loop has gone round.
_READS_SHOW_LATE = not hasattr(select, "poll")


class AsyncioEngine:
    """Connections of our own, kept open between requests.

    Args:
        verify: Trusted certificates, and a client certificate where one is needed.
    """

    def __init__(self, verify: ssl.SSLContext) -> None:
        # As httpx does, too: a server that could choose would choose HTTP/2.
        verify.set_alpn_protocols(["http/1.1"])
        self._verify = verify
        self._writer = RequestWriter()
        self._idle: defaultdict[Origin, list[Connection]] = defaultdict(list)
        self._open: set[Connection] = set()
        self._outbox: WriteCoalescer | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    async def exchange(
        self, request: WireRequest, progress: RequestProgress, slot: int, connect_timeout: float
    ) -> WireReply | Failure:
        """Make one request over a kept connection that is quiet as it is written, or a new one."""
        progress.connecting = True
        try:
            origin, message = self._writer.write(request)
        except ValueError as exc:
            words = f"the request can't be written: {exc}"
            return Failure(words, may_have_left=False, unusable=True)
        if _READS_SHOW_LATE:
            for _ in range(2):
                await asyncio.sleep(0)
        while True:
            kept = self._kept(origin)
            connection = kept or await self._connect(origin, connect_timeout)
            if isinstance(connection, Failure):
                return connection
            try:
                result = await connection.exchange(message, progress)
            finally:
                self._keep(origin, connection)
            if kept is None or result is not NOT_QUIET:
                return result

    def check(self, origin: str) -> None:
        """Raise `ConfigurationError` if the environment names a proxy for an address."""
        _refuse_proxy(origin)

    def _kept(self, origin: Origin) -> Connection | None:
        idle = self._idle[origin]
        while idle:
            connection = idle.pop()
            if connection.usable:
                return connection
            self._drop(connection)
        return None

    def _keep(self, origin: Origin, connection: Connection) -> None:
        if self._closed or not connection.usable:
            self._drop(connection)
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle[origin].append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(KEEPALIVE, self._sweep, loop)

    def _drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        connection.close()

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close connections that nobody has used for a while."""
        oldest = loop.time() - KEEPALIVE
        for origin, idle in list(self._idle.items()):
            for connection in idle:
                if connection.idle_since <= oldest:
                    self._drop(connection)
            self._idle[origin] = [connection for connection in idle if connection.usable]
            if not self._idle[origin]:
                del self._idle[origin]
        self._sweeper = None
        if self._idle:
            self._sweeper = loop.call_later(KEEPALIVE, self._sweep, loop)

    async def _connect(self, origin: Origin, connect_timeout: float) -> Connection | Failure:
        _refuse_proxy(origin.address)
        try:
            async with asyncio.timeout(connect_timeout):
                connection = await connect(
                    self._new_connection,
                    origin.host,
                    origin.port,
                    self._verify if origin.tls else None,
                )
        except TimeoutError:
            return Failure(f"no connection within {connect_timeout:g} s", may_have_left=False)
        except Exception as exc:
            # Beside OSErrors asyncio raises what it stumbles over, all before anything is written.
            return Failure(f"{type(exc).__name__}: {exc}", may_have_left=False)
        if self._closed or not connection.usable:
            connection.close()
            who = "the client was closed" if self._closed else "the server hung up, or spoke first"
            return Failure(f"{who} before anything was asked", may_have_left=False)
        self._open.add(connection)
        return connection

    def _new_connection(self) -> Connection:
        loop = asyncio.get_running_loop()
        self._outbox = self._outbox or WriteCoalescer(loop)
        return Connection(loop, self._outbox)

    async def aclose(self) -> None:
        """Close every connection; a request under way ends without its answer."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in self._open:
            connection.close("the client was closed")
        self._open.clear()
        self._idle.clear()
        # Transports close their sockets in the loop's next round.
        await asyncio.sleep(0)


def _refuse_proxy(address: str) -> None:
    """Raise `ConfigurationError` if the environment wants a proxy: nothing is sent past it."""
    proxy = proxy_for(address)
    if proxy is not None:
        raise ConfigurationError(
            f"{proxy.variable} in the environment names a proxy for {address}, and "
            "engine='asyncio' uses none; "
            "take engine='httpx', or put the host into NO_PROXY. Nothing was sent"
        )
