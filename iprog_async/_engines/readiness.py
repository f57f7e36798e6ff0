"""Asking about a connection that the event loop has not looked at yet."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from functools import partial

from iprog_async._engines.tls import TlsTransport


def poller(transport: asyncio.BaseTransport) -> Callable[[], object]:
    """Return what tells whether a connection has something to read, or is closed."""
    in_kernel = _of_system(transport.get_extra_info("socket").fileno())
    if isinstance(transport, TlsTransport):
        return lambda: transport.within_record or in_kernel()
    return in_kernel


def _of_system(fileno: int) -> Callable[[], object]:
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fileno, select.POLLIN)
        return partial(poll.poll, 0)
    return lambda: select.select([fileno], [], [], 0)[0]  # Windows has no poll
