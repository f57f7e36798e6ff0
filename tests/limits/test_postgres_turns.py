"""A process that is stopped while it changes what all share keeps nobody else from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._limits.counts import Counts
from iprog_async._limits.postgres_counts import PostgresCountStore
from iprog_async._limits.postgres_store import PostgresLimitStore


NAME, OTHER = b"n" * 16, b"o" * 16
# The server ends a session in this state after `idle_in_transaction_session_timeout`, a second.
IDLE = "idle in transaction"


@pytest.fixture
def address(postgres_journal: str) -> PostgresAddress:
    """Return where the limits are."""
    return PostgresAddress.parse(postgres_journal)


@pytest.fixture
def state(address: PostgresAddress) -> Callable[[], list[str]]:
    """Return what tells how the server sees the sessions that have a table of ours locked."""
    query = (
        "SELECT DISTINCT a.state FROM pg_stat_activity AS a JOIN pg_locks AS l USING (pid) "
        "JOIN pg_class AS c ON c.oid = l.relation "
        "WHERE c.relnamespace = %s::regnamespace AND a.pid <> pg_backend_pid()"
    )

    def look() -> list[str]:
        with connect(address) as connection:
            found = run(connection, query, [f'"{address.schema}"']).fetchall()
        return [state for (state,) in found]

    return look


async def test_a_change_of_limits(address: PostgresAddress, state: Callable[[], list[str]]) -> None:
    """While a process makes up its mind the server knows that it waits for it, new row or not."""

    def look(_: str, __: float) -> tuple[str, list[str]]:
        return "a", state()

    store = PostgresLimitStore(address.conninfo, address.schema)
    seen = [await store.change(NAME, look) for _ in range(2)]
    await store.aclose()
    assert [[IDLE], [IDLE]] == seen


async def test_a_change_of_counts(address: PostgresAddress, state: Callable[[], list[str]]) -> None:
    """While a process counts the server knows that it waits for it."""

    def look(_: Counts) -> list[str]:
        return state()

    store = PostgresCountStore(address.conninfo, address.schema)
    seen = [await store.change([NAME, OTHER], look) for _ in range(2)]
    await store.aclose()
    assert [[IDLE], [IDLE]] == seen


@pytest.mark.slow
async def test_a_long_line_is_no_silence(
    address: PostgresAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has many before them waits on for as long as these get answers."""
    monkeypatch.setattr("iprog_async._limits.postgres_connection._TURN_SECONDS", 2.0)
    store = PostgresLimitStore(address.conninfo, address.schema)

    async def take_a_moment(_: Any, pipeline: Any) -> str:
        await pipeline.sync()
        await asyncio.sleep(0.05)
        return "answered"

    told = await asyncio.gather(*(store.transact(take_a_moment) for _ in range(60)))
    await store.aclose()
    assert ["answered"] * 60 == told
