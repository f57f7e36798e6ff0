"""A journal with an outbox for these tests: one schema, emptied for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

import pytest
from support.outbox.looking import told
from support.postgres.addresses import with_query

from iprog_async import Journal
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.testing import SmsOutbox


@pytest.fixture(scope="session")
def _outbox_schema(postgres_database: str) -> Iterator[str]:
    import psycopg

    schema = f"test_{token_hex(6)}"
    address = with_query(postgres_database, schema=schema)
    migrate(PostgresAddress.parse(address))
    yield address
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        # Its letters are our own.
        connection.execute(f'DROP SCHEMA "{schema}" CASCADE'.encode())


@pytest.fixture
def address(_outbox_schema: str) -> str:
    """Return the address of a journal that is empty."""
    told(_outbox_schema, "TRUNCATE {outbox}, {entries}")
    return _outbox_schema


@pytest.fixture
def gateway() -> SmsOutbox:
    """Return a gateway in memory."""
    return SmsOutbox()


@pytest.fixture
def journal(address: str) -> Iterator[Journal]:
    """Return the journal of the sender."""
    with Journal.open(address) as opened:
        yield opened
