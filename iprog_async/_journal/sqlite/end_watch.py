"""Waiting for messages that another sender has claimed, all of an event loop together."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import define, field

from iprog_async._core.clock import Clock
from iprog_async._core.errors import JournalError
from iprog_async._journal.rows import Row
from iprog_async._journal.sqlite.openers import is_there
from iprog_async._journal.sqlite.queries import by_id, parts, read_row
from iprog_async._journal.sqlite.write_queue import LoopQueue


# As long as a gateway may take to answer, with the time-out that clients have by themselves, twice.
_LONGEST_WAIT = 60.0
_SHORTEST_PAUSE = 0.002
_LONGEST_PAUSE = 0.1


@define(eq=False)
class _Waiting:
    """Somebody who waits.

    Args:
        row: The claimed row, as it was seen last.
        ends: When it has taken too long.
        is_under_way: Whether it is on its way from here, if the claim is of this opening.
        was_under_way: Whether it was, before the row was read.
        done: Where the row goes in the end.
    """

    row: Row
    ends: float
    is_under_way: Callable[[], bool]
    was_under_way: bool = False
    done: asyncio.Future[Row] = field(factory=lambda: asyncio.get_running_loop().create_future())


class EndWatch:
    """Looks at claimed rows until they are claimed no more, less and less often.

    Nobody is told when another process writes to the file. One look serves all that wait.

    Args:
        path: Where the journal is.
        attempt: What marks the claims of this opening, of which its senders know the ends.
        queue: Who reads the rows.
        clock: What waits.
    """

    def __init__(self, path: str, attempt: int, queue: LoopQueue, clock: Clock) -> None:
        self._path = path
        self._attempt = attempt
        self._queue = queue
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._pause = _SHORTEST_PAUSE
        self._task: asyncio.Task[None] | None = None

    async def wait_for(self, row: Row, is_under_way: Callable[[], bool]) -> Row:
        """Return a row once it is not claimed any more, or nobody is at it, or it takes too long.

        Args:
            row: The claimed row.
            is_under_way: See `JournalStore.wait_for_end`.

        Raises:
            JournalError: The journal can't be read.
        """
        waiting = _Waiting(row, self._clock.monotonic() + _LONGEST_WAIT, is_under_way)
        self._waiting.append(waiting)
        self._pause = _SHORTEST_PAUSE
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        return await waiting.done

    async def _watch(self) -> None:
        try:
            while self._waiting:
                await self._look()
                if self._waiting:
                    await self._clock.sleep(self._pause)
                    self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        finally:
            self._task = None
            for waiting in self._waiting:
                # Only if the event loop ends.
                waiting.done.cancel()
            self._waiting.clear()

    async def _look(self) -> None:
        looked_for = [waiting for waiting in self._waiting if not waiting.done.done()]
        attempts = {waiting.row.id: _attempt_of(waiting.row) for waiting in looked_for}
        # First who is gone: whatever they wrote is there to be read.
        for waiting in looked_for:
            is_ours = _attempt_of(waiting.row) == self._attempt
            waiting.was_under_way = is_ours and waiting.is_under_way()

        def work(connection: sqlite3.Connection) -> tuple[set[int], Mapping[int, Row]]:
            gone = {one for one in set(attempts.values()) if not self._is_at_it(one)}
            return gone, _read(connection, list(attempts))

        found = await self._queue.ask(work)
        for waiting in looked_for:
            if isinstance(found, JournalError):
                _tell(waiting, found)
            else:
                self._note(waiting, *found)
        self._waiting = [waiting for waiting in self._waiting if not waiting.done.done()]

    def _is_at_it(self, attempt: int) -> bool:
        return attempt not in (0, self._attempt) and is_there(self._path, attempt)

    def _note(self, waiting: _Waiting, gone: set[int], rows: Mapping[int, Row]) -> None:
        before = _attempt_of(waiting.row)
        row = waiting.row = rows.get(waiting.row.id, waiting.row)
        # If somebody else has claimed it since, they are looked for next time.
        is_gone = before in gone and not waiting.was_under_way
        left_alone = is_gone and _attempt_of(row) == before
        if row.state != "claimed" or left_alone or self._clock.monotonic() >= waiting.ends:
            _tell(waiting, row)


def _tell(waiting: _Waiting, result: Row | JournalError) -> None:
    if waiting.done.done():
        # Whoever waited was cancelled.
        return
    if isinstance(result, JournalError):
        waiting.done.set_exception(result)
    else:
        waiting.done.set_result(result)


def _attempt_of(row: Row) -> int:
    return 0 if row.on_record is None else int(row.on_record[1])


def _read(connection: sqlite3.Connection, numbers: Sequence[int]) -> Mapping[int, Row]:
    found: dict[int, Row] = {}
    for some in parts(numbers):
        values: Iterable[Sequence[object]] = connection.execute(by_id(len(some)), some)
        found.update((row.id, row) for row in map(read_row, values))
    return found
