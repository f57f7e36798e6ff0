"""Time limits over real sockets that are over at once: the time of an event loop jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def jumping_time() -> Generator[Callable[[float], None]]:
    """Let the time of the running loop jump ahead, when told by how many seconds.

    A limit that only has to be reached can so be one that no busy machine reaches by itself.
    """
    loop = asyncio.get_running_loop()
    real, ahead = loop.time, 0.0

    def jump(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    def time() -> float:
        return real() + ahead

    with mock.patch.object(loop, "time", time):
        yield jump
