"""Reading a journal in PostgreSQL as it is at one moment."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from iprog_async._journal.contents import RowCounts
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import Connection, connect, translated
from iprog_async._journal.postgres.migrations import check_version, schema_version
from iprog_async._journal.postgres.session import find_campaign
from iprog_async._journal.postgres.statements import Statements
from iprog_async._journal.postgres.store import read_counts, read_page
from iprog_async._journal.rows import Row


T = TypeVar("T")


class Snapshot:
    """The rows of one campaign at one moment."""

    def __init__(self, address: PostgresAddress, connection: Connection, campaign: int) -> None:
        self._address = address
        self._connection = connection
        self._statements = Statements(address.schema, campaign)
        # A connection serves one thread at a time.
        self._turn = threading.Lock()

    async def counts(self) -> RowCounts:
        """Return how many rows there are of each state and delivery status."""
        return await self._ask(lambda connection: read_counts(connection, self._statements))

    async def page(self, after: int, states: Sequence[str]) -> list[Row]:
        """Return the next rows of some states, or of all, in order."""
        return await self._ask(
            lambda connection: read_page(connection, self._statements, after, states)
        )

    async def _ask(self, work: Callable[[Connection], T]) -> T:
        def in_turn() -> T:
            with self._turn, translated(self._address):
                return work(self._connection)

        return await asyncio.to_thread(in_turn)

    def close(self) -> None:
        """Disconnect; twice is fine."""
        with self._turn:
            self._connection.close()


def open_snapshot(address: PostgresAddress, campaign: str | None) -> Snapshot:
    """Open a journal for reading, also on a standby.

    Args:
        address: The journal.
        campaign: Which campaign; `None` takes the only one.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached, is no journal, or has no such campaign.
    """
    connection = connect(address, autocommit=False)
    try:
        with translated(address):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            check_version(address, schema_version(connection, address.schema))
            found = find_campaign(connection, address, campaign)
    except BaseException:
        connection.close()
        raise
    return Snapshot(address, connection, found)
