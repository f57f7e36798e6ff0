"""A look into an outbox, and waiting for what a sender does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from support.waiting import LONG


def rows(address: str, columns: str = "number, key, text, state") -> list[tuple[Any, ...]]:
    """Return some columns of all rows of an outbox, in order."""
    return told(address, f"SELECT {columns} FROM {{outbox}} ORDER BY id")  # noqa: S608 - a test's own words


def told(address: str, statement: str) -> list[tuple[Any, ...]]:
    """Run a statement in which `{outbox}` and `{entries}` stand for tables; return its rows."""
    parsed = PostgresAddress.parse(address)
    tables = {name: f"{parsed.schema}.{name}" for name in ("outbox", "entries")}
    with connect(parsed) as connection:
        cursor = run(connection, statement.format(**tables))
        return [] if cursor.description is None else cursor.fetchall()


async def until(happened: Callable[[], object]) -> None:
    """Wait for something that is sure to happen, however slow the machine is."""
    end = time.monotonic() + LONG
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.005)
