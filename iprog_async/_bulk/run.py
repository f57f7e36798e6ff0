"""Sending to many: messages in, outcomes out, bounded memory in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self

from attrs import frozen

from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.preparation import Preparation
from iprog_async._bulk.progress import Counts, State
from iprog_async._bulk.send_queue import SendLimits
from iprog_async._bulk.source import Messages
from iprog_async._bulk.spending import PriceDifference
from iprog_async._bulk.worker_pool import WorkerPool
from iprog_async._core.clock import Clock
from iprog_async._core.errors import (
    ConfigurationError,
    DeliveryFailedError,
    RunHaltedError,
    SmsError,
)
from iprog_async._core.observers import NULL_OBSERVERS, Observers
from iprog_async._core.outcomes import Outcome, Unknown
from iprog_async._journal.journal import Journal
from iprog_async._journal.ledger import Ledger
from iprog_async._policies.gate import Admissions
from iprog_async._providers.protocols import SmsProvider


@frozen
class SharedRun:
    """What a run shares with those of other processes, which are all one.

    Args:
        number: Its number in the journal.
        limits: What bounds this part of it.
    """

    number: int
    limits: SendLimits


class BulkRun:
    """A run over many messages: an async context manager to iterate over, once.

    Leaving the `async with` block stops the sending, however it is left.

    Args:
        provider: A bound provider.
        messages: What to send; an iterable or async iterable, read a window at a time.
        clock: What tells the time.
        options: What the caller asked for.
        journal: An open journal, or the path of one that is opened for this run.
        opened: Told of the journal once it is open.
        observers: Who is told of what is sent.
        shared: What it shares with other processes that are at the same run, if there are any.
        admissions: What asks the client's policies, if it has any.
    """

    def __init__(
        self,
        provider: SmsProvider,
        messages: Messages,
        clock: Clock,
        options: BulkOptions,
        *,
        journal: Journal | str | os.PathLike[str] | None = None,
        opened: Callable[[Journal], None] = lambda _: None,
        observers: Observers = NULL_OBSERVERS,
        shared: SharedRun | None = None,
        admissions: Admissions | None = None,
    ) -> None:
        self._preparation = Preparation(provider, messages, options, clock)
        limits = None if shared is None else shared.limits
        self._pool = WorkerPool(
            provider, self._preparation, clock, options, observers, limits, admissions
        )
        self._sending: asyncio.Task[None] | None = None
        self._journal = journal
        self._shared = shared
        self._own_journal: Journal | None = None
        self._opened = opened
        self._ledger: Ledger | None = None
        self.counts = self._pool.endings.counts

    @property
    def halted(self) -> SmsError | None:
        """Why the run stopped by itself, or `None`."""
        return self._pool.halted

    @property
    def failing(self) -> DeliveryFailedError | None:
        """What is wrong if the first twenty texts were accepted and have all failed; or `None`."""
        return self._pool.deliveries.failing

    @property
    def in_flight(self) -> int:
        """Messages whose turn has come, and which have no outcome yet."""
        return self._pool.endings.in_flight

    @property
    def waiting(self) -> Mapping[int, datetime]:
        """Until when messages wait that a policy holds back, by their index."""
        return self._pool.waiting()

    @property
    def credits(self) -> Decimal:
        """What this run has spent, with what may have been: unknown outcomes count as sent.

        It is what the gateways say they took, and no less than a credit for each segment.
        """
        return self._pool.endings.spending.credits

    @property
    def price_difference(self) -> PriceDifference | None:
        """The first text for which a gateway took other than a credit for each segment."""
        return self._pool.endings.spending.difference

    @property
    def abandoned(self) -> Sequence[Unknown]:
        """What was on its way when the run was closed: it may have been sent."""
        return tuple(self._pool.endings.abandoned)

    def stop(self) -> None:
        """Send nothing more; what is on its way still comes to its outcome.

        What waits for a connection, for the rate, in a pause or between two tries is not sent.
        What is left of a batch that was refused for one recipient keeps that refusal, as one
        that could heal. What others of the same journal are sending is not waited for any more: the
        next run tells it.
        """
        self._pool.stop()

    async def drain(self) -> Counts:
        """Read all outcomes without looking at them, and return the counts.

        Raises:
            RunHaltedError: The run stopped itself, and has sent nothing since.
        """
        while await self._read_on():
            self._pool.stream.current.clear()
        return self.counts

    async def aclose(self) -> None:
        """Stop at once; requests under way are abandoned, see `abandoned`."""
        self._pool.stop()
        self._pool.move_on(State.ENDED)
        # Whoever is cancelled while it closes leaves nothing taken: each step is made all the same.
        try:
            if self._sending is not None:
                self._sending.cancel()
                await asyncio.gather(self._sending, return_exceptions=True)
                await self._pool.stream.close()
        finally:
            try:
                await self._preparation.aclose()
            finally:
                await self._leave_journal()

    async def _leave_journal(self) -> None:
        try:
            if self._ledger is not None:
                self._ledger.end()
                await self._ledger.ended()
        finally:
            if self._own_journal is not None:
                await asyncio.to_thread(self._own_journal.close)

    async def __aenter__(self) -> Self:
        if self._sending is not None or self._ended:
            raise ConfigurationError("a bulk run can be entered once; make another")
        try:
            await self._open_journal()
            await self._preparation.open(self._ledger)
        except BaseException:
            await self.aclose()
            raise
        self._sending = asyncio.create_task(self._pool.run(self._ledger))
        return self

    async def _open_journal(self) -> None:
        journal = self._journal
        if journal is not None and not isinstance(journal, Journal):
            # Checking a large file takes a moment, which belongs to nobody else's tasks.
            journal = self._own_journal = await Journal.open_aside(journal)
        if journal is None:
            return
        self._opened(journal)
        one_per_number = self._preparation.one_per_number
        if self._shared is None:
            self._ledger = await Ledger.of_run(journal, one_per_number=one_per_number)
        else:
            self._ledger = Ledger(
                journal, self._shared.number, one_per_number=one_per_number, shared=True
            )

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        current = self._pool.stream.current
        if not (current or await self._read_on()):
            raise StopAsyncIteration
        return current.popleft()

    async def _read_on(self) -> bool:
        """Wait for an outcome that the reader may take; return whether there is one."""
        if self._sending is None:
            # Outside of `async with`, a `break` would leave the run sending in the background.
            raise ConfigurationError(
                "a bulk run is used as: async with client.send_many(…) as run: async for … in run"
            )
        stream = self._pool.stream
        while not stream.current:
            if self._ended:
                return False
            if not (await stream.read_on() or self._ended):
                await self._end(self._sending)
        return True

    @property
    def _ended(self) -> bool:
        return self._pool.state is State.ENDED

    async def _end(self, sending: asyncio.Task[None]) -> None:
        self._pool.move_on(State.ENDED)
        # Raises what the source raised.
        await sending
        if self._pool.halted is not None:
            raise RunHaltedError(self._pool.halted, self.counts.unknown)
