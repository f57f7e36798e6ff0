"""Every text is found again as it was stored: a database that can't hold it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, posting, rows_in

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.health import examine
from iprog_async._journal.postgres.migrations import migrate
from iprog_async._journal.postgres.statements import check_identity, exact_text, text
from iprog_async._journal.rows import Row


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def odd_database(request: pytest.FixtureRequest, postgres_database: str) -> Iterator[str]:
    """Return the address of a database of another encoding."""
    name = f"test_{token_hex(6)}"
    made = (
        f"CREATE DATABASE {name} ENCODING '{request.param}' TEMPLATE template0 "
        "LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(made.encode())  # its letters are our own
    yield urlunsplit(urlsplit(postgres_database)._replace(path=f"/{name}"))
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.parametrize("using", [Journal.open, JournalReader.open, migrate, examine])
def test_another_encoding(using: Callable[[Any], object], odd_database: str) -> None:
    """A database that can't hold every text is refused, with what to do, whatever it is for."""
    is_inside = using in (migrate, examine)
    place = PostgresAddress.parse(odd_database) if is_inside else odd_database
    with pytest.raises(JournalError, match="Nothing was sent; make a database for the journal"):
        using(place)


async def test_an_environment_of_another_encoding(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The encoding that the environment sets for other programs changes nothing."""
    monkeypatch.setenv("PGCLIENTENCODING", "SQL_ASCII")
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        client = posting(wire, journal)
        receipts = [await client.send(NUMBER, "Hi", key="łódź") for _ in range(2)]
    assert receipts[0] == receipts[1]
    assert 1 == len(wire.requests)
    assert [(NUMBER, "łódź", "accepted")] == rows_in(postgres_journal)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "a\udfff"])
def test_what_can_not_be_stored(value: str) -> None:
    """What is to be found again is refused where it can't be stored as it is; words are not."""
    with pytest.raises(ValueError, match=r"character 0|surrogates"):
        exact_text(value)
    assert text(value).isprintable()


@pytest.mark.parametrize("found", [(NUMBER, "b"), (NUMBER, None), ("+639170000000", "a")])
def test_an_answer_about_another_message(found: tuple[str, str | None]) -> None:
    """A row of another message than was asked for is an error, and nothing is taken for new."""
    row = Row(1, *found, b"hash", 0, "accepted")
    with pytest.raises(JournalError, match="another message"):
        check_identity(row, {(NUMBER, "a")})


async def test_one_outcome_that_can_not_be_written(postgres_journal: str) -> None:
    """An outcome that the database refuses leaves the others that came with it recorded."""
    with Journal.open(postgres_journal) as journal:
        queue = journal.store.of_loop()
        rows = [Row(0, NUMBER, key, b"hash", 0, "released") for key in "abc"]
        for row in rows:
            assert await queue.claim_new(row) is None
        address = PostgresAddress.parse(postgres_journal)
        with connect(address) as connection:
            refused = "ADD CHECK (key <> 'b' OR state <> 'accepted')"
            run(connection, f"ALTER TABLE {address.schema}.entries_1 {refused}")
        ended = [(*[None] * 5, "accepted", False, "fake", "", None) for _ in rows]
        assert isinstance(await queue.record(rows, ended), JournalError)
    assert ["accepted", "claimed", "accepted"] == [
        state for _, _, state in rows_in(postgres_journal)
    ]
