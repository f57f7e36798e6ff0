"""What a client sends over: the pool it was given or one of its own, fit for its gateways."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal

from iprog_async._core.checks import check_asynchronous
from iprog_async._core.clock import SystemClock
from iprog_async._core.errors import ConfigurationError
from iprog_async._http.pool import EngineName, HttpPool
from iprog_async._journal.journal import Journal
from iprog_async._providers.protocols import SmsProvider
from iprog_async._routing.base import Router, gateways_of


if TYPE_CHECKING:
    import httpx


def check_exclusive(
    pool: HttpPool | None,
    http: httpx.AsyncClient | None,
    engine: EngineName | None,
    *of_pool: object,
) -> None:
    """Raise `ConfigurationError` if arguments exclude one another.

    Args:
        pool: Connections shared with other clients.
        http: The caller's own client.
        engine: What moves the bytes.
        of_pool: Settings that a pool has already; `None` for those that were not given.
    """
    if sum(given is not None for given in (pool, http, engine)) > 1:
        raise ConfigurationError("give one of pool=, http= and engine=, not several")
    if pool is not None and any(given is not None for given in of_pool):
        raise ConfigurationError(
            "max_connections=, verify= and user_agent= belong to the pool you gave"
        )


def check_open_journal(journal: object) -> None:
    """Raise `ConfigurationError` if a client's journal is not an open one."""
    if journal is not None and not isinstance(journal, Journal):
        check_asynchronous("journal", journal)
        raise ConfigurationError("here journal= is an open journal: Journal.open(path)")


def open_pool(
    http: httpx.AsyncClient | None,
    engine: EngineName | None,
    max_connections: int | None,
    verify: ssl.SSLContext | Literal[True],
    user_agent: str | None,
) -> HttpPool:
    """Return a client's own pool, with the defaults of a client."""
    return HttpPool(
        engine="httpx" if engine is None else engine,
        max_connections=100 if max_connections is None else max_connections,
        verify=verify,
        http=http,
        user_agent=user_agent,
    )


def prepare_pool(
    pool: HttpPool, provider: SmsProvider, journal: Journal | None
) -> Callable[[Journal], None]:
    """Make a pool fit for a client's gateways.

    Args:
        pool: What counts the calls of each account.
        provider: Bound to the client.
        journal: The client's, if it has one.

    Returns:
        What has the client share rates, pauses and circuit breakers with all processes that use
        a journal; the client's own is the first.

    Raises:
        ConfigurationError: The environment keeps requests from a gateway.
    """
    for gateway in gateways_of(provider):
        address: object = getattr(gateway, "base_url", None)
        # A provider that names its host in another way is checked when it makes a request.
        if isinstance(address, str):
            pool.engine.check(address)
    share = partial(_share_limits, pool, provider)
    if journal is not None:
        share(journal)
    return share


def _share_limits(pool: HttpPool, provider: SmsProvider, journal: Journal) -> None:
    # A clock of somebody's own is a test's, and waits for no other process.
    if isinstance(pool.clock, SystemClock):
        limits = pool.share(journal.limits())
        if isinstance(provider, Router):
            provider.share_breakers(limits)
