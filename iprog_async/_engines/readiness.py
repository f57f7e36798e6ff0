"""Asking the system about a socket that the event loop has not looked at yet."""

from __future__ import annotations

import select
from collections.abc import Callable


def poller(fileno: int) -> Callable[[], object]:
    """Return what tells whether a socket has something to read, or is closed."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(fileno, select.POLLIN)
        return lambda: poll.poll(0)
    return lambda: select.select([fileno], [], [], 0)[0]  # Windows has no poll
