"""The fleet's own connection to the journal's database, beside those of the journals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from iprog_async._core.errors import ConfigurationError, JournalError
from iprog_async._core.tracebacks import discreet
from iprog_async._journal.postgres.address import PostgresAddress, is_address
from iprog_async._journal.postgres.connecting import connect_async, not_in_session, translated
from iprog_async._journal.postgres.driver import INSTALL, driver
from iprog_async._journal.postgres.migrations import check_version
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.session import keeps_session


if TYPE_CHECKING:
    import psycopg

    from iprog_async._limits.postgres_waiting import WaitingAsyncConnection

    Connection = psycopg.AsyncConnection[tuple[Any, ...]]
    Cursor = psycopg.AsyncCursor[tuple[Any, ...]]
else:
    Connection = Cursor = Any

CHANNEL = "iprog_async_fleet"
"""What tells workers that something about a campaign has changed; its payload is the schema."""


@discreet
def parse_address(journal: str) -> PostgresAddress:
    """Return the address of a fleet's journal.

    Raises:
        ConfigurationError: It is no address, or what a fleet needs is not installed.
        JournalError: The address can't be read.
    """
    if not is_address(journal):
        raise ConfigurationError(
            "a fleet shares a journal in PostgreSQL, such as postgresql://user@host/database; "
            "a file is for the processes of one machine. Nothing was sent"
        )
    if find_spec("procrastinate") is None:
        raise ConfigurationError(f"a fleet needs procrastinate: {INSTALL}. Nothing was sent")
    driver()
    return PostgresAddress.parse(journal)


async def connect(address: PostgresAddress, name: str = "") -> WaitingAsyncConnection:
    """Connect, with the journal's schema in front; each statement is a transaction of its own.

    Args:
        address: The journal.
        name: Who connects, for `pg_stat_activity`.

    Raises:
        JournalError: It can't be reached, is no journal that this release works with, or stands
            behind a pooler that hands statements to any session.
    """
    # It needs what the extra installs.
    from iprog_async._journal.postgres.times import bound_times

    connection = await connect_async(address, name)
    try:
        if await _is_pooled(address, connection):
            # This connection may be all that the pooler has.
            await connection.close()
            if not await asyncio.to_thread(keeps_session, address):
                raise not_in_session(address.shown)
            connection = await connect_async(address, name)
        with translated(address):
            check_version(address, await _version(connection, address.schema))
            # The job queue's own statements name no schema.
            await run(connection, f"SET search_path = {quoted(address.schema)}")
            await bound_times(connection)
    except BaseException:
        await connection.close()
        raise
    return connection


async def _is_pooled(address: PostgresAddress, connection: Connection) -> bool:
    """Return whether a pooler stands between, which has numbers of its own for its sessions."""
    with translated(address):
        (backend,) = await ask(connection, "SELECT pg_backend_pid()")
    return bool(backend != connection.info.backend_pid)


async def _version(connection: Connection, schema: str) -> int | None:
    table = f"{quoted(schema)}.schema_steps"
    (there,) = await ask(connection, "SELECT to_regclass(%s) IS NOT NULL", [table])
    if not there:
        return None
    (version,) = await ask(connection, f"SELECT coalesce(max(step), 0) FROM {table}")  # noqa: S608 - checked letters
    return int(version)


@asynccontextmanager
async def connected(address: PostgresAddress) -> AsyncGenerator[Connection]:
    """Connect for as long as a block takes; the server's errors become a `JournalError`."""
    connection = await connect(address)
    try:
        with translated(address, around_others=True):
            yield connection
    finally:
        await connection.close()


async def run(
    connection: Connection, query: str, values: Sequence[object] | dict[str, Any] | None = None
) -> Cursor:
    """Run a statement; its text is ours, and only its values are others'."""
    return await connection.execute(query, values)  # pyright: ignore[reportArgumentType, reportCallIssue] - no literal


async def ask(
    connection: Connection, query: str, values: Sequence[object] | dict[str, Any] | None = None
) -> Any:
    """Return the one row that a query gives; `None` if there is none."""
    return await (await run(connection, query, values)).fetchone()


async def ask_all(
    connection: Connection, query: str, values: Sequence[object] | dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Return all rows that a query gives."""
    return await (await run(connection, query, values)).fetchall()


async def notify(connection: Connection, schema: str) -> None:
    """Tell all workers that something about a campaign has changed."""
    await run(connection, "SELECT pg_notify(%s, %s)", [CHANNEL, schema])


def is_lost(trouble: BaseException) -> bool:
    """Return whether trouble is of the connection to the database, which may come back."""
    if isinstance(trouble, JournalError):
        return True
    # One of the system is the driver's, which could not wait for an answer.
    return isinstance(trouble, (driver().OperationalError, driver().InterfaceError, OSError))
