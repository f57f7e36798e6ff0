"""The same time limit for many calls, over one timer of the event loop.

Nearly all calls end long before their limit; a timer for each would cost a send a tenth of its
CPU time, for nothing.
"""

from __future__ import annotations

import asyncio


class Timeouts:
    """Hands out timeouts of one length.

    Args:
        seconds: Their length.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # In order of their end, because all are equally long.
        self._ends: dict[asyncio.Timeout, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> asyncio.Timeout:
        """Return a timeout to be entered at once, as `async with` does; `end` has to follow."""
        loop = asyncio.get_running_loop()
        timeout = asyncio.timeout(None)
        self._ends[timeout] = ends_at = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_at(ends_at, self._look, loop)
        return timeout

    def end(self, timeout: asyncio.Timeout) -> None:
        """Forget a timeout that has been left."""
        self._ends.pop(timeout, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """End those whose time is over, and look again when the next one's is."""
        self._timer = None
        now = loop.time()
        for timeout, ends_at in list(self._ends.items()):
            if ends_at > now:
                self._timer = loop.call_at(ends_at, self._look, loop)
                return
            del self._ends[timeout]
            timeout.reschedule(now)
