"""Shared limits of any number of machines: a table beside the journal's, the database's clock."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeVar

from iprog_async._core.postgres_forks import end_connection
from iprog_async._core.sealed import Secret
from iprog_async._limits.store import Decide, LimitStoreError


if TYPE_CHECKING:
    from psycopg import AsyncConnection

R = TypeVar("R")

# The name of the row with the salt; those of accounts are longer.
_SALT = b"salt"
# Seconds. A limiter that answers late holds up texts, and each process can do without it.
_CONNECT_TIMEOUT = 3
# A process that is stopped between its two steps loses its turn, not everybody's.
_SETTINGS = (
    "SELECT set_config('idle_in_transaction_session_timeout', '1s', false), "
    "set_config('lock_timeout', '2s', false), "
    "set_config('statement_timeout', '2s', false), "
    "set_config('default_transaction_isolation', 'read committed', false), "
    # What a crash of the server loses here is made anew.
    "set_config('synchronous_commit', 'off', false)"
)


class PostgresLimitStore:
    """Keeps the states in a table, over a connection of its own.

    Args:
        address: Of the database; shown nowhere.
        schema: Where the table is.
    """

    def __init__(self, address: Secret, schema: str) -> None:
        from psycopg import sql

        table = sql.Identifier(schema, "limits")
        self._address = address
        self._insert = sql.SQL(
            "INSERT INTO {} (name, state) VALUES (%s, '') ON CONFLICT DO NOTHING"
        ).format(table)
        # The clock is read outside, so that it is read after the wait for the row.
        self._select = sql.SQL(
            "SELECT state, extract(epoch FROM clock_timestamp())::float8 "
            "FROM (SELECT state FROM {} WHERE name = %s FOR UPDATE) AS locked"
        ).format(table)
        self._update = sql.SQL("UPDATE {} SET state = %s WHERE name = %s").format(table)
        self._connection: AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()
        self._process = 0
        self._closing: Callable[[], object] | None = None

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it, while no other process changes it.

        Raises:
            LimitStoreError: The database can't be reached, or has no such table for us.
        """
        import psycopg

        async with self._turn:
            try:
                return await self._change(await self._open(), name, decide)
            except psycopg.Error as exc:
                self._drop()
                code = f" (SQLSTATE {exc.sqlstate})" if exc.sqlstate else ""
                # Its text may quote the address.
                raise LimitStoreError(f"the database: {type(exc).__name__}{code}") from None
            except BaseException:
                # Nobody knows where in its conversation it stands.
                self._drop()
                raise

    async def _change(self, connection: AsyncConnection[Any], name: bytes, decide: Decide[R]) -> R:
        # In a pipeline there are two round trips instead of four.
        async with connection.pipeline():
            await connection.execute("BEGIN")
            found = await (await connection.execute(self._select, (name,))).fetchone()
            if found is None:
                await connection.execute(self._insert, (name,))
                found = await (await connection.execute(self._select, (name,))).fetchone()
            if found is None:
                raise LimitStoreError("the database: a row of the limits vanished")
            state, now = found
            state, answer = decide(state, now)
            await connection.execute(self._update, (state, name))
            await connection.execute("COMMIT")
        return answer

    async def _open(self) -> AsyncConnection[Any]:
        """Return the connection, of this very process."""
        from psycopg import AsyncConnection

        if self._connection is not None:
            if self._process == os.getpid():
                return self._connection
            self._drop()
        connection = await AsyncConnection.connect(
            str(self._address),
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT,
            application_name="iprog-async limits",
            prepare_threshold=1,
        )
        self._connection, self._process = connection, os.getpid()
        # Some clients are never closed.
        self._closing = weakref.finalize(self, end_connection, self._process, connection)
        await connection.execute(_SETTINGS)
        return connection

    def _drop(self) -> None:
        self._connection = None
        if self._closing is not None:
            self._closing()
            self._closing = None

    async def salt(self) -> bytes:
        """Return what goes into the names of accounts; whoever comes first makes it."""
        new = token_hex(16)
        found = await self.change(_SALT, lambda state, _: (state or new, state or new))
        return found.encode()

    async def aclose(self) -> None:
        """Close the connection, whatever became of its event loop."""
        self._drop()
