"""The claim of one request: its rows, on record before it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from attrs import define, field

from iprog_async._core.clock import uptime
from iprog_async._core.errors import SmsError
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import NEVER, Row
from iprog_async._journal.store import CLAIM_SECONDS, StoreQueue


@define(eq=False)
class RowsClaim:
    """The rows of one request: on record before it leaves, off again if it did not."""

    _queue: StoreQueue
    _rows: Sequence[Row]
    _rules: ResumeRules
    _under_way: int = 0
    _held: bool = False
    _whole: RowsClaim | None = field(default=None, alias="whole")
    _used: bool = False
    # Those that a part of it has claimed: most claims have no parts.
    _in_parts: set[int] | None = None
    leaves_by: float = NEVER
    """Until when, by `uptime`, what was claimed may leave."""

    @property
    def rows(self) -> Sequence[Row]:
        """The rows, as this sender wrote or found them last."""
        return self._rows

    @property
    def was_given_back(self) -> bool:
        """Whether others could take the messages at some time."""
        return any(row.claimed_at == NEVER for row in self._rows)

    def take(self) -> asyncio.Future[SmsError | None]:
        """Put on record that a request is about to leave; survives a power cut.

        Returns:
            What is done when it is; its result is the error if that is impossible: the request
            must not leave.
        """
        self._under_way += 1
        self._used = True
        if self._whole is not None:
            self._whole._note_taken(self._rows)
        now = uptime()
        # A message that has a key, and is sent alone, is claimed when it is looked up.
        self.leaves_by = self._rows[0].claimed_at + CLAIM_SECONDS
        if now < self.leaves_by:
            taken: asyncio.Future[SmsError | None] = asyncio.get_running_loop().create_future()
            taken.set_result(None)
            return taken
        self.leaves_by = now + CLAIM_SECONDS
        return self._queue.claim(self._rows, self._rules)

    def release(self) -> None:
        """Put on record that a request did not leave, if that goes for all of them."""
        self._under_way -= 1
        if not self._under_way and not self._held:
            self.give_back()

    def hold(self) -> None:
        """Note that a request may have left: from now on `release` changes nothing."""
        self._held = True

    def holds(self, row: Row) -> bool:
        """Return whether nobody else can have had the message of a row since it was claimed."""
        if self._under_way or self._held:
            return True
        return self._in_parts is not None and id(row) in self._in_parts

    def _note_taken(self, rows: Sequence[Row]) -> None:
        self._used = True
        # Not by their numbers: a new row may have none yet.
        self._in_parts = self._in_parts or set()
        self._in_parts.update(map(id, rows))

    def part(self, positions: Sequence[int]) -> RowsClaim:
        """Return a claim of some of the rows, for a request that carries only them."""
        rows = [self._rows[position] for position in positions]
        return RowsClaim(self._queue, rows, self._rules, whole=self._whole or self)

    def give_back(self) -> None:
        """Put on record that no message of this claim was sent, by whatever request, and waits."""
        for row in self._rows:
            row.claimed_at = NEVER
        if self._whole is not None and self._whole._in_parts:
            self._whole._in_parts.difference_update(map(id, self._rows))
        self._queue.release(self._rows)

    def give_back_if_unused(self) -> None:
        """Let others have the messages while they wait for their turn, which has not come yet."""
        if not self._used:
            self.give_back()
