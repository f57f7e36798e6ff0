"""Sending to many: messages in, outcomes out, bounded memory in between."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from decimal import Decimal
from itertools import compress
from typing import Self

from iprog_async._bulk.counts import Counts, count_tally
from iprog_async._bulk.delivery_failures import Deliveries
from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.outcome_stream import OutcomeStream
from iprog_async._bulk.preparation import Preparation, Window
from iprog_async._bulk.send_queue import Departure, Departures
from iprog_async._bulk.source import Messages
from iprog_async._bulk.spending import PriceDifference, Spending
from iprog_async._core.clock import Clock
from iprog_async._core.errors import (
    ConfigurationError,
    DeliveryFailedError,
    JournalConflictError,
    JournalError,
    RunHaltedError,
    SmsError,
)
from iprog_async._core.messages import Batch
from iprog_async._core.observers import NULL_OBSERVERS, Observers
from iprog_async._core.outcomes import NotSent, Outcome, Unknown, unclear
from iprog_async._http.send_context import (
    Withdrawal,
    active_unknown_bound,
    active_withdrawal,
    was_in_flight,
    was_withdrawn,
)
from iprog_async._journal.journal import Journal
from iprog_async._journal.ledger import Ledger
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.batching import fewest
from iprog_async._sending.bisect_batch import Bisection
from iprog_async._sending.submit import log_halt, log_outcome, logging_enabled, submit
from iprog_async._sending.tally import Tally, tally_of


class BulkRun:
    """A run over many messages: an async context manager to iterate over, once.

    Leaving the `async with` block stops the sending, however it is left.

    Args:
        provider: A bound provider.
        messages: What to send; an iterable or async iterable, read a window at a time.
        clock: What tells the time.
        options: What the caller asked for.
        journal: An open journal, or the path of one that is opened for this run.
        observers: Who is told of what is sent.
    """

    def __init__(
        self,
        provider: SmsProvider,
        messages: Messages,
        clock: Clock,
        options: BulkOptions,
        *,
        journal: Journal | str | os.PathLike[str] | None = None,
        observers: Observers = NULL_OBSERVERS,
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._observers = observers
        self._deliveries = Deliveries(options.halt_after_failed)
        self._recalls = [Withdrawal() for _ in range(options.concurrency)]
        self._most_unknown = options.halt_after_unknown
        self._departures = Departures(provider, self._most_unknown, options.max_credits)
        self._spending = Spending()
        self._preparation = Preparation(provider, messages, options, clock)
        self._exhausted = False
        self._stopping = False
        self._stopped = False
        self._halted: SmsError | None = None
        self._abandoned: list[Unknown] = []
        self._in_flight = 0
        self._turn = asyncio.Lock()
        self._ahead: asyncio.Task[Window] | None = None
        self._stream = OutcomeStream(options.concurrency, self._halt)
        self._task: asyncio.Task[None] | None = None
        self._journal = journal
        self._own_journal: Journal | None = None
        self._ledger: Ledger | None = None
        self._finished = False
        self.counts = Counts()

    @property
    def halted(self) -> SmsError | None:
        """Why the run stopped by itself, or `None`."""
        return self._halted

    @property
    def failing(self) -> DeliveryFailedError | None:
        """What is wrong if the first twenty texts were accepted and have all failed; or `None`."""
        return self._deliveries.failing

    @property
    def in_flight(self) -> int:
        """Messages whose turn has come, and which have no outcome yet."""
        return self._in_flight

    @property
    def credits(self) -> Decimal:
        """What this run has spent, with what may have been: unknown outcomes count as sent.

        It is what the gateways say they took, and no less than a credit for each segment.
        """
        return self._spending.credits

    @property
    def price_difference(self) -> PriceDifference | None:
        """The first text for which a gateway took other than a credit for each segment."""
        return self._spending.difference

    @property
    def abandoned(self) -> Sequence[Unknown]:
        """What was on its way when the run was closed: it may have been sent."""
        return tuple(self._abandoned)

    def stop(self) -> None:
        """Send nothing more; what is on its way still comes to its outcome.

        What waits for a connection, for the rate, in a pause or between two tries is not sent.
        What is left of a batch that was refused for one recipient keeps that refusal, as one
        that could heal.
        """
        self._take_no_more()
        self._stopped = True
        for recall in self._recalls:
            recall.withdraw()

    def _take_no_more(self) -> None:
        self._stopping = True
        self._preparation.stop()
        self._departures.close()

    async def drain(self) -> Counts:
        """Read all outcomes without looking at them, and return the counts.

        Raises:
            RunHaltedError: The run stopped itself; what it did not send is certainly not sent.
        """
        async for _ in self:
            # Nobody looks at the others of the same batch either.
            self._stream.current.clear()
        return self.counts

    async def aclose(self) -> None:
        """Stop at once; requests under way are abandoned, see `abandoned`."""
        self.stop()
        self._finished = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._stream.close()
        try:
            await self._preparation.aclose()
        finally:
            if self._ledger is not None:
                self._ledger.end()
            if self._own_journal is not None:
                await asyncio.to_thread(self._own_journal.close)

    async def __aenter__(self) -> Self:
        if self._task is not None or self._finished:
            raise ConfigurationError("a bulk run can be entered once; make another")
        try:
            await self._open_journal()
            await self._preparation.open(self._ledger)
        except BaseException:
            await self.aclose()
            raise
        self._task = asyncio.create_task(self._run())
        return self

    async def _open_journal(self) -> None:
        journal = self._journal
        if journal is not None and not isinstance(journal, Journal):
            # Checking a large file takes a moment, which belongs to nobody else's tasks.
            journal = self._own_journal = await Journal.open_aside(journal)
        if journal is not None:
            self._ledger = await Ledger.of_run(
                journal, one_per_number=self._preparation.one_per_number
            )

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        if self._task is None:
            # Outside of `async with`, a `break` would leave the run sending in the background.
            raise ConfigurationError(
                "a bulk run is used as: async with client.send_many(…) as run: async for … in run"
            )
        current = self._stream.current
        while not current:
            if self._finished:
                raise StopAsyncIteration
            if not (await self._stream.read_on() or self._finished):
                await self._end()
        return current.popleft()

    async def _end(self) -> None:
        self._finished = True
        if self._task is not None:
            # Raises what the source raised.
            await self._task
        if self._halted is not None:
            raise RunHaltedError(self._halted, self.counts.unknown)

    async def _run(self) -> None:
        workers = [self._start(recall) for recall in self._recalls]
        try:
            await asyncio.gather(*workers)
            if self._halted is not None:
                error = RunHaltedError(self._halted, self.counts.unknown)
                if error.unknown:
                    log_halt(self._provider, error)
                await self._report(await self._give_up(error))
        except asyncio.CancelledError:
            raise
        except Exception:
            # The source failed: let what was taken come to its outcome, then tell the reader.
            self._take_no_more()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        finally:
            reading = [] if self._ahead is None else [self._ahead]
            for task in (*workers, *reading):
                task.cancel()
            await asyncio.gather(*workers, *reading, return_exceptions=True)
            if self._ledger is not None:
                self._ledger.end()
            if not self._finished:
                await self._stream.end()

    def _start(self, recall: Withdrawal) -> asyncio.Task[None]:
        worker = asyncio.create_task(self._work(recall))
        recall.belongs_to(worker)
        return worker

    async def _work(self, recall: Withdrawal) -> None:
        active_withdrawal.set(recall)
        active_unknown_bound.set(self._most_unknown)
        while (departure := await self._claim()) is not None:
            self._in_flight += len(departure[0])
            try:
                await self._submit(departure)
            finally:
                self._departures.arrive(departure)

    async def _submit(self, departure: Departure) -> None:
        """Send a batch; halve it while one recipient makes the gateway refuse all of it.

        After an unknown outcome, or once the run was stopped, what is left keeps its refusal.
        """
        batch, at_risk = departure
        parts = Bisection(batch, fewest(batch, self._provider))
        while parts:
            part, outcomes = parts.next(may_ask=not self._stopped)
            started = self._clock.monotonic()
            if not outcomes:
                outcomes = await self._submit_part(part)
                if parts.split(outcomes):
                    if self._ledger is not None:
                        # Until it is its turn again it waits, also if the run ends before.
                        self._ledger.claim(part).give_back()
                    continue
                if self._stopping:
                    part, outcomes = self._put_back(part, outcomes)
                    if not part:
                        continue
                tally = tally_of(part, outcomes)
                self._watch(part, outcomes, tally, at_risk=at_risk)
            else:
                tally = tally_of(part, outcomes)
            seconds = self._clock.monotonic() - started
            self._in_flight -= len(outcomes)
            self._departures.settle(outcomes)
            self._spending.add(tally)
            # The disk holds up the reader, who must see nothing before it is on record, and
            # not the worker.
            recorded = None if self._ledger is None else self._ledger.record(part, outcomes)
            self._log(part, outcomes, seconds)
            count_tally(self.counts, tally)
            await self._stream.put(outcomes, recorded)

    def _put_back(
        self, part: Batch, outcomes: Sequence[Outcome]
    ) -> tuple[Batch, Sequence[Outcome]]:
        """Let what was called back wait again, and return the others with their outcomes."""
        recalled = [was_withdrawn(outcome) for outcome in outcomes]
        if not any(recalled):
            return part, outcomes
        back = tuple(compress(part, recalled))
        self._departures.put_back(back, list(compress(outcomes, recalled)))
        self._in_flight -= sum(recalled)
        others = [not called_back for called_back in recalled]
        return tuple(compress(part, others)), list(compress(outcomes, others))

    async def _submit_part(self, part: Batch) -> Sequence[Outcome]:
        try:
            claim = None if self._ledger is None else self._ledger.claim(part)
            return await submit(self._provider, part, claim, self._observers)
        except asyncio.CancelledError as exc:
            if was_in_flight(exc):
                self._abandon(part)
            raise

    def _log(self, part: Batch, outcomes: Sequence[Outcome], seconds: float) -> None:
        if not (self._observers or logging_enabled()):
            return
        for prepared, outcome in zip(part, outcomes, strict=True):
            log_outcome(self._provider, prepared, outcome, seconds, self._observers)

    async def _claim(self) -> Departure | None:
        """Return the next batch; `None` when there is nothing more to send."""
        departures = self._departures
        while not self._stopping:
            departure = departures.take()
            if departures.exceeded is not None:
                # What was taken before is paid for, and goes on.
                self._halted = self._halted or departures.exceeded
                self._take_no_more()
            if departure is not None:
                return departure
            if departures:
                await departures.wait()
            elif not await self._read_on():
                return None
        return None

    async def _read_on(self) -> bool:
        """Take a window if nothing waits; return whether there was one, or something waits."""
        async with self._turn:
            if self._departures or self._stopping:
                return True
            if self._exhausted:
                return False
            refused: list[Outcome] = []
            await self._refill(refused)
            if refused:
                # Still in turn: while the reader is slow nobody else may read on.
                await self._report(refused)
        return True

    async def _refill(self, refused: list[Outcome]) -> None:
        """Take a window; the outcomes of what is not to be sent go to `refused`.

        The next one is read while this one is sent, so that no connection waits for it.
        """
        if self._ahead is None:
            self._ahead = asyncio.create_task(self._preparation.next_window())
        window = await self._ahead
        self._exhausted = window.last
        self._ahead = None
        if not window.last:
            self._ahead = asyncio.create_task(self._preparation.next_window())
        self._adopt(window, refused)
        if window.problem is not None:
            # What was read waits; it is given up with all the others that were not sent.
            self._halt(window.problem)

    def _adopt(self, window: Window, settled: list[Outcome]) -> None:
        self.counts.resumed += sum(_was_settled(outcome) for outcome in window.known)
        settled += window.refused
        settled += window.known
        self._departures.add(window.batches)

    def _watch(
        self, part: Batch, outcomes: Sequence[Outcome], tally: Tally, *, at_risk: bool
    ) -> None:
        """Halt on a refusal that every message would meet, and when too many may be lost.

        Of texts that were accepted and have failed, each one counts.
        """
        unknown = self._departures.note(part, tally, at_risk=at_risk)
        if unknown is not None:
            self._halt(unknown)
        if tally.account is not None:
            self._halt(tally.account)
        if (failing := self._deliveries.note(outcomes, tally)) is not None:
            self._halt(failing)

    def _halt(self, cause: SmsError) -> None:
        self._halted = self._halted or cause
        self.stop()

    async def _give_up(self, error: RunHaltedError) -> list[Outcome]:
        """Return the outcomes of all that was read and not sent."""
        settled: list[Outcome] = []
        if self._ahead is not None:
            # If the source fails now, the reader learns that the run has halted all the same.
            for read in await asyncio.gather(self._ahead, return_exceptions=True):
                if isinstance(read, Window):
                    self._adopt(read, settled)
        waiting = [*self._departures, *self._preparation.carried]
        return settled + [NotSent(waits.index, waits.message, error) for waits in waiting]

    def _abandon(self, batch: Batch) -> None:
        reason = "the run was closed while the request was on its way"
        lost = [unclear(prepared, self._provider.name, reason) for prepared in batch]
        self._log(batch, lost, 0.0)
        self._abandoned.extend(lost)
        self.counts.unknown += len(lost)

    async def _report(self, outcomes: Sequence[Outcome]) -> None:
        """Pass on the outcomes of what no request was made for."""
        self.counts.add(outcomes)
        await self._stream.put(outcomes)


def _was_settled(outcome: Outcome) -> bool:
    """Return whether an earlier run came to this outcome; a conflict is this run's own."""
    return not (
        isinstance(outcome, NotSent)
        and isinstance(outcome.error, (JournalConflictError, JournalError))
    )
