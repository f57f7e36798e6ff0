"""The journal's side of sending: which row belongs to which message on its way."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Self

from attrs import evolve

from iprog_async._core.errors import InvalidMessageError, JournalError, SmsError
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._journal.claimed_rows import ClaimedRows
from iprog_async._journal.doubts import Doubts
from iprog_async._journal.journal import Journal
from iprog_async._journal.keys import KeyHolder, busy, check_key, contended, is_key
from iprog_async._journal.pseudonyms import is_recalled
from iprog_async._journal.resume_rules import Resume, ResumeRules, as_kept, remembered
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.rows_claim import RowsClaim


MOST_LOOKS = 100
"""How often somebody else may take a message and give it back, before it is given up."""


class Ledger:
    """Keeps the rows of messages between looking them up and recording their outcome.

    Args:
        journal: Where they are written.
        run: Number of the run; 0 for single sends.
        resend_unknown: Send again what may have been sent, also if the journal forbids it.
        one_per_number: Send nothing to a number that an earlier run texted, whatever the keys.
        shared: Whether others are at the same run, so that it does not end with this ledger.
    """

    def __init__(
        self,
        journal: Journal,
        run: int = 0,
        *,
        resend_unknown: bool = False,
        one_per_number: bool = False,
        shared: bool = False,
    ) -> None:
        self._journal = journal
        self._shared = shared
        self._queue = journal.store.of_loop()
        self._run = run
        self._rules: ResumeRules = journal.rules
        if resend_unknown or one_per_number:
            resends = resend_unknown or journal.rules.resend_unknown
            self._rules = evolve(
                journal.rules, resend_unknown=resends, one_per_number=one_per_number
            )
        # Those of new messages are made when they are claimed: a window holds thousands.
        self._rows: dict[int, Row] = {}
        # Those that somebody else may have sent, as far as the journal could say.
        self._doubts = Doubts()
        self._reserved: set[tuple[str, str]] = set()
        self._holder = KeyHolder()
        self._claimed = ClaimedRows(journal, self._rule, self._reserved, run)
        self._lost = Counter[int]()
        self._leaving: int | None = None

    @classmethod
    async def of_run(cls, journal: Journal, *, one_per_number: bool = False) -> Self:
        """Return the ledger of a bulk run; the journal has no other until it ends.

        Args:
            journal: The journal.
            one_per_number: Whether each number gets one message.

        Raises:
            JournalError: Another run is at it, or it can't be written.
        """
        return cls(journal, await journal.begin_run(), one_per_number=one_per_number)

    def end(self) -> None:
        """Let others have the journal, and the keys of what was not sent; twice is fine."""
        for identity in self._reserved:
            self._journal.under_way.let_go(identity, self._holder)
        self._reserved.clear()
        self._doubts.clear()
        if self._run and not self._shared:
            number, self._run = self._run, 0
            self._leaving = number if self._journal.store.end_run(number) else None

    async def ended(self) -> None:
        """Wait until another run can have the journal, after `end`."""
        if self._leaving is not None:
            await self._journal.store.run_ended(self._leaving)

    def stop(self) -> None:
        """Wait no longer for what others are sending: nothing more leaves, and it stays open."""
        self._claimed.stop()

    @property
    def looks_up(self) -> bool:
        """Whether the journal is asked about messages; of a first run without keys it has none."""
        return bool(self._reserved or (self._run and self._journal.store.has_earlier_rows))

    async def admit(
        self, window: Sequence[PreparedMessage]
    ) -> tuple[list[PreparedMessage], list[Outcome]]:
        """Return the messages to send, and the outcomes of the others.

        Raises:
            JournalError: The journal can't be read.
        """
        to_send: list[PreparedMessage] = []
        settled: list[Outcome] = []
        # Before looking them up: what another send takes meanwhile could not be seen.
        free = [
            prepared
            for prepared in window
            if prepared.message.key is None or self._reserve(prepared, settled)
        ]
        if not self.looks_up:
            return free, settled
        for prepared, outcome in await self._look_up(free):
            if outcome is None:
                to_send.append(prepared)
            else:
                settled.append(outcome)
                self._free([prepared])
        return to_send, settled

    async def settled(self, late: Sequence[PreparedMessage]) -> list[Outcome]:
        """Return the outcomes that messages have which can't be sent any more.

        None of them keeps its key from a later message, which may still be sent.

        Raises:
            JournalError: The journal can't be read.
        """
        settled: list[Outcome] = []
        free: list[PreparedMessage] = []
        for prepared in late:
            if self._is_reserved(prepared):
                # It is a later one of the same text, which this run itself is at: nobody else is.
                continue
            if prepared.message.key is None or self._reserve(prepared, settled):
                self._free([prepared])
                free.append(prepared)
        # Nothing follows that would look once more, as the claim does of what is sent.
        for prepared, outcome in await self._look_up(free, since=True):
            if outcome is not None:
                settled.append(outcome)
            self._rows.pop(prepared.index, None)
        return settled

    async def look_again(self, lost: Sequence[PreparedMessage]) -> list[Outcome | None]:
        """Return the outcomes of admitted messages whose claims were lost to somebody else.

        Returns:
            What is on record of each, or of what it conflicts with; `None` if it may be sent now,
            or others are at it still and nobody waits any more.

        Raises:
            JournalError: The journal can't be read.
        """
        found = await self._rows_found(lost, since=True)
        return [self._now(prepared, rows) for prepared, rows in zip(lost, found, strict=True)]

    def _now(self, prepared: PreparedMessage, rows: Sequence[Row]) -> Outcome | None:
        """Return the outcome of a message whose claim was lost; `None` if it waits again."""
        # Not before: where the journal can't be read, its outcome is recorded in this row. And not
        # later: going through what was found may put another row in its place.
        self._rows.pop(prepared.index, None)
        self._lost[prepared.index] += 1
        outcome = self._decide(prepared, rows) if rows else None
        if outcome is None and self._lost[prepared.index] > MOST_LOOKS:
            # Others have given it back each time, and so it is on record.
            outcome = NotSent(prepared.index, prepared.message, contended(prepared.e164))
        if outcome is not None:
            del self._lost[prepared.index]
            self._free([prepared])
        return outcome

    async def given_up(self, waiting: Sequence[PreparedMessage]) -> list[Outcome]:
        """Return the outcomes that others brought messages to that are not sent any more.

        Others may have had them since they were looked up, if they ever were. Where the journal
        can't be read, it is unknown whether they had: see `told`.

        Args:
            waiting: Messages that are not claimed at this moment; they may have been.
        """
        asked = [prepared for prepared in waiting if self._may_be_on_record(prepared)]
        if not asked:
            return []
        try:
            found = await self._rows_found(asked, since=True)
        except JournalError as exc:
            self.doubt(asked, exc)
            return []
        decided = (
            self._decide(prepared, rows)
            for prepared, rows in zip(asked, found, strict=True)
            if rows
        )
        return [outcome for outcome in decided if outcome is not None]

    def doubt(self, batch: Iterable[PreparedMessage], problem: SmsError) -> None:
        """Note that it can't be found out whether somebody else has sent messages; see `told`."""
        self._doubts.note_unseen(batch, problem)

    def _out_of_sight(self, prepared: PreparedMessage, problem: SmsError) -> Outcome:
        """Return the outcome of a message of which only others can know whether it was sent."""
        self.doubt([prepared], problem)
        return self.told_of(NotSent(prepared.index, prepared.message, problem))

    def _may_be_on_record(self, prepared: PreparedMessage) -> bool:
        """Return whether another run, or another sender of its key, may have had a message."""
        if prepared.message.key is None:
            return bool(self._run and self._journal.store.may_have_rows_of_others)
        return is_key(prepared.message.key)

    async def _look_up(
        self, window: Sequence[PreparedMessage], *, since: bool = False
    ) -> Iterable[tuple[PreparedMessage, Outcome | None]]:
        """Return messages with the outcomes that they had; `None` of each that has to be sent.

        Each is decided about as the result is gone through.
        """
        found = await self._rows_found(window, since=since)
        return (
            (prepared, self._decide(prepared, rows) if rows else None)
            for prepared, rows in zip(window, found, strict=True)
        )

    async def _rows_found(
        self, window: Sequence[PreparedMessage], *, since: bool = False
    ) -> Sequence[Sequence[Row]]:
        """Return the rows of messages, after what others are sending of them at this moment."""
        known = await self._journal.store.look_up(
            ((prepared.e164, prepared.message.key) for prepared in window),
            earlier=bool(self._run),
            whatever_key=self._rules.one_per_number,
            since=since,
        )
        if not known:
            return [()] * len(window)
        return await self._claimed.ended_rows(window, known)

    def _decide(self, prepared: PreparedMessage, rows: Sequence[Row]) -> Outcome | None:
        """Return the outcome a message had before; `None` if it has to be sent."""
        resume, row = self._rule(prepared, rows)
        if row is not None and self._claimed.is_left_open(row):
            # Nothing leaves any more; what it is told as it is given up is not the whole truth.
            self._doubts.note_unsettled(prepared, row)
            return None
        if row is not None and resume is not Resume.SEND:
            return remembered(row, resume, prepared)
        if row is not None and row.unsettled:
            self._doubts.note_unsettled(prepared, row)
        if row is not None and is_recalled(row):
            self._new_row(prepared).in_doubt = row.unsettled
        elif row is not None:
            self._rows[prepared.index] = evolve(
                row, text_hash=self._hash(prepared), run=self._run, in_doubt=row.unsettled
            )
        return None

    def _rule(self, prepared: PreparedMessage, rows: Sequence[Row]) -> tuple[Resume, Row | None]:
        """Return what to do with a message, and the row that says so."""
        text_hash = self._hash(prepared)
        if prepared.schedule_step and prepared.identity.schedule_at is not None:
            rows = [as_kept(row, text_hash, prepared.schedule_step) for row in rows]
        return self._rules.decide(rows, prepared.message.key, text_hash, self._run)

    def _new_row(self, prepared: PreparedMessage) -> Row:
        message, number = prepared.message, self._journal.store.new_id()
        text_hash = self._hash(prepared)
        row = Row(number, prepared.e164, message.key, text_hash, self._run, "released")
        self._rows[prepared.index] = row
        return row

    def _hash(self, prepared: PreparedMessage) -> bytes:
        return self._journal.text_hash.of_message(prepared.identity)

    def _reserve(self, prepared: PreparedMessage, refused: list[Outcome]) -> bool:
        try:
            identity = prepared.e164, check_key(prepared.message.key)
        except InvalidMessageError as exc:
            refused.append(NotSent(prepared.index, prepared.message, exc))
            return False
        if not self._journal.under_way.take(identity, self._holder):
            # Whoever is at it may have sent it by now.
            refused.append(self._out_of_sight(prepared, busy(*identity)))
            return False
        self._reserved.add(identity)
        return True

    def _is_reserved(self, prepared: PreparedMessage) -> bool:
        key = prepared.message.key
        return is_key(key) and (prepared.e164, key) in self._reserved

    def _free(self, batch: Iterable[PreparedMessage]) -> None:
        for prepared in batch:
            if prepared.message.key is not None:
                identity = prepared.e164, prepared.message.key
                self._reserved.discard(identity)
                # Somebody else may have it: it is told late that this one is on record.
                self._journal.under_way.let_go(identity, self._holder)

    def in_doubt(self, batch: Iterable[PreparedMessage]) -> int:
        """Return how many of admitted messages an earlier run may have sent already."""
        rows = (self._rows.get(prepared.index) for prepared in batch)
        return sum(row is not None and row.in_doubt for row in rows)

    def told(
        self, outcomes: Sequence[Outcome], refused: Batch = ()
    ) -> tuple[Sequence[Outcome], int]:
        """Return what the caller is told of messages, before they are recorded.

        What an earlier sending may have sent stays unknown, unless it is accepted: that it was
        not sent this time says nothing about that one. So does what the journal could not be asked
        about, or could not be claimed in: others may have had it since it was looked up.

        Args:
            outcomes: What became of them this time.
            refused: The messages, if the request of some met what every other would meet.

        Returns:
            Their outcomes, and how many of them are unknown that were not sent this time.
        """
        if refused:
            for prepared, outcome in zip(refused, outcomes, strict=True):
                # Of a router's batch some may have met one thing, and some another.
                if isinstance(outcome, NotSent) and isinstance(outcome.error, JournalError):
                    self.doubt(filter(self._may_be_on_record, [prepared]), outcome.error)
        return self._doubts.told(outcomes) if self._doubts.reasons else (outcomes, 0)

    def told_of(self, outcome: Outcome) -> Outcome:
        """Return what the caller is told of one message; see `told`."""
        return self._doubts.told_of(outcome)

    def holds(self, prepared: PreparedMessage, claim: RowsClaim) -> bool:
        """Return whether nobody else can have had a message since it was claimed."""
        row = self._rows.get(prepared.index)
        return row is not None and claim.holds(row)

    def forget(self, batch: Iterable[PreparedMessage]) -> None:
        """Let go of messages that were admitted only to see whether they would be sent."""
        for prepared in batch:
            self._rows.pop(prepared.index, None)
        self._free(batch)

    def claim(self, batch: Batch) -> RowsClaim:
        """Return what puts the rows of one request on record."""
        ours: list[Row] = []
        for prepared in batch:
            ours.append(self._rows.get(prepared.index) or self._new_row(prepared))
        return RowsClaim(self._queue, ours, self._rules)

    def record(
        self, batch: Batch, outcomes: Sequence[Outcome]
    ) -> asyncio.Future[JournalError | None]:
        """Put the outcomes of a batch on record; a run has asked before what is told of them.

        Returns:
            What is done when they are; before that, nobody may see them. Its result is the
            error if they could not be written: the rows stay as they were claimed. Others may
            wait for it, too: shield it.
        """
        rows: list[Row] = []
        ended: list[Values] = []
        try:
            for prepared, outcome in zip(batch, outcomes, strict=True):
                row = self._rows.pop(prepared.index)
                ended.append(row.as_ended(outcome))
                rows.append(row)
        except Exception as exc:
            # The texts are out: an error raised here would say otherwise.
            recorded = asyncio.get_running_loop().create_future()
            recorded.set_result(
                JournalError(f"an outcome can't be written down ({type(exc).__name__}: {exc})")
            )
        else:
            recorded = self._queue.record(rows, ended)
        if self._lost:
            for prepared in batch:
                self._lost.pop(prepared.index, None)
        if self._run:
            # A single send ends with its message: until then it asks what others did with it.
            if self._doubts.reasons:
                self._doubts.settle(batch)
            if self._reserved:
                # Another event loop that looks them up has to find what became of them.
                recorded.add_done_callback(lambda _: self._free(batch))
        return recorded
