"""The connection over which a sender takes rows and writes back, made again when it is lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import AsyncConnection, connect_async, unusable
from iprog_async._journal.postgres.driver import driver


# What is lost in a crash is asked of the journal once more. The plans are for few rows out of many.
SETTINGS = """
SELECT set_config('synchronous_commit', 'off', false), set_config('lock_timeout', '8s', false),
  set_config('plan_cache_mode', 'force_generic_plan', false),
  set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
  set_config('enable_mergejoin', 'off', false)
"""


class OutboxDatabase:
    """Runs statements one after the other.

    Args:
        address: Where the outbox is.
    """

    def __init__(self, address: PostgresAddress) -> None:
        self._address = address
        self._connection: AsyncConnection | None = None

    async def run(self, statement: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """Run a statement as a transaction of its own, and return its rows.

        Raises:
            JournalError: The database is away, or refuses. The statement may have been done all
                the same.
        """
        try:
            return await self._run(statement, values)
        except (driver().Error, OSError) as exc:
            problem = unusable(self._address, exc)
        await self.aclose()
        raise problem

    async def _run(self, statement: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        if self._connection is None:
            # It needs what the extra installs.
            from iprog_async._journal.postgres.times import bound_times

            connection = self._connection = await connect_async(self._address)
            connection.is_patient = False
            await bound_times(self._connection)
            await self._connection.execute(SETTINGS)
        cursor = await self._connection.execute(statement, values)  # pyright: ignore[reportArgumentType, reportCallIssue] - our own SQL
        return [] if cursor.description is None else await cursor.fetchall()

    async def aclose(self) -> None:
        """Disconnect; twice is fine, and the next statement connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
