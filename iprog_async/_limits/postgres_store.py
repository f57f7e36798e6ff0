"""Shared limits of any number of machines: a table beside the journal's, the database's clock."""

from __future__ import annotations

from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from iprog_async._core.sealed import Secret
from iprog_async._limits.postgres_connection import PostgresConnection
from iprog_async._limits.postgres_settings import SESSION
from iprog_async._limits.store import Decide, LimitStoreError


if TYPE_CHECKING:
    from psycopg import AsyncConnection, AsyncPipeline

R = TypeVar("R")

# The name of the row with the salt; those of accounts are longer.
_SALT = b"salt"
# A process that is stopped between its two steps loses its turn, not everybody's.
SETTINGS = (
    f"{SESSION}, "
    "set_config('idle_in_transaction_session_timeout', '1s', false), "
    "set_config('lock_timeout', '2s', false), "
    "set_config('statement_timeout', '2s', false)"
)
"""What a connection for shared limits begins with."""


class PostgresLimitStore(PostgresConnection):
    """Keeps the states in a table, over a connection of its own.

    Args:
        address: Of the database; shown nowhere.
        schema: Where the table is.
    """

    # What a crash of the server loses here is made anew.
    settings = f"{SETTINGS}, set_config('synchronous_commit', 'off', false)"

    def __init__(self, address: Secret, schema: str) -> None:
        super().__init__(address)
        from psycopg import sql

        table = sql.Identifier(schema, "limits")
        self._insert = sql.SQL(
            "INSERT INTO {} (name, state) VALUES (%s, '') ON CONFLICT DO NOTHING"
        ).format(table)
        # The clock is read outside, so that it is read after the wait for the row.
        self._select = sql.SQL(
            "SELECT state, extract(epoch FROM clock_timestamp())::float8 "
            "FROM (SELECT state FROM {} WHERE name = %s FOR UPDATE) AS locked"
        ).format(table)
        self._update = sql.SQL("UPDATE {} SET state = %s WHERE name = %s").format(table)

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it, while no other process changes it.

        Raises:
            LimitStoreError: The database can't be reached, or has no such table for us.
        """

        async def lock(connection: AsyncConnection[Any], pipeline: AsyncPipeline) -> Any:
            found = await connection.execute(self._select, (name,))
            await pipeline.sync()
            return await found.fetchone()

        async def work(connection: AsyncConnection[Any], pipeline: AsyncPipeline) -> R:
            found = await lock(connection, pipeline)
            if found is None:
                await connection.execute(self._insert, (name,))
                found = await lock(connection, pipeline)
            if found is None:
                raise LimitStoreError("the database: a row of the limits vanished")
            state, now = found
            state, answer = decide(state, now)
            await connection.execute(self._update, (state, name))
            return answer

        return await self.transact(work)

    async def salt(self) -> bytes:
        """Return what goes into the names of accounts; whoever comes first makes it."""
        new = token_hex(16)
        found = await self.change(_SALT, lambda state, _: (state or new, state or new))
        return found.encode()
