"""The connections that clients and adapters share."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Literal

from iprog_async._core.clock import Clock, SystemClock
from iprog_async._core.errors import ClientClosedError, ConfigurationError, WrongLoopError
from iprog_async._core.redaction import guard_http_logs, shown
from iprog_async._engines.base import Engine
from iprog_async._engines.user_agent import agent_of, check_user_agent
from iprog_async._http.calls import Gateway
from iprog_async._http.leases import Leases
from iprog_async._http.queues import SlotQueue
from iprog_async._http.throttle import Throttle
from iprog_async._limits.shared import Account, SharedLimits


if TYPE_CHECKING:
    import httpx

EngineName = Literal["httpx", "asyncio"]


class HttpPool:
    """A pool of connections for several clients; use it as an async context manager.

    It belongs to the event loop it is first used on.

    Args:
        engine: What moves the bytes: `"httpx"`, the default, or `"asyncio"`, which takes a
            fraction of its CPU time, needs the extra `fast`, uses no proxies, and has a stricter
            reading of HTTP: what breaks its rules is an unknown outcome.
        max_connections: The most requests under way at once; further ones queue, first in,
            first out.
        verify: Trusted certificates, and a client certificate where one is needed.
        http: A client of your own instead of an engine. It is never closed, and never told to
            follow redirects; one whose transport retries by itself, past httpcore, can text
            people twice.
        clock: What tells the time and waits; for tests.
        user_agent: What requests call this program. `None` is `iprog-async/VERSION`, or what an
            `http` of yours has been given. A provider's own header field goes before it.

    Raises:
        ConfigurationError: An argument makes no sense, or `http` comes with another engine's; or
            a variable of the environment, such as `SSL_CERT_FILE`, names what can't be used.
    """

    def __init__(
        self,
        *,
        engine: EngineName = "httpx",
        max_connections: int = 100,
        verify: ssl.SSLContext | Literal[True] = True,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
        user_agent: str | None = None,
    ) -> None:
        if max_connections < 1:
            raise ConfigurationError(f"max_connections must be at least 1, not {max_connections}")
        if http is not None and verify is not True:
            raise ConfigurationError("verify= belongs to your own http= client; set it there")
        self.user_agent = check_user_agent(user_agent) or agent_of(http)
        guard_http_logs()
        self.clock: Clock = clock or SystemClock()
        self.slots = SlotQueue(max_connections)
        self.engine = _engine(engine, max_connections, verify, http)
        self.has_foreign_logs = engine != "asyncio" or http is not None
        """Whether a library makes the requests, and may write about each."""
        self._throttles: dict[Account, Throttle] = {}
        self._limits: SharedLimits | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def in_flight(self) -> int:
        """Number of requests under way."""
        return self.slots.in_use

    def enter(self) -> None:
        """Check that the pool is open and on its own event loop.

        Raises:
            ClientClosedError: It was closed; nothing was sent.
            WrongLoopError: It belongs to another event loop; nothing was sent.
        """
        if self._closed:
            raise ClientClosedError("the client is closed; nothing was sent")
        if self._is_foreign_loop():
            raise WrongLoopError(
                "this client was first used on another event loop, where its connections live; "
                "make one client per loop, inside the coroutine that asyncio.run() runs"
            )

    def _is_foreign_loop(self) -> bool:
        """Return whether another loop than the first one runs."""
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        return self._loop is not loop

    def share(self, limits: SharedLimits) -> SharedLimits:
        """Share the limits of accounts with other processes.

        Args:
            limits: What they share; closed with the pool.

        Returns:
            The limits that go for the pool: those of whoever came first.
        """
        if self._limits is None:
            self._limits = limits
            for account, throttle in self._throttles.items():
                self._share(limits, account, throttle)
        return self._limits

    def pace(self, gateway: Gateway) -> Throttle:
        """Return the pace that all calls of this host and account share."""
        throttle = self._throttles.get(gateway.account)
        if throttle is None:
            throttle = self._throttles[gateway.account] = self._new_throttle(gateway)
        elif gateway.rate is not None and gateway.rate != throttle.rate:
            throttle.tighten(gateway.rate)
        return throttle

    def _new_throttle(self, gateway: Gateway) -> Throttle:
        throttle = Throttle(gateway.rate, self.clock)
        if self._limits is not None:
            self._share(self._limits, gateway.account, throttle)
        return throttle

    def _share(self, limits: SharedLimits, account: Account, throttle: Throttle) -> None:
        exchange = limits.of_account(account)
        throttle.share(Leases(limits.owner, exchange, throttle, self.clock))

    def remaining_pause(self) -> float:
        """Return for how many seconds yet every account that was called is paused."""
        return min(
            (throttle.remaining_pause() for throttle in self._throttles.values()), default=0.0
        )

    async def aclose(self) -> None:
        """Close every connection; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        # The connections of another loop can't be closed from here; those of an ended one
        # are past use.
        if not self._is_foreign_loop():
            # Last first, and each of them also if giving back to others is cancelled.
            async with AsyncExitStack() as closing:
                closing.push_async_callback(self.engine.aclose)
                if self._limits is not None:
                    closing.push_async_callback(self._limits.aclose)
                for throttle in self._throttles.values():
                    closing.push_async_callback(throttle.aclose)

    async def __aenter__(self) -> HttpPool:
        self.enter()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def _engine(
    name: str,
    max_connections: int,
    verify: ssl.SSLContext | Literal[True],
    http: httpx.AsyncClient | None,
) -> Engine:
    from iprog_async._engines import httpx_engine
    from iprog_async._engines.trust import ssl_context

    if http is not None:
        return httpx_engine.ClientEngine(http)
    if name == "httpx":
        return httpx_engine.TransportEngine(ssl_context(verify))
    if name == "asyncio":
        return _fast_engine(ssl_context(verify))
    raise ConfigurationError(
        f"there is no engine {shown(name)}; the engines are 'httpx', the default, and 'asyncio', "
        'the fast one, which comes with: pip install "iprog-async[fast]"'
    )


def _fast_engine(verify: ssl.SSLContext) -> Engine:
    try:
        from iprog_async._engines.asyncio_engine import AsyncioEngine
    except ImportError:
        raise ConfigurationError(
            "engine='asyncio' needs: pip install \"iprog-async[fast]\""
        ) from None
    return AsyncioEngine(verify)
