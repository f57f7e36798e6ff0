"""A text is in the outbox if the caller's transaction is committed, whatever its connection is."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from support.outbox.connections import (
    KINDS,
    AlchemyConnection,
    AlchemySession,
    Django,
    Elsewhere,
    Psycopg,
    PsycopgAsync,
    Transaction,
)
from support.outbox.looking import rows

from iprog_async import ConfigurationError, InvalidMessageError, Journal, JournalError, Message
from iprog_async._journal.enqueuing.enqueue import Target
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.schema import enqueue_grants
from iprog_async.outbox import Enqueued


ANN = Message("+639171234567", "Your order is on its way: ✓", key="order-1")
BEN = Message("+639181234567", "Hi", key="order-2")
ROW = (ANN.to, ANN.key, ANN.text, "waiting")

Kind = type[Transaction]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return one kind of connection after the other."""
    chosen: Kind = request.param
    return chosen


@asynccontextmanager
async def opened(kind: Kind, address: str) -> AsyncGenerator[tuple[Transaction, Journal]]:
    """Give a connection of a kind, and the journal."""
    transaction = kind()
    with Journal.open(address) as journal:
        await transaction.open(address)
        try:
            yield transaction, journal
        finally:
            await transaction.close()


async def test_text_is_there_after_the_commit(kind: Kind, address: str) -> None:
    """Before the commit nobody else sees it, and after it everybody does."""
    async with opened(kind, address) as (transaction, journal):
        enqueued = await transaction.enqueue(journal, ANN)
        before = rows(address)
        await transaction.commit()

    assert ([], [ROW]) == (before, rows(address))
    assert [(enqueued.id, True)] == [(*row, enqueued.is_new) for row in rows(address, "id")]


async def test_text_of_a_rolled_back_transaction_never_was(kind: Kind, address: str) -> None:
    """After a rollback there is nothing, and the same key can be enqueued."""
    async with opened(kind, address) as (transaction, journal):
        await transaction.enqueue(journal, ANN)
        await transaction.rollback()
        nothing = rows(address)
        again = await transaction.enqueue(journal, ANN)
        await transaction.commit()

    assert ([], True, [ROW]) == (nothing, again.is_new, rows(address))


async def test_text_of_a_rolled_back_savepoint_never_was(kind: Kind, address: str) -> None:
    """What was enqueued after the savepoint is gone; what came before it stays."""
    async with opened(kind, address) as (transaction, journal):
        await transaction.enqueue(journal, ANN)
        await transaction.execute("SAVEPOINT here")
        await transaction.enqueue(journal, BEN)
        await transaction.execute("ROLLBACK TO SAVEPOINT here")
        await transaction.commit()

    assert [ROW] == rows(address)


async def test_one_key_is_one_text(kind: Kind, address: str) -> None:
    """The second one with a key gets the number of the first, in the same transaction or later."""
    async with opened(kind, address) as (transaction, journal):
        first = await transaction.enqueue(journal, ANN)
        second = await transaction.enqueue(journal, ANN)
        await transaction.commit()
        third = await transaction.enqueue(journal, Message(ANN.to, "Another", key=ANN.key))
        await transaction.commit()

    known = Enqueued(first.id, is_new=False)
    assert (True, known, known, [ROW]) == (first.is_new, second, third, rows(address))


async def test_failed_transaction_is_told(kind: Kind, address: str) -> None:
    """After a statement that failed nothing is enqueued, and the error says what to do."""
    async with opened(kind, address) as (transaction, journal):
        with pytest.raises(Exception, match="division by zero"):
            await transaction.execute("SELECT 1 / 0")
        with pytest.raises(JournalError, match=r"roll it back.*Nothing was enqueued") as caught:
            await transaction.enqueue(journal, ANN)
        await transaction.rollback()

    assert (None, []) == (caught.value.__cause__, rows(address))


async def test_database_without_outbox_is_told(kind: Kind, address: str) -> None:
    """A connection to a database that is not the journal's gets one error that says so."""
    async with opened(kind, address) as (transaction, _):
        with pytest.raises(JournalError, match=r"no outbox in the schema elsewhere.*journal init"):
            await transaction.enqueue(Elsewhere(), ANN)


async def test_all_that_a_message_has_is_kept(address: str) -> None:
    """Sender ID, time, and until when it may be sent are there for the sender."""
    when = datetime(2999, 12, 24, 8, 0, tzinfo=timezone(timedelta(hours=8)))
    message = Message("0917 123 4567", "Hi", sender_id=" SHOP ", schedule_at=when, key="k")
    async with opened(PsycopgAsync, address) as (transaction, journal):
        connection, soon = transaction.connection, timedelta(minutes=5)
        await journal.enqueue(message, connection=connection, region="ph", max_age=soon)
        await transaction.commit()

    columns = "number, sender_id, schedule_at, expires_at - enqueued_at, campaign, takes"
    ((number, sender_id, schedule_at, age, campaign, takes),) = rows(address, columns)
    assert ("+639171234567", "SHOP", when.astimezone(UTC), "", 0) == (
        number,
        sender_id,
        schedule_at,
        campaign,
        takes,
    )
    assert timedelta(minutes=5) == timedelta(seconds=round(age.total_seconds()))


async def test_time_at_the_end_of_the_calendar_is_refused(address: str) -> None:
    """No other zone can write it, the database's neither."""
    when = datetime.max.replace(tzinfo=timezone(-timedelta(hours=8)))
    with Journal.open(address) as journal, pytest.raises(InvalidMessageError, match="out of range"):
        await journal.enqueue(Message(ANN.to, "Hi", schedule_at=when, key="k"), connection=object())


async def test_journal_in_a_file_has_no_outbox(tmp_path: Path) -> None:
    """It says that an outbox is in PostgreSQL."""
    with (
        Journal.open(tmp_path / "j.db") as journal,
        pytest.raises(ConfigurationError, match="an outbox needs a journal in PostgreSQL"),
    ):
        await journal.enqueue(ANN, connection=object())


async def test_journal_of_another_database_is_told(address: str) -> None:
    """A connection to a database with another journal of the same schema enqueues nothing."""
    schema = PostgresAddress.parse(address).schema
    async with opened(PsycopgAsync, address) as (transaction, _):
        with pytest.raises(JournalError, match=r"has a journal in the schema .*, but not this one"):
            await Target(schema, "", "0" * 64).enqueue(ANN, transaction.connection, None, None)


async def test_role_needs_no_more_than_the_right_to_enqueue(address: str) -> None:
    """With the documented rights it can enqueue and read nothing; without, it is told."""
    schema = PostgresAddress.parse(address).schema
    role = f"role_of_{schema}"
    async with opened(PsycopgAsync, address) as (transaction, journal):
        await transaction.execute(f"CREATE ROLE {role}")
        await transaction.execute(f"SET ROLE {role}")
        await transaction.execute("SAVEPOINT here")
        with pytest.raises(JournalError, match="GRANT EXECUTE ON FUNCTION"):
            await transaction.enqueue(journal, ANN)
        await transaction.execute("ROLLBACK TO SAVEPOINT here; RESET ROLE")
        await transaction.execute(enqueue_grants(schema, role))
        await transaction.execute(f"SET ROLE {role}")
        enqueued = await transaction.enqueue(journal, ANN)
        with pytest.raises(Exception, match="permission denied for table outbox"):
            await transaction.execute(f"TABLE {schema}.outbox")
        await transaction.rollback()

    assert enqueued.is_new


@pytest.mark.parametrize("kind", [AlchemyConnection, AlchemySession])
async def test_database_of_another_make_is_told(kind: type, address: str) -> None:
    """SQLAlchemy's connection to SQLite is answered with where an outbox is."""
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    engine = create_engine("sqlite://")
    connection = engine.connect() if kind is AlchemyConnection else Session(engine)
    with (
        Journal.open(address) as journal,
        connection,
        pytest.raises(ConfigurationError, match="leads to sqlite"),
    ):
        journal.enqueue_sync(ANN, connection=connection)
    engine.dispose()


async def test_connection_in_autocommit_commits_at_once(address: str) -> None:
    """Where there is no transaction, the text is in the outbox when it was enqueued."""
    async with opened(PsycopgAsync, address) as (transaction, journal):
        await transaction.connection.set_autocommit(True)
        await transaction.enqueue(journal, ANN)
        assert [ROW] == rows(address)


async def test_transaction_that_has_to_run_again_gets_the_drivers_own_error(
    address: str,
) -> None:
    """Programs wait for serialization failures, so they come as the driver raises them."""
    import psycopg

    async with (
        opened(PsycopgAsync, address) as (first, journal),
        opened(PsycopgAsync, address) as (second, _),
    ):
        await second.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await second.execute("SELECT 1")
        await first.enqueue(journal, ANN)
        await first.commit()
        with pytest.raises(psycopg.errors.SerializationFailure):
            await second.enqueue(journal, ANN)


@pytest.mark.parametrize(
    ("kind", "asynchronous", "words"),
    [
        (Psycopg, True, "enqueue_sync"),
        (Django, True, "enqueue_sync"),
        (PsycopgAsync, False, "await"),
    ],
)
async def test_wrong_way_is_named(kind: Kind, asynchronous: bool, words: str, address: str) -> None:
    """A synchronous connection that is awaited, or the reverse, is answered with what to call."""
    async with opened(kind, address) as (transaction, journal):

        async def enqueue() -> Enqueued:
            if asynchronous:
                return await journal.enqueue(ANN, connection=transaction.connection)
            return journal.enqueue_sync(ANN, connection=transaction.connection)

        with pytest.raises(ConfigurationError, match=words):
            await enqueue()


async def test_unknown_connection_is_told_which_there_are(address: str) -> None:
    """Whatever else is given is named, with the kinds that there are."""
    with Journal.open(address) as journal:
        with pytest.raises(ConfigurationError, match=r"builtins\.str.*asyncpg.*django") as first:
            await journal.enqueue(ANN, connection=address)
        with pytest.raises(ConfigurationError) as second:
            journal.enqueue_sync(ANN, connection=address)
    assert str(first.value) == str(second.value)
