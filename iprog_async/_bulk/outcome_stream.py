"""Outcomes on their way from a run's workers to its reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from iprog_async._core.errors import JournalError
from iprog_async._core.outcomes import Outcome


Recorded = asyncio.Future[JournalError | None]
"""What is done when outcomes are on record; its result is the error if they are not."""

_Ended = tuple[Sequence[Outcome], Recorded | None]
"""Outcomes of one batch, and when they are on record: `None` where there is no journal."""


class OutcomeStream:
    """A bounded queue of outcomes, which nobody sees before they are on record.

    Args:
        size: The most batches that wait for the reader; a slow one holds up the workers here,
            after they have given back their connection.
        on_lost: Is told if outcomes could not be recorded. They are true all the same; the
            file has these messages as unknown.
    """

    def __init__(self, size: int, on_lost: Callable[[JournalError], None]) -> None:
        self.current: deque[Outcome] = deque()
        """What the reader may take."""
        self._size = size
        self._on_lost = on_lost
        self._ended: deque[_Ended] = deque()
        # Batches in the reader's hands with which it has not begun.
        self._unread = 0
        self._over = False
        self._changed = asyncio.Event()
        self._held_up: deque[asyncio.Future[None]] = deque()

    def add(self, outcomes: Sequence[Outcome], recorded: Recorded | None = None) -> bool:
        """Pass on the outcomes of a batch.

        Returns:
            Whether more batches wait for the reader than should: then its worker has to wait for
            `room` before it goes on.
        """
        self._ended.append((outcomes, recorded))
        self._changed.set()
        return len(self._ended) + self._unread > self._size

    async def room(self) -> None:
        """Wait for the reader to come nearer, first come, first served.

        If it is cancelled, as the run is closed, the outcomes are still there for a reader who
        goes on.
        """
        if self._waiting <= self._size:
            return
        turn = asyncio.get_running_loop().create_future()
        self._held_up.append(turn)
        try:
            await turn
        finally:
            if turn in self._held_up:
                self._held_up.remove(turn)

    @property
    def _waiting(self) -> int:
        return len(self._ended) + self._unread

    def end(self) -> None:
        """Say that nothing follows."""
        self._over = True
        self._changed.set()

    async def read_on(self) -> bool:
        """Wait for more, and return whether there is any."""
        while not self.current:
            if self._unread:
                self._unread = 0
                self._let_in()
            if self._ended:
                await self._take()
            elif self._over:
                return False
            else:
                self._changed.clear()
                await self._changed.wait()
        return True

    async def close(self) -> None:
        """Let a reader in another task have what is settled, and then the end, at once."""
        try:
            while self._ended:
                await self._take()
        finally:
            self.end()

    async def _take(self) -> None:
        """Give the reader what is on record, once the first of it is."""
        first = self._ended[0]
        recorded = first[1]
        if recorded is not None and not recorded.done():
            # A reader that gives up for now loses nothing: it is taken only afterwards.
            await asyncio.shield(recorded)
            if not self._ended or self._ended[0] is not first:
                # Somebody else has taken it meanwhile.
                return
        taken = 0
        while self._ended and ((recorded := self._ended[0][1]) is None or recorded.done()):
            outcomes, _ = self._ended.popleft()
            taken += 1
            self.current.extend(outcomes)
            if recorded is not None and (error := recorded.result()) is not None:
                self._on_lost(error)
        # It begins with one of them.
        self._unread = taken - 1
        self._let_in()

    def _let_in(self) -> None:
        """Let those go on whose outcomes are no longer too many."""
        # What those who are held up have added waits already: there has to be room beside it.
        while self._held_up and self._waiting - len(self._held_up) < self._size:
            turn = self._held_up.popleft()
            if not turn.done():
                turn.set_result(None)
