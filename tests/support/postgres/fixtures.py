"""Fixtures: a server that is started when the first test needs one, and a schema for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import pytest

from support.postgres.addresses import with_query


if TYPE_CHECKING:
    from support.postgres.server import PostgresServer
    from support.postgres.stock import JournalStock

_DEMAND = "IPROG_ASYNC_POSTGRES_TESTS"
"""`required` makes tests fail that would be skipped because no server can be started."""


def unavailable(why: str) -> None:
    """Skip a test, or fail it where PostgreSQL is demanded."""
    if os.environ.get(_DEMAND) == "required":
        pytest.fail(f"{_DEMAND}=required, and {why}", pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def postgres_database() -> Iterator[str]:
    """Return the address of a database: `DATABASE_URL`, or of a server that is started for it."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres://", "postgresql://")):
        yield given
        return
    try:
        # Both are optional.
        from support.postgres.server import PostgresServer

        server = PostgresServer()
    except (ImportError, LookupError, OSError, RuntimeError) as exc:
        unavailable(f"no PostgreSQL server can be started here ({exc}); DATABASE_URL gives one")
        return
    try:
        yield server.address()
    finally:
        server.remove()


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """Start a server that may be crashed, because nobody else uses it."""
    try:
        # Both are optional.
        from support.postgres.server import PostgresServer

        started = PostgresServer()
    except (ImportError, LookupError, OSError, RuntimeError) as exc:
        unavailable(f"no PostgreSQL server can be started here ({exc})")
        return
    yield started
    started.remove()


@pytest.fixture
def own_database(postgres_database: str) -> Iterator[str]:
    """Return the address of a database of the test's own, for programs that know no schema."""
    import psycopg

    name = f"test_{token_hex(6)}"
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())  # its letters are our own
    yield urlunsplit(urlsplit(postgres_database)._replace(path=f"/{name}"))
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def postgres_address(postgres_database: str) -> Iterator[str]:
    """Return an address with a schema of the test's own, which is not there yet."""
    import psycopg

    from support.postgres.stock import remove_schema

    schema = f"test_{token_hex(6)}"
    yield with_query(postgres_database, schema=schema)
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        remove_schema(connection, schema)


@pytest.fixture(scope="session")
def journal_stock(postgres_database: str) -> Iterator[JournalStock]:
    """Keep the journals that tests have done with, for others."""
    from support.postgres.stock import JournalStock

    stock = JournalStock(postgres_database)
    yield stock
    stock.remove()


@pytest.fixture
def postgres_journal(journal_stock: JournalStock) -> Iterator[str]:
    """Return the address of a journal that is made, and empty."""
    made = journal_stock.take()
    yield made.address
    journal_stock.give_back(made)
