"""Fixtures: where lists are kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from iprog_async import Suppressions
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.migrations import migrate
from support.postgres.addresses import with_query


@pytest.fixture(scope="module")
def list_schema(postgres_database: str) -> Iterator[str]:
    """Make the tables once for a module."""
    address = with_query(postgres_database, schema=f"test_{token_hex(6)}")
    parsed = PostgresAddress.parse(address)
    migrate(parsed)
    yield address
    with connect(parsed) as connection:
        run(connection, f"DROP SCHEMA {parsed.schema} CASCADE")


@pytest.fixture
def address(list_schema: str) -> str:
    """Return the address of a journal whose list is empty."""
    parsed = PostgresAddress.parse(list_schema)
    tables = ("suppressions", "suppression_changes", "inbound_seen")
    with connect(parsed) as connection:
        run(connection, f"TRUNCATE {', '.join(f'{parsed.schema}.{table}' for table in tables)}")
    return list_schema


@pytest.fixture(params=["lines", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Return where to begin a list; what holds of lists holds for each store."""
    if request.param == "postgres":
        found: str = request.getfixturevalue("address")
        return found
    return tmp_path / ("stop.txt" if request.param == "lines" else "stop.db")


@pytest.fixture
def suppressions(place: Path | str) -> Iterator[Suppressions]:
    """Return an empty list."""
    with Suppressions.open(place, region="PH") as opened:
        yield opened
