"""Counts of any number of machines: a table beside the journal's, by the database's clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from iprog_async._core.sealed import Secret
from iprog_async._limits.count_stores import Change
from iprog_async._limits.counts import Counts
from iprog_async._limits.postgres_connection import PostgresConnection
from iprog_async._limits.postgres_store import SETTINGS, PostgresLimitStore


if TYPE_CHECKING:
    from psycopg import AsyncConnection, AsyncPipeline

R = TypeVar("R")

_CHANGES_BETWEEN_SWEEPS = 50


class PostgresCountStore(PostgresConnection):
    """Keeps the counts in a table, over a connection of its own.

    Args:
        address: Of the database; shown nowhere.
        schema: Where the table is.
        now: What tells the time, in seconds since 1970; the database if `None`.
    """

    settings = SETTINGS

    def __init__(
        self, address: Secret, schema: str, now: Callable[[], float] | None = None
    ) -> None:
        from psycopg import sql

        super().__init__(address)
        self._schema = schema
        self._now = now
        self._changes = 0
        table = sql.Identifier(schema, "counts")
        # Makes those that are not there, and locks all, in one order, so that no two processes wait
        # for each other. What only looked for them could miss one that is swept away meanwhile.
        self._lock = sql.SQL(
            "INSERT INTO {} AS c (name) SELECT unnest(%s::bytea[]) "
            "ON CONFLICT (name) DO UPDATE SET ends = c.ends RETURNING name, state"
        ).format(table)
        self._update = sql.SQL(
            "UPDATE {} AS c SET state = n.state, ends = n.ends "
            "FROM unnest(%s::bytea[], %s::text[], %s::float8[]) AS n (name, state, ends) "
            "WHERE c.name = n.name"
        ).format(table)
        self._sweep = sql.SQL(
            "DELETE FROM {0} WHERE name IN "
            "(SELECT name FROM {0} WHERE ends < %s ORDER BY name LIMIT 100 FOR UPDATE SKIP LOCKED)"
        ).format(table)

    async def change(self, names: Sequence[bytes], change: Change[R]) -> R:
        """Change some counts together, while no other process changes them.

        Raises:
            LimitStoreError: The database can't be reached, or has no such table for us.
        """
        self._changes += 1
        sweeps = self._changes % _CHANGES_BETWEEN_SWEEPS == 0
        asked = sorted(set(names))

        async def work(connection: AsyncConnection[Any], pipeline: AsyncPipeline) -> R:
            locked = await connection.execute(self._lock, (asked,))
            # Read after the wait for the rows.
            clock = await connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            await pipeline.sync()
            found = {bytes(name): str(state) for name, state in await locked.fetchall()}
            (now,) = await clock.fetchone() or (0.0,)
            counts = Counts(found, now if self._now is None else self._now())
            answer = change(counts)
            changed = counts.changed()
            states, ends = [kept[0] for kept in changed.values()], [k[1] for k in changed.values()]
            await connection.execute(self._update, (list(changed), states, ends))
            if sweeps:
                await connection.execute(self._sweep, (counts.now,))
            return answer

        return await self.transact(work)

    async def salt(self) -> bytes:
        """Return what goes into the names of counts; all campaigns have the same."""
        limits = PostgresLimitStore(self._address, self._schema)
        try:
            return await limits.salt()
        finally:
            await limits.aclose()
