"""Waiting for messages that somebody else is sending at this moment, before anything is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

from iprog_async._core.messages import PreparedMessage
from iprog_async._journal.journal import Journal
from iprog_async._journal.resume_rules import Resume, rows_of
from iprog_async._journal.rows import Row
from iprog_async._journal.store import Identity


Rule = Callable[[PreparedMessage, Sequence[Row]], tuple[Resume, Row | None]]
"""Says what to do with a message, and which of its number's rows decides that."""


class ClaimedRows:
    """Waits for what others have claimed to come to its outcome.

    Args:
        journal: Where it is written.
        rule: Says which row decides about a message.
        reserved: Number and key of the messages that it waits for others of.
        run: Number of the run of these messages; 0 for single sends.
    """

    def __init__(self, journal: Journal, rule: Rule, reserved: Set[Identity], run: int) -> None:
        self._journal = journal
        self._rule = rule
        self._reserved = reserved
        self._run = run
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Wait for nobody any more: what others are at now is left open."""
        self._stopped.set()

    def is_left_open(self, row: Row) -> bool:
        """Return whether somebody is at a row, as far as it is known, and nobody waits for it."""
        return row.state == "claimed" and self._stopped.is_set()

    async def ended_rows(
        self,
        window: Sequence[PreparedMessage],
        known: Mapping[Identity, list[Row]],
    ) -> list[Sequence[Row]]:
        """Return the rows of messages, after what others are sending of them at this moment.

        Args:
            window: The messages.
            known: What was found of them; as it is what others are still at after `stop`.
        """
        found: list[Sequence[Row]] = [rows_of(prepared, known) for prepared in window]
        claimed = {
            place: rows
            for place, rows in enumerate(found)
            if any(row.state == "claimed" for row in rows)
        }
        if not claimed:
            return found
        waits = asyncio.create_task(self._all_without_claimed(window, claimed))
        if await self._ends_before_stop(waits):
            for place, rows in zip(claimed, await waits, strict=True):
                found[place] = rows
        return found

    async def _ends_before_stop(self, waits: asyncio.Task[Any]) -> bool:
        """Return whether a wait ends before nobody waits any more, and end it then."""
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait((waits, stopped), return_when=asyncio.FIRST_COMPLETED)
            return waits.done()
        finally:
            stopped.cancel()
            if not waits.done():
                waits.cancel()

    async def _all_without_claimed(
        self, window: Sequence[PreparedMessage], claimed: Mapping[int, Sequence[Row]]
    ) -> Sequence[Sequence[Row]]:
        return await asyncio.gather(
            *(self._without_claimed(window[place], rows) for place, rows in claimed.items())
        )

    async def _without_claimed(
        self, prepared: PreparedMessage, rows: Sequence[Row]
    ) -> Sequence[Row]:
        """Wait for the row that decides about a message, if somebody is at it at this moment."""
        waited: set[int] = set()
        while True:
            _, row = self._rule(prepared, rows)
            if row is None or row.state != "claimed" or row.id in waited or self._was_left(row):
                return rows
            waited.add(row.id)
            ended = await self.ended(row)
            rows = [ended if one.id == row.id else one for one in rows]

    def _was_left(self, row: Row) -> bool:
        """Return whether it was waited for already: a worker of this run lost its share of it."""
        return row.key is None and row.run == self._run

    async def all_ended(self, rows: Sequence[Row]) -> list[Row]:
        """Return rows, after what others are sending of them at this moment."""
        return [await self.ended(row) if row.state == "claimed" else row for row in rows]

    async def ended(self, row: Row) -> Row:
        """Return a claimed row when it has come to its outcome; see `JournalStore.wait_for_end`."""
        identity = row.number, row.key

        def is_under_way() -> bool:
            # What is reserved here is sent by nobody else of this process.
            return identity in self._journal.under_way and identity not in self._reserved

        return await self._journal.store.wait_for_end(row, is_under_way)
