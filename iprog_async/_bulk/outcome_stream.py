"""Outcomes on their way from a run's workers to its reader."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from attrs import define

from iprog_async._core.errors import JournalError
from iprog_async._core.outcomes import Outcome


Recorded = asyncio.Future[JournalError | None]
"""What is done when outcomes are on record; its result is the error if they are not."""


@define(eq=False)
class _Ended:
    """Outcomes of one batch, and when they are on record: `None` where there is no journal."""

    outcomes: Sequence[Outcome]
    recorded: Recorded | None


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
        self._on_lost = on_lost
        self._ended: asyncio.Queue[_Ended | None] = asyncio.Queue(size)
        self._late: list[_Ended] = []
        self._next: _Ended | None = None

    async def put(self, outcomes: Sequence[Outcome], recorded: Recorded | None = None) -> None:
        """Pass on the outcomes of a batch, once there is room."""
        ended = _Ended(outcomes, recorded)
        if not self._ended.full():
            self._ended.put_nowait(ended)
            return
        try:
            await self._ended.put(ended)
        except asyncio.CancelledError:
            self.keep(outcomes, recorded)
            raise

    def keep(self, outcomes: Sequence[Outcome], recorded: Recorded | None = None) -> None:
        """Keep outcomes as the run is closed: they are still there for a reader who goes on."""
        self._late.append(_Ended(outcomes, recorded))

    async def end(self) -> None:
        """Say that nothing follows, once there is room."""
        await self._ended.put(None)

    async def read_on(self) -> bool:
        """Wait for more, and return whether there is any."""
        # Kept while it is waited for: a reader that gives up for now must lose nothing.
        self._next = self._next or await self._ended.get()
        if self._next is None:
            return False
        await self._take(self._next)
        self._next = None
        return True

    async def close(self) -> None:
        """Let a reader in another task have what is settled, and then the end, at once."""
        settled: list[_Ended | None] = []
        while not self._ended.empty():
            settled.append(self._ended.get_nowait())
        for ended in [*settled, *self._late]:
            if ended is not None:
                await self._take(ended)
        self._ended.put_nowait(None)

    async def _take(self, ended: _Ended) -> None:
        recorded = ended.recorded
        if recorded is not None:
            # Rows are written many at a time, so most of the time this one is there already.
            error = recorded.result() if recorded.done() else await asyncio.shield(recorded)
            if error is not None:
                self._on_lost(error)
        self.current.extend(ended.outcomes)
