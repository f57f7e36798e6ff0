"""A look at the rows of a journal in PostgreSQL, as another process has it."""

from __future__ import annotations

from typing import Any

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run


def rows_of_address(address: str, columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of all rows, in order."""
    parsed = PostgresAddress.parse(address)
    with connect(parsed) as connection:
        query = f"SELECT {columns} FROM {parsed.schema}.entries ORDER BY id"  # noqa: S608 - a test's own words
        return run(connection, query).fetchall()
