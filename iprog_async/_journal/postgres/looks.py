"""Looking at rows that others have claimed, all that wait in an event loop together."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.connecting import Connection, run
from iprog_async._journal.postgres.statements import to_row
from iprog_async._journal.postgres.write_queue import LoopQueue
from iprog_async._journal.rows import Row


class Look(NamedTuple):
    """How a row was found.

    Args:
        row: What is on record.
        is_connected: Whether the process that claimed it last has the journal open.
    """

    row: Row
    is_connected: bool


_Found = Mapping[int, Look]


class Looks:
    """Looks rows up by their numbers: one statement serves all who ask at the same moment.

    A run that was killed may leave thousands of claimed rows, and each is waited for by itself.

    Args:
        query: Reads rows by their numbers, and whether who claimed each is connected.
        queue: Who reads them.
    """

    def __init__(self, query: str, queue: LoopQueue) -> None:
        self._query = query
        self._queue = queue
        self._asked: list[int] = []
        self._next: asyncio.Future[asyncio.Future[_Found | JournalError]] | None = None

    async def at(self, row: Row) -> Look | None:
        """Return how a row is found now; `None` if it was removed.

        Raises:
            JournalError: The journal can't be read.
        """
        self._asked.append(row.id)
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_future()
            loop.call_soon(self._ask)
        # One who is cancelled takes the look from nobody else.
        answer = await asyncio.shield(self._next)
        found = await asyncio.shield(answer)
        if isinstance(found, JournalError):
            raise found
        return found.get(row.id)

    def _ask(self) -> None:
        numbers, asked = self._asked, self._next
        self._asked, self._next = [], None
        if asked is not None:
            asked.set_result(self._queue.ask(lambda connection: self._read(connection, numbers)))

    def _read(self, connection: Connection, numbers: list[int]) -> _Found:
        # By the number that was asked for: that of somebody who was forgotten since is none.
        return {
            values[0]: Look(to_row(values[:-1]), values[-1])
            for values in run(connection, self._query, [numbers])
        }
