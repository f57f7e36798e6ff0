"""What Ctrl-C does while many texts are sent."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def on_ctrl_c(*actions: Callable[[], None]) -> Generator[None]:
    """Let each Ctrl-C do its own thing inside the loop; one more interrupts as usual.

    Args:
        actions: What the first does, the second, and so on.
    """
    loop = asyncio.get_running_loop()
    waiting = list(actions)

    def press(number: int, frame: FrameType | None) -> None:
        if waiting:
            loop.call_soon_threadsafe(waiting.pop(0))
        else:
            signal.default_int_handler(number, frame)

    with _handling(press):
        yield


@contextmanager
def ctrl_c_interrupts() -> Generator[None]:
    """Let Ctrl-C interrupt what blocks the loop; asyncio's own handler would wait for it."""
    with _handling(signal.default_int_handler):
        yield


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], Any]) -> Generator[None]:
    with contextlib.ExitStack() as stack:
        # Only the main thread may have handlers, and only it gets the signal.
        with contextlib.suppress(ValueError):
            stack.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, handler))
        yield
