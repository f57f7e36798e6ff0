"""The journal's side of a single send with a key: it is claimed as it is looked up."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from iprog_async._core.clock import uptime
from iprog_async._core.errors import JournalError, SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._journal.keys import check_key, contended
from iprog_async._journal.ledger import MOST_LOOKS, Ledger
from iprog_async._journal.resume_rules import Resume, remembered
from iprog_async._journal.rows import Row
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.store import ClaimLostError, UnwritableError


R = TypeVar("R")


class SingleLedger(Ledger):
    """Keeps the row of one message with a key; made as a `Ledger` is, for each attempt."""

    async def admit_single(self, prepared: PreparedMessage) -> Outcome | None:
        """Claim a single message with a key, or return the outcome it had or came to elsewhere.

        Whoever else is sending it at this moment is waited for. Where the journal can't be asked,
        or does not say whether it is claimed, it is unknown whether somebody has sent it before.
        """
        settled: list[Outcome] = []
        if not self._reserve(prepared, settled):
            return settled[0]
        self._doubts.settle([prepared])
        try:
            return await self._claim_single(prepared)
        except UnwritableError as exc:
            return await self._unclaimed(prepared, exc)
        except SmsError as exc:
            return self._out_of_sight(prepared, exc)

    async def _claim_single(self, prepared: PreparedMessage) -> Outcome | None:
        row = self._new_row(prepared)
        for _ in range(MOST_LOOKS):
            asked_at = uptime()
            found = await self._told(self._queue.claim_new(row), row)
            if isinstance(found, ClaimLostError):
                continue
            if isinstance(found, SmsError):
                raise found
            if found is None:
                row.claimed_at = asked_at
                return None
            if found.state == "claimed":
                found = await self._claimed.ended(found)
            outcome = self._decide(prepared, [found])
            if outcome is not None:
                self._free([prepared])
                return outcome
            row = self._rows[prepared.index]
            asked_at = uptime()
            problem = await self._told(self._queue.claim([row], self._rules), row)
            if problem is None:
                row.claimed_at = asked_at
                return None
            if not isinstance(problem, ClaimLostError):
                # It can have taken a minute to fail, and what was found before is as old.
                raise problem
        raise contended(prepared.e164)

    async def _unclaimed(self, prepared: PreparedMessage, problem: UnwritableError) -> Outcome:
        """Return the outcome of a message of a journal that can only be read.

        It would be unknown for ever otherwise, as is each that is asked for after it.
        """
        self._journal.report(problem)
        # The look is the last thing that is done: nobody else has it at this moment. Others may
        # send it in the next one, as after each `NotSent`; see `ended_elsewhere`. A claim of ours
        # that is on record, though it was said to have failed, is one that was left: unknown.
        settled = await self.settled_single(prepared)
        return settled or self.told_of(NotSent(prepared.index, prepared.message, problem))

    def _out_of_sight(self, prepared: PreparedMessage, problem: SmsError) -> Outcome:
        self._journal.report(problem)
        return super()._out_of_sight(prepared, problem)

    async def settled_single(self, prepared: PreparedMessage) -> Outcome | None:
        """Return the outcome that a single message with a key has, without claiming it.

        Whoever else is sending it at this moment is waited for. Others may claim it after this.
        Where the journal can't be read, it is unknown whether somebody has sent it.
        """
        identity = (prepared.e164, check_key(prepared.message.key))
        try:
            known = await self._journal.store.look_up([identity], earlier=False)
            rows = await self._claimed.all_ended(known.get(identity, ()))
        except JournalError as exc:
            return self._out_of_sight(prepared, exc)
        outcome = self._decide(prepared, rows) if rows else None
        self._rows.pop(prepared.index, None)
        return outcome

    async def _told(self, asked: asyncio.Future[R], row: Row) -> R:
        """Wait for the result of a claim, and give it back if that is cancelled at once with it."""
        try:
            return await asked
        except asyncio.CancelledError:
            if asked.done() and not asked.cancelled() and asked.result() is None:
                self._queue.release([row])
            raise

    async def ended_elsewhere(self, prepared: PreparedMessage, claim: RowsClaim) -> Outcome | None:
        """Return what became of a message that others could take while it waited for its turn.

        Args:
            prepared: A message with a key that was not sent from here, as it is on record.
            claim: The claim of it.

        Returns:
            Its outcome, if others sent it or may have sent it; `None` if they have not.

        Raises:
            JournalError: The journal can't be read.
        """
        (ours,) = claim.rows
        identity = (prepared.e164, prepared.message.key)
        known = await self._journal.store.look_up([identity], earlier=False)
        # What we left unknown, of an earlier sending, says nothing about others.
        theirs = [
            row
            for row in known.get(identity, ())
            if row.on_record != ours.on_record or row.state == "accepted"
        ]
        for row in await self._claimed.all_ended(theirs):
            if row.state == "accepted" or row.unsettled:
                return remembered(row, Resume.SKIP, prepared)
        return None
