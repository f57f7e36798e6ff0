"""The workers of a run: they take batches, submit them, and pass on what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from iprog_async._bulk.delivery_failures import Deliveries
from iprog_async._bulk.endings import Endings
from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.outcome_stream import OutcomeStream
from iprog_async._bulk.preparation import Preparation, Window
from iprog_async._bulk.progress import State, was_settled
from iprog_async._bulk.read_ahead import ReadAhead
from iprog_async._bulk.send_queue import Departure, Departures, SendLimits
from iprog_async._bulk.waiting_rows import WaitingRows
from iprog_async._core.clock import Clock
from iprog_async._core.errors import RunHaltedError, SmsError
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.observers import NULL_OBSERVERS, Observers
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._http.send_context import (
    SendContext,
    Withdrawal,
    active_send,
    was_in_flight,
)
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._policies.gate import Admission, Admissions
from iprog_async._policies.patience import Patience
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.batching import fewest, plan_batches
from iprog_async._sending.bisect_batch import Bisection, as_too_few
from iprog_async._sending.sift import Sifted, look_again, sift, sift_refused, was_taken
from iprog_async._sending.submit import log_halt, submit
from iprog_async._sending.tally import Tally, tally_of


class WorkerPool:
    """Sends the messages of a preparation with so many workers, and puts the outcomes in a stream.

    Args:
        provider: A bound provider.
        preparation: Where the messages come from.
        clock: What tells the time.
        options: How many workers there are, and what makes them halt.
        observers: Who is told of what is sent.
        limits: What bounds it; those of the options if `None`.
        admissions: What asks the client's policies, if it has any.
    """

    def __init__(
        self,
        provider: SmsProvider,
        preparation: Preparation,
        clock: Clock,
        options: BulkOptions,
        observers: Observers = NULL_OBSERVERS,
        limits: SendLimits | None = None,
        admissions: Admissions | None = None,
    ) -> None:
        self.state = State.READING
        self.halted: SmsError | None = None
        """Why it stopped by itself, if it did."""
        self.deliveries = Deliveries(options.halt_after_failed)
        self.stream = OutcomeStream(options.concurrency, self.halt)
        self._provider = provider
        self._preparation = preparation
        self._clock = clock
        self._observers = observers
        self._most_unknown = options.halt_after_unknown
        self._departures = Departures(provider, limits or SendLimits.of_options(options))
        self.endings = Endings(provider, self._departures, self.stream, observers, admissions)
        self._withdrawals = [Withdrawal() for _ in range(options.concurrency)]
        self._ahead = ReadAhead(preparation)
        self._admissions = admissions
        self._waiting = WaitingRows(clock, self._resume)
        self._turn = asyncio.Lock()
        self._ledger: Ledger | None = None

    def waiting(self) -> dict[int, datetime]:
        """Return until when messages wait that a policy holds back, by their index."""
        return self._waiting.times()

    def stop(self) -> None:
        """Send nothing more; what is on its way still comes to its outcome."""
        self._take_no_more()
        self.move_on(State.STOPPED)
        for withdrawal in self._withdrawals:
            withdrawal.withdraw()

    def halt(self, cause: SmsError) -> None:
        """Stop for a reason, of which the first counts."""
        self.halted = self.halted or cause
        self.stop()

    def move_on(self, state: State) -> None:
        """Note that the run has come so far, if it is not further already."""
        self.state = max(self.state, state)

    def _take_no_more(self) -> None:
        self.move_on(State.DRAINING)
        self._preparation.stop()
        self._departures.close()

    async def run(self, ledger: Ledger | None) -> None:
        """Send everything; done when the last outcome is in the stream.

        Args:
            ledger: Keeps on record what is sent, if it is kept; it is ended.

        Raises:
            Exception: Whatever the source raised, once what was taken has come to its outcome.
        """
        self._ledger = self.endings.ledger = ledger
        workers = [self._start(withdrawal) for withdrawal in self._withdrawals]
        try:
            await asyncio.gather(*workers)
            if self.halted is not None:
                error = RunHaltedError(self.halted, self.endings.counts.unknown)
                if error.unknown:
                    log_halt(self._provider, error)
                await self.endings.report(await self._give_up(error))
        except Exception:
            # The source failed: let what was taken come to its outcome, then tell the reader.
            self._take_no_more()
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        finally:
            for worker in workers:
                worker.cancel()
            self._waiting.stop()
            try:
                await asyncio.gather(*workers, self._ahead.cancel(), return_exceptions=True)
                if self._admissions is not None:
                    await self._admissions.end()
            finally:
                # Also if it is cancelled once more, while policies are told.
                if self._ledger is not None:
                    self._ledger.end()
                if self.state is not State.ENDED:
                    self.stream.end()

    def _start(self, withdrawal: Withdrawal) -> asyncio.Task[None]:
        worker = asyncio.create_task(self._work(withdrawal))
        withdrawal.belongs_to(worker)
        return worker

    async def _work(self, withdrawal: Withdrawal) -> None:
        active_send.set(SendContext(None, withdrawal, self._most_unknown))
        patience = Patience(self._clock)
        # Asked at once first: mostly there is one, and no coroutine has to be made to get it.
        while (departure := self._take() or await self._wait_for_one()) is not None:
            self.endings.in_flight += len(departure[0])
            try:
                came_back = await self._send(departure)
            finally:
                self._departures.arrive(departure)
            if (came_back or patience.in_a_row) and patience.ends(withdrawn=came_back):
                await patience.pause()

    def _take(self) -> Departure | None:
        """Return the next batch, if one may leave now."""
        if self.state >= State.DRAINING:
            return None
        departures = self._departures
        departure = departures.take()
        if departures.exceeded is not None:
            # What was taken before is paid for, and goes on.
            self.halted = self.halted or departures.exceeded
            self._take_no_more()
        return departure

    async def _wait_for_one(self) -> Departure | None:
        """Return the next batch; `None` when there is nothing more to send."""
        departures = self._departures
        while self.state < State.DRAINING:
            departure = self._take()
            if departure is not None:
                return departure
            if departures or self._waiting.is_full:
                await departures.wait()
            elif not await self._read_on() and not departures:
                if not self._waiting:
                    return None
                await departures.wait()
        return None

    async def _read_on(self) -> bool:
        """Take a window if nothing waits; return whether there was one, or something waits."""
        departures = self._departures
        async with self._turn:
            if departures or self.state >= State.DRAINING:
                return True
            if self.state is State.READ:
                return False
            if self._admissions is not None:
                # What waits for its time must not wait for a slow source as well.
                while not (reading := self._ahead.reading()).done():
                    await departures.wait_for_any(reading)
                    if departures or self.state >= State.DRAINING:
                        return True
            window = await self._ahead.next_window()
            if window.last:
                self.move_on(State.READ)
            refused = self._adopt(window)
            if window.problem is not None:
                # What was read waits; it is given up with all the others that were not sent.
                self.halt(window.problem)
            if refused:
                # Still in turn: while the reader is slow nobody else may read on.
                await self.endings.report(refused)
        return True

    def _adopt(self, window: Window) -> list[Outcome]:
        """Let a window's batches wait; return the outcomes of what is not to be sent."""
        self.endings.counts.resumed += sum(was_settled(outcome) for outcome in window.known)
        self._departures.add(window.batches)
        return [*window.refused, *window.known]

    async def _send(self, departure: Departure) -> bool:
        """Send a batch, halved while one recipient has all refused; return if some waits again.

        After an unknown outcome, or once the run was stopped, what is left keeps its refusal. It
        has none if it was somebody else who had one of them.
        """
        batch, at_risk = departure
        if self._admissions is not None:
            batch = await self._admit(batch, self._admissions)
            if not batch:
                return False
        if len(batch) == 1:
            # As where everybody is told something else: one can't be halved.
            outcomes, seconds, claim = await self._submit(batch)
            tally = tally_of(batch, outcomes)
            if tally.accepted and self._admissions is None:
                # As nearly always: it has left, and nobody else has to be asked.
                self._watch(batch, outcomes, tally, at_risk=at_risk)
                if self.stream.add(*self.endings.note_ended(batch, outcomes, tally, seconds)):
                    await self.stream.room()
                return False
            sifted = await self._end(batch, outcomes, seconds, claim, at_risk=at_risk)
            return sifted is not None and await self._end_later(sifted)
        still_open = Sifted()
        parts = Bisection(batch, fewest(batch, self._provider))
        while parts:
            part, outcomes = parts.next(may_ask=self.state < State.STOPPED)
            seconds, claim = 0.0, None
            if not outcomes:
                outcomes, seconds, claim = await self._submit(part)
                if parts.split(outcomes):
                    if self._ledger is not None:
                        # Until it is its turn again it waits, also if the run ends before.
                        self._ledger.claim(part).give_back()
                    continue
            elif not was_taken(outcomes):
                # It was given back until it would be its turn again.
                still_open.add_refused(part, outcomes)
                continue
            if sifted := await self._end(part, outcomes, seconds, claim, at_risk=at_risk):
                still_open.add_open(sifted)
        return await self._end_later(still_open)

    async def _end(
        self,
        part: Batch,
        outcomes: Sequence[Outcome],
        seconds: float,
        claim: RowsClaim | None,
        *,
        at_risk: bool,
    ) -> Sifted | None:
        """Settle what came of a request; return those of it that have no outcome, if there are."""
        sifted: Sifted | None = None
        if self.state >= State.DRAINING or self._admissions is not None or was_taken(outcomes):
            sifted = sift(part, outcomes, recorded=self._ledger is not None)
            part, outcomes = sifted.settled, sifted.outcomes
        if part:
            tally = tally_of(part, outcomes)
            self._watch(part, outcomes, tally, at_risk=at_risk)
            if tally.not_sent and claim is not None and self._ledger is not None:
                claimed = sift_refused(part, outcomes, claim, self._ledger)
                if claimed.refused:
                    part, outcomes = claimed.settled, claimed.outcomes
                    tally = tally_of(part, outcomes)
                    claimed.add_open(sifted or Sifted())
                    sifted = claimed
            if part:
                await self.endings.settle(part, outcomes, tally, seconds)
        return sifted

    async def _end_later(self, still_open: Sifted) -> bool:
        """Settle what others had, and let the withdrawn wait again; return if any does."""
        back, withdrawn = still_open.back, still_open.withdrawn
        if still_open.refused:
            await self.endings.settle_refused(still_open.refused, still_open.refusals)
        if still_open.taken and self._ledger is not None:
            # What has left is noted by now: others may be at theirs for a minute.
            found, ended = await look_again(still_open, self._ledger)
            await self.endings.settle_taken(found, ended)
            back, withdrawn = back + found.back, withdrawn + found.withdrawn
        if back:
            # Last: if the run is closed meanwhile, nothing of it has left.
            await self._put_back(back, withdrawn)
        return bool(back)

    async def _submit(self, part: Batch) -> tuple[Sequence[Outcome], float, RowsClaim | None]:
        """Make a request; return its outcomes, how many seconds it took, and its claim."""
        started = self._clock.monotonic()
        try:
            claim = None if self._ledger is None else self._ledger.claim(part)
            permit = None if self._admissions is None else self._admissions.permit(part)
            outcomes = await submit(self._provider, part, claim, self._observers, permit)
            # Only what is scheduled can be too few, and this is done for each text.
            scheduled = part[0].message.schedule_at is not None
            if scheduled and len(part) < fewest(part, self._provider):
                outcomes = [as_too_few(outcome) for outcome in outcomes]
            return outcomes, self._clock.monotonic() - started, claim
        except asyncio.CancelledError as exc:
            if was_in_flight(exc):
                lost = self.endings.abandon(part)
                if self._admissions is not None:
                    await self._admissions.settle(lost)
            raise

    async def _put_back(self, batch: Batch, withdrawn: Sequence[Outcome]) -> None:
        """Let what was withdrawn wait again."""
        if self._admissions is not None:
            batch = await self._admissions.take_back(withdrawn)
        self._departures.put_back(batch, withdrawn)
        self.endings.in_flight -= len(batch)

    async def _admit(self, batch: Batch, admissions: Admissions) -> Batch:
        """Ask the policies about messages whose turn has come; return those that may leave now."""
        admission = await admissions.admit(batch)
        if len(admission.allowed) < len(batch):
            await self._hold_back(admission)
            if self._departures.has_company(admission.allowed):
                await self._put_back(admission.allowed, admission.withdrawn())
                return ()
        return admission.allowed

    async def _hold_back(self, admission: Admission) -> None:
        """Let wait what has to, and pass on the outcomes of what is refused."""
        held_back = admission.held_back()
        self._departures.settle(held_back)
        self.endings.in_flight -= len(held_back)
        for prepared, held in admission.waiting:
            self._waiting.add(held.time, prepared)
        if admission.rewritten:
            # Another text travels with others, and may have other segments.
            self._resume(admission.rewritten)
        if admission.refused:
            await self._refuse(*zip(*admission.refused, strict=True))

    async def _refuse(self, rows: Batch, outcomes: Sequence[NotSent]) -> None:
        for outcome in outcomes:
            if outcome.error.blame == "account":
                self.halt(outcome.error)
        await self.endings.refuse(rows, outcomes)

    def _resume(self, rows: Sequence[PreparedMessage]) -> None:
        """Let rows wait for their turn whose time has come."""
        self._departures.resume(plan_batches(rows, self._provider.batching).batches)

    def _watch(
        self, part: Batch, outcomes: Sequence[Outcome], tally: Tally, *, at_risk: bool
    ) -> None:
        """Halt on a refusal that every message would meet, and on too many lost or failed ones."""
        unknown = self._departures.note(part, tally, at_risk=at_risk)
        if unknown is not None:
            self.halt(unknown)
        if tally.account is not None:
            self.halt(tally.account)
        if (failing := self.deliveries.note(outcomes, tally)) is not None:
            self.halt(failing)

    async def _give_up(self, error: RunHaltedError) -> list[Outcome]:
        """Return the outcomes of all that was read and not sent."""
        settled = [outcome for read in await self._ahead.rest() for outcome in self._adopt(read)]
        waiting = [*self._departures, *self._waiting]
        return settled + self._adopt(await self._preparation.give_up(waiting, error))
