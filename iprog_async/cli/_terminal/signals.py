"""What Ctrl-C and SIGTERM do while many texts are sent."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def on_interrupts(*actions: Callable[[signal.Signals], None]) -> Generator[None]:
    """Let each Ctrl-C or SIGTERM do its own thing inside the loop; one more interrupts as usual.

    Args:
        actions: What the first does, the second, and so on; each is told which signal it was.
    """
    loop = asyncio.get_running_loop()
    waiting = list(actions)

    def press(number: int, frame: FrameType | None) -> None:
        if waiting:
            loop.call_soon_threadsafe(waiting.pop(0), signal.Signals(number))
        else:
            signal.default_int_handler(number, frame)

    with _handling(press, signal.SIGINT, signal.SIGTERM):
        yield


@contextmanager
def ctrl_c_interrupts() -> Generator[None]:
    """Let Ctrl-C interrupt what blocks the loop; asyncio's own handler would wait for it."""
    with _handling(signal.default_int_handler, signal.SIGINT):
        yield


@contextmanager
def _handling(
    handler: Callable[[int, FrameType | None], Any], *signals: signal.Signals
) -> Generator[None]:
    with contextlib.ExitStack() as stack:
        # Only the main thread may have handlers, and only it gets the signals.
        with contextlib.suppress(ValueError):
            for number in signals:
                stack.callback(signal.signal, number, signal.signal(number, handler))
        yield
