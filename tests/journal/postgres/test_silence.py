"""A server that is there and does not answer holds nobody up for ever."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import psycopg
import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, posting, rows_in, run_over, sent_to
from support.postgres.silence import SOON, Silence
from support.waiting import LONG

from iprog_async import (
    Journal,
    JournalError,
    OutcomeUnknownError,
    RunHaltedError,
    Suppressions,
)
from iprog_async._journal.postgres import store as store_module
from iprog_async._journal.postgres import worker
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, connect_async, is_lost, run
from iprog_async._limits import postgres_waiting
from iprog_async._limits.postgres_settings import KEEPALIVES
from iprog_async._limits.postgres_store import PostgresLimitStore
from iprog_async._limits.postgres_waiting import WaitingAsyncConnection
from iprog_async._limits.store import LimitStoreError
from iprog_async.fleet import _database as fleet_database
from iprog_async.outbox._database import OutboxDatabase


pytestmark = pytest.mark.skipif(
    os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="the server's processes are not ours to stop",
)


@pytest.fixture
def silence(postgres_journal: str, monkeypatch: pytest.MonkeyPatch) -> Silence:
    """Return what makes the connections of a test silent."""
    return Silence.of(postgres_journal, monkeypatch)


@pytest.fixture
def _away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can connect again, and claims are given up soon."""

    def fail(*_: object) -> None:
        raise JournalError("can't reach the journal")

    monkeypatch.setattr(store_module, "reopen", fail)
    monkeypatch.setattr(store_module, "_SECONDS_UNTIL_GONE", 0.0)
    monkeypatch.setattr(worker, "CLAIM_SECONDS", SOON)
    monkeypatch.setattr(worker, "_SECONDS_TO_END", SOON)


async def test_a_claim_is_asked_for_over_another_connection(
    postgres_journal: str, silence: Silence
) -> None:
    """The text goes out once, also when the silent session does what it was asked in the end."""
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        with silence.begin():
            receipt = await posting(wire, journal).send(NUMBER, "Hi", key="a")
        again = await posting(wire, journal).send(NUMBER, "Hi", key="a")

    assert (receipt, 1) == (again, len(wire.requests))
    assert [(NUMBER, "a", "accepted")] == rows_in(postgres_journal)


@pytest.mark.usefixtures("_away")
async def test_a_send_is_refused(postgres_journal: str, silence: Silence) -> None:
    """Where no other connection can be made either, it does not leave; it may have before."""
    wire = Wire(ACCEPTED)
    with (
        Journal.open(postgres_journal) as journal,
        silence.begin(),
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        await posting(wire, journal).send(NUMBER, "Hi", key="a")

    assert (True, []) == (isinstance(caught.value.not_resent, JournalError), wire.requests)


@pytest.mark.usefixtures("_away")
async def test_a_run_halts(postgres_journal: str, silence: Silence) -> None:
    """What it had not claimed is certainly not sent, and the next run sends nobody a second one."""
    wire = Wire(ACCEPTED)
    people = to_many(30)
    with Journal.open(postgres_journal) as journal:
        async with posting(wire).send_many(people, journal=journal, concurrency=2) as run:
            first = await anext(run)
            with silence.begin():
                with pytest.raises(RunHaltedError):
                    await run.drain()
                sent = len(wire.requests)

    assert ("accepted", True) == (first.state, sent < len(people))
    with Journal.open(postgres_journal) as journal:
        outcomes = await run_over(posting(wire), people, journal=journal)
    assert {"accepted", "unknown"} >= {outcome.state for outcome in outcomes}
    assert len(sent_to(wire)) == len(set(sent_to(wire)))


@pytest.mark.usefixtures("_away")
async def test_closing_waits_less(postgres_journal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who closes a journal waits no longer than what is left to record gets."""
    silence = Silence.of(postgres_journal, monkeypatch, patience=LONG)
    wire = Wire(ACCEPTED)
    journal = await asyncio.to_thread(Journal.open, postgres_journal)
    with silence.begin():
        sending = asyncio.create_task(posting(wire, journal).send(NUMBER, "Hi", key="a"))
        await asyncio.sleep(0)
        async with asyncio.timeout(LONG / 2):
            await asyncio.to_thread(journal.close)
            with pytest.raises(OutcomeUnknownError):
                await sending

    assert [] == wire.requests


async def test_limits_are_told(postgres_journal: str, silence: Silence) -> None:
    """Counts, rates and codes are refused, and are there when the server is back."""
    address = PostgresAddress.parse(postgres_journal)
    store = PostgresLimitStore(address.conninfo, address.schema)
    salt = await store.salt()
    with silence.begin():
        with pytest.raises(LimitStoreError, match="OperationalError"):
            await store.change(b"name", lambda state, _: (state, None))
        assert salt == await store.salt()
    await store.aclose()


async def test_all_connections_ask_the_same_of_tcp(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is gone without a word is noticed in seconds, whatever it was asked for."""
    asked: list[dict[str, Any]] = []
    really = WaitingAsyncConnection.connect

    async def connecting(**settings: Any) -> WaitingAsyncConnection:
        asked.append(settings)
        return await really(**settings)

    monkeypatch.setattr(WaitingAsyncConnection, "connect", connecting)
    address = PostgresAddress.parse(postgres_journal)
    store, database = PostgresLimitStore(address.conninfo, address.schema), OutboxDatabase(address)
    await store.salt()
    await database.run("SELECT 1", {})
    await store.aclose()
    await database.aclose()

    assert 2 == len(asked)
    assert all(KEEPALIVES.items() <= settings.items() for settings in asked)


async def test_those_behind_are_told_too(
    postgres_journal: str, silence: Silence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the turn of those that get no answer waits no longer than one of them."""
    monkeypatch.setattr("iprog_async._limits.postgres_connection._TURN_SECONDS", SOON / 4)
    address = PostgresAddress.parse(postgres_journal)
    store = PostgresLimitStore(address.conninfo, address.schema)
    await store.salt()
    with silence.begin():
        change = store.change
        told = await asyncio.gather(
            *(change(b"name", lambda state, _: (state, None)) for _ in range(3)),
            return_exceptions=True,
        )
    await store.aclose()

    assert [LimitStoreError] * 3 == list(map(type, told))


async def test_a_list_is_asked_over_another_connection(
    postgres_journal: str, silence: Silence
) -> None:
    """What is on the list is known all the same."""
    with Suppressions.open(postgres_journal) as listed:
        await listed.add(NUMBER)
        with silence.begin():
            assert await listed.contains(NUMBER)


async def test_an_outbox_is_told(postgres_journal: str, silence: Silence) -> None:
    """It waits for its database as where that is away."""
    database = OutboxDatabase(PostgresAddress.parse(postgres_journal))
    await database.run("SELECT 1", {})
    with silence.begin(), pytest.raises(JournalError, match="has not answered"):
        await database.run("SELECT 1", {})
    await database.aclose()


SLOW = "SELECT pg_sleep(0.5)"


def test_a_long_statement_is_waited_for(postgres_journal: str) -> None:
    """A server that is silent, and answers others, is at work: it may count millions of rows."""
    with connect(PostgresAddress.parse(postgres_journal)) as connection:
        connection.answer_within = 0.01
        assert 1 == len(run(connection, SLOW).fetchall())


def test_a_server_that_answers_nobody_is_lost(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is as where the connection has gone."""
    monkeypatch.setattr(postgres_waiting, "answers", _nobody)
    with connect(PostgresAddress.parse(postgres_journal)) as connection:
        connection.answer_within = 0.01
        with pytest.raises(psycopg.OperationalError, match="has not answered") as caught:
            run(connection, SLOW)
        assert is_lost(connection, caught.value)


async def test_a_coroutine_waits_as_long(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same holds for the connections of a fleet."""
    async with await connect_async(PostgresAddress.parse(postgres_journal)) as connection:
        connection.answer_within = 0.01
        await fleet_database.run(connection, SLOW)
        monkeypatch.setattr(postgres_waiting, "answers", _nobody)
        with pytest.raises(psycopg.OperationalError, match="has not answered") as caught:
            await fleet_database.run(connection, SLOW)

    assert fleet_database.is_lost(caught.value)


def _nobody(_: object) -> bool:
    return False
