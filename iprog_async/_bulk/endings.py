"""The ends of a run's messages: counted, put on record, logged, and passed on to its reader."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from iprog_async._bulk.outcome_stream import OutcomeStream, Recorded
from iprog_async._bulk.progress import Counts, count_tally, was_settled
from iprog_async._bulk.send_queue import Departures
from iprog_async._bulk.spending import Spending
from iprog_async._core.messages import Batch
from iprog_async._core.observers import Observers
from iprog_async._core.outcomes import Outcome, Unknown, unclear
from iprog_async._journal.ledger import Ledger
from iprog_async._policies.gate import Admissions
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.sift import Sifted, ask_about_refused
from iprog_async._sending.submit import log_outcome, logging_enabled
from iprog_async._sending.tally import Tally, tally_of


class Endings:
    """Takes what became of messages, and passes it on.

    Args:
        provider: What was to send them.
        departures: Where they came from.
        stream: Where the reader finds their outcomes.
        observers: Who is told of what is sent.
        admissions: What asks the client's policies, if it has any.
    """

    def __init__(
        self,
        provider: SmsProvider,
        departures: Departures,
        stream: OutcomeStream,
        observers: Observers,
        admissions: Admissions | None,
    ) -> None:
        self.in_flight = 0
        """Messages whose turn has come, and which have no outcome yet."""
        self.abandoned: list[Unknown] = []
        """What was on its way when the run was closed: it may have been sent."""
        self.counts = Counts()
        self.spending = Spending()
        self.ledger: Ledger | None = None
        """What keeps them on record, if they are kept."""
        self._provider = provider
        self._departures = departures
        self._stream = stream
        self._observers = observers
        self._admissions = admissions

    async def settle(
        self, part: Batch, outcomes: Sequence[Outcome], tally: Tally, seconds: float
    ) -> None:
        """Note what has become of messages for good, and pass it on."""
        told, recorded = self.note_ended(part, outcomes, tally, seconds)
        if self._admissions is not None:
            try:
                await self._admissions.settle(outcomes)
            except asyncio.CancelledError:
                # They are still there for a reader who goes on.
                self._stream.add(told, recorded)
                raise
        if self._stream.add(told, recorded):
            await self._stream.room()

    def note_ended(
        self, part: Batch, outcomes: Sequence[Outcome], tally: Tally, seconds: float
    ) -> tuple[Sequence[Outcome], Recorded | None]:
        """Count and record what has become of messages; return what the stream takes."""
        self.in_flight -= len(outcomes)
        self._departures.settle(outcomes)
        self.spending.add(tally)
        # The disk holds up the reader, who must see nothing before it is on record, and
        # not the worker.
        recorded, told, still_unknown = None, outcomes, 0
        if self.ledger is not None:
            told, still_unknown = self.ledger.told(outcomes, () if tally.account is None else part)
            recorded = self.ledger.record(part, outcomes)
        self._log(part, told, seconds)
        count_tally(self.counts, tally, still_unknown)
        return told, recorded

    async def settle_taken(self, found: Sifted, ended: Sequence[Outcome]) -> None:
        """Pass on the outcomes of what somebody else had when its turn came."""
        if part := found.settled:
            await self.settle(part, found.outcomes, tally_of(part, found.outcomes), 0.0)
        if not ended:
            return
        self.in_flight -= len(found.taken)
        self._departures.settle(found.lost)
        self.counts.resumed += sum(map(was_settled, ended))
        await self.report(ended, of=found.taken)
        if self._admissions is not None:
            await self._admissions.settle(found.lost)

    async def settle_refused(self, refused: Batch, refusals: Sequence[Outcome]) -> None:
        """Pass on refusals of what is not claimed, unless somebody else has sent it meanwhile."""
        if self.ledger is None:
            await self.settle(refused, refusals, tally_of(refused, refusals), 0.0)
        else:
            found, ended = await ask_about_refused(refused, refusals, self.ledger)
            await self.settle_taken(found, ended)

    async def refuse(self, rows: Batch, outcomes: Sequence[Outcome]) -> None:
        """Pass on refusals of what has left its turn; so it is with what policies refuse."""
        if self.ledger is not None:
            found, ended = await ask_about_refused(rows, outcomes, self.ledger)
            self.counts.resumed += sum(map(was_settled, ended))
            await self.report(ended, of=found.taken)
            rows, outcomes = found.settled, found.outcomes
            self.ledger.forget(rows)
        await self.report(outcomes, of=rows)

    def abandon(self, batch: Batch) -> Sequence[Unknown]:
        """Note what was on its way as the run was closed; return its outcomes."""
        reason = "the run was closed while the request was on its way"
        lost = [unclear(prepared, self._provider.name, reason) for prepared in batch]
        self._log(batch, lost, 0.0)
        self.in_flight -= len(lost)
        self.abandoned.extend(lost)
        self.counts.unknown += len(lost)
        return lost

    def _log(self, part: Batch, outcomes: Sequence[Outcome], seconds: float) -> None:
        if not (self._observers or logging_enabled()):
            return
        for prepared, outcome in zip(part, outcomes, strict=True):
            log_outcome(self._provider, prepared, outcome, seconds, self._observers)

    async def report(self, outcomes: Sequence[Outcome], of: Batch = ()) -> None:
        """Pass on the outcomes of what no request was made for; log those of given messages."""
        if self.ledger is not None:
            outcomes, _ = self.ledger.told(outcomes)
        if of:
            self._log(of, outcomes, 0.0)
        self.counts.add(outcomes)
        if self._stream.add(outcomes):
            await self._stream.room()
