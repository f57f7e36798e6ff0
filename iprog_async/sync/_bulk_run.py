"""A bulk run for synchronous code: it goes on on the loop, and a thread reads its outcomes."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self

from iprog_async._bulk import run as bulk
from iprog_async._bulk.progress import Counts
from iprog_async._bulk.spending import PriceDifference
from iprog_async._core.checks import Synchronous
from iprog_async._core.errors import ConfigurationError, DeliveryFailedError, SmsError
from iprog_async._core.outcomes import Outcome, Unknown
from iprog_async.sync._calls import Call, Inbox, call, check_thread, close, hear
from iprog_async.sync._loop_thread import LoopThread


# The most outcomes that wait for the thread: it is woken once for all of them.
_MOST_AHEAD = 64


class BulkRun(Synchronous):
    """A run over many messages: a context manager to iterate over, once.

    Leaving the `with` block stops the sending, however it is left. Messages that are not a list
    yet are read in the thread that iterates, between two outcomes.

    Args:
        thread: Where the loop is.
        run: The run there.
        inbox: Where its source asks for messages.
        concurrency: The most outcomes that wait for the thread.
        owner: The client, which stays open as long as the run is there.
    """

    def __init__(
        self,
        thread: LoopThread,
        run: bulk.BulkRun,
        inbox: Inbox,
        *,
        concurrency: int,
        owner: object,
    ) -> None:
        self._thread = thread
        self._run = run
        self._inbox = inbox
        self._owner = owner
        self._most = min(concurrency, _MOST_AHEAD)
        self._ready: deque[Outcome] = deque()
        self._room = asyncio.Event()
        self._pump: Call[None] | None = None
        self._reading = threading.RLock()
        self._entered = False
        self._closed = False
        self._ended = False
        self._told = False
        # Each is set before the other thread's part is looked at, so that one of the two sees it.
        self._waiting = False
        self._full = False

    @property
    def counts(self) -> Counts:
        """How many messages came to which outcome so far."""
        return self._run.counts

    @property
    def halted(self) -> SmsError | None:
        """Why the run stopped by itself, or `None`."""
        return self._run.halted

    @property
    def failing(self) -> DeliveryFailedError | None:
        """What is wrong if the first twenty texts were accepted and have all failed; or `None`."""
        return self._run.failing

    @property
    def in_flight(self) -> int:
        """Messages whose turn has come, and which have no outcome yet."""
        return self._run.in_flight

    @property
    def waiting(self) -> Mapping[int, datetime]:
        """Until when messages wait that a policy holds back, by their index."""
        return self._run.waiting

    @property
    def credits(self) -> Decimal:
        """What this run has spent, with what may have been: unknown outcomes count as sent."""
        return self._run.credits

    @property
    def price_difference(self) -> PriceDifference | None:
        """The first text for which a gateway took other than a credit for each segment."""
        return self._run.price_difference

    @property
    def abandoned(self) -> Sequence[Unknown]:
        """What was on its way when the run was closed: it may have been sent."""
        return self._run.abandoned

    def stop(self) -> None:
        """Send nothing more; what is on its way still comes to its outcome.

        It does not wait, and may be called in any thread and in a signal handler.
        """
        self._thread.post(self._run.stop)

    def drain(self) -> Counts:
        """Read all outcomes without looking at them, and return the counts.

        Raises:
            RunHaltedError: The run stopped itself, and has sent nothing since.
        """
        for _ in self:
            pass
        return self.counts

    def close(self) -> None:
        """Stop at once; requests under way are abandoned, see `abandoned`."""
        self._closed = True
        if self._thread.is_current:
            close(self._thread, self._close())

    async def _close(self) -> None:
        try:
            await self._run.aclose()
        finally:
            if self._pump is not None:
                self._pump.cancel()

    def __enter__(self) -> Self:
        check_thread()
        if self._entered:
            raise ConfigurationError("a bulk run can be entered once; make another")
        self._entered = True
        call(self._thread, self._run.__aenter__())
        self._pump = Call(self._thread, self._read(), self._inbox)
        self._pump.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Outcome:
        pump = self._pump
        if pump is None:
            raise ConfigurationError(
                "a bulk run is used as: with client.send_many(…) as run: for … in run"
            )
        self._thread.check()
        with self._reading:
            while not self._inbox.empty():
                # While outcomes are there already, its messages are read all the same.
                self._hear(pump)
            while not self._ready:
                if self._ended:
                    self._finish(pump)
                    raise StopIteration
                self._waiting = True
                if not self._ready:
                    self._hear(pump)
            outcome = self._ready.popleft()
            if self._full and len(self._ready) <= self._most // 2:
                self._full = False
                self._thread.post(self._room.set)
            return outcome

    def _hear(self, pump: Call[None]) -> None:
        if pump.is_end(hear(self._thread, self._inbox)):
            self._ended = True

    def _finish(self, pump: Call[None]) -> None:
        """Raise what ended the run, once; a run that was closed has just ended."""
        told, self._told = self._told, True
        if not (told or self._closed):
            pump.result()

    async def _read(self) -> None:
        """Read the outcomes, a few ahead of the thread; wake it if it waits for one."""
        async for outcome in self._run:
            self._ready.append(outcome)
            if self._waiting:
                self._waiting = False
                self._inbox.put(None)
            if len(self._ready) >= self._most:
                await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        self._room.clear()
        self._full = True
        # The thread may have taken some before it could see that.
        if len(self._ready) >= self._most:
            await self._room.wait()
        self._full = False
