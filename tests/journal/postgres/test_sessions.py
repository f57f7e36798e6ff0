"""What a journal sets in its session holds for each claim, whatever stands between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count

import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, posting, rows_in, run_over, states_in
from support.postgres.addresses import with_query
from support.postgres.cutting import CLAIM, CLAIM_NEW, RECORD
from support.postgres.pooling import Pooled, Pooler

from iprog_async import Journal, JournalError, OutcomeUnknownError
from iprog_async._journal.postgres import execution, session
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.attempts import Attempts
from iprog_async._journal.postgres.connecting import (
    AsyncConnection,
    Connection,
    Cursor,
    ask,
    connect,
    connect_async,
    run,
)
from iprog_async._journal.postgres.health import examine
from iprog_async._journal.postgres.session import keeps_session, open_announced, reopen
from iprog_async._journal.postgres.statements import Statement, Statements
from iprog_async._journal.postgres.store import PostgresStore
from iprog_async._limits.postgres_store import PostgresLimitStore
from iprog_async.fleet import FleetCampaign


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int | None], None]]:
    """Return what puts a pooler of some sessions before the server."""
    poolers: list[Pooler] = []
    yield lambda size: poolers.append(Pooler(size).use(monkeypatch))
    for pooler in poolers:
        pooler.close()


@pytest.mark.parametrize("size", [1, 2, 3])
def test_transaction_mode(
    size: int, postgres_journal: str, pooled: Callable[[int | None], None]
) -> None:
    """A pooler that hands sessions around is refused with what to do, also by the doctor."""
    address = PostgresAddress.parse(postgres_journal)
    connection, campaign = open_announced(address, "june", 1)
    connection.close()
    pooled(size)
    with pytest.raises(JournalError, match="set the pooler to session mode"):
        Journal.open(postgres_journal, campaign="june")
    with pytest.raises(JournalError, match="set the pooler to session mode"):
        reopen(address, campaign, 1)
    assert "session mode" in " ".join(examine(address).problems)


def test_a_pooler_that_has_a_session_to_spare(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Transaction mode is seen also where each connection happens to meet one session alone."""
    address = PostgresAddress.parse(postgres_journal)
    with connect(address) as one, connect(address) as other:
        sessions = iter([one, other])

        def connect_pooled(_: PostgresAddress) -> Pooled:
            return Pooled([next(sessions)], count(), is_own=False)

        monkeypatch.setattr(session, "_SECONDS_TO_LEAVE", 0.0)
        monkeypatch.setattr(session, "connect", connect_pooled)
        assert not keeps_session(address)


async def test_a_fleet_in_transaction_mode(
    postgres_journal: str, pooled: Callable[[int | None], None]
) -> None:
    """What loads, watches or works for a fleet is refused as well, before it sets anything."""
    Journal.open(postgres_journal, campaign="june").close()
    pooled(2)
    with pytest.raises(JournalError, match="set the pooler to session mode"):
        async with FleetCampaign(postgres_journal, "june"):
            pytest.fail("it is refused before")


async def test_session_mode(postgres_journal: str, pooled: Callable[[int | None], None]) -> None:
    """A pooler in session mode is as good as none."""
    pooled(None)
    Journal.open(postgres_journal).close()
    async with FleetCampaign(postgres_journal) as opened:
        assert () == (await opened.status()).runs
    assert "session mode" not in " ".join(examine(PostgresAddress.parse(postgres_journal)).problems)
    wire = Wire(ACCEPTED)
    await run_over(posting(wire), to_many(5), journal=postgres_journal)
    assert ["accepted"] * 5 == states_in(postgres_journal)


@pytest.mark.parametrize("key", ["a", None])
async def test_a_session_that_changes(
    key: str | None, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that is made in another session than the journal's own is taken back."""
    wire = Wire(ACCEPTED)
    address = PostgresAddress.parse(postgres_journal)
    with connect(address) as other, Journal.open(postgres_journal) as journal:

        def elsewhere(_: Connection, query: str, values: Sequence[object] | None = None) -> Cursor:
            return run(other, query, values)

        monkeypatch.setattr(execution, "run", elsewhere)
        client = posting(wire, journal)
        if key is None:
            outcomes = await run_over(client, to_many(3))
            assert ["unknown"] * 3 == [outcome.state for outcome in outcomes]
        else:
            with pytest.raises(OutcomeUnknownError, match="set the pooler to session mode"):
                await client.send(NUMBER, "Hi", key=key)
    assert [] == wire.requests
    assert {"released"} == set(states_in(postgres_journal))
    monkeypatch.undo()
    receipts = await run_over(posting(wire), to_many(3), journal=postgres_journal)
    assert ["accepted"] * 3 == [outcome.state for outcome in receipts]


def _claim_new(attempt: int) -> tuple[object, ...]:
    return (NUMBER, "a", b"hash", 1, attempt)


def _claim(attempt: int) -> tuple[object, ...]:
    return (NUMBER, "a", b"hash", 1, attempt, 0, "released", True, False)


@pytest.mark.parametrize("usual", ["off", "local", "on", "remote_write"])
@pytest.mark.parametrize("which", ["claim", "claim_new"])
def test_a_claim_is_durable(usual: str, which: str, postgres_journal: str) -> None:
    """A claim's commit waits for the disk whatever its session says; no other one is changed."""
    journal = PostgresAddress.parse(postgres_journal)
    connection, campaign = open_announced(journal, "june", 1)
    connection.close()
    statements = Statements(journal.schema, campaign.id)
    claims: dict[str, tuple[Statement, tuple[object, ...]]] = {
        "claim": (statements.claim, _claim(Attempts().new())),
        "claim_new": (statements.claim_new, _claim_new(Attempts().new())),
    }
    statement, values = claims[which]
    set_so = with_query(postgres_journal, options=f"-c synchronous_commit={usual}")
    asked = "SELECT current_setting('synchronous_commit')"
    with connect(PostgresAddress.parse(set_so)) as other:
        with other.transaction():
            run(other, statement.sql, statement.values([values]))
            (at_commit,) = ask(other, asked)
        (afterwards,) = ask(other, asked)
    assert {"off": "on", "local": "on"}.get(usual, usual) == at_commit
    assert usual == afterwards
    assert [(NUMBER, "a", "claimed")] == rows_in(postgres_journal)


@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
async def test_another_isolation(level: str, postgres_journal: str) -> None:
    """Which isolation a role is given for other programs changes nothing for claims."""
    spaced = level.replace(" ", "\\ ")
    place = with_query(postgres_journal, options=f"-c default_transaction_isolation={spaced}")
    wire = Wire(ACCEPTED)
    with Journal.open(place) as one, Journal.open(place) as two:
        for journal in (one, two):
            assert isinstance(journal.store, PostgresStore)
            used = await journal.store.of_loop().ask(
                lambda connection: ask(connection, "SHOW transaction_isolation")
            )
            assert ("read committed",) == used
            outcomes = await run_over(posting(wire, journal), to_many(5))
            assert ["accepted"] * 5 == [outcome.state for outcome in outcomes]
    assert 5 == len(wire.requests)


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03"])
@pytest.mark.parametrize("word", [CLAIM, CLAIM_NEW, RECORD])
async def test_a_statement_that_met_another(
    code: str, word: str, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that the server gave up for another's sake is done again, and is no outcome."""
    failed: list[str] = []

    def fail_twice(
        connection: Connection, query: str, values: Sequence[object] | None = None
    ) -> Cursor:
        if word in query and len(failed) < 2:
            failed.append(query)
            raised = f"DO $$ BEGIN RAISE EXCEPTION 'met another' USING ERRCODE = '{code}'; END $$"
            return run(connection, raised)
        return run(connection, query, values)

    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        monkeypatch.setattr(execution, "run", fail_twice)
        client = posting(wire, journal)
        if word is CLAIM:
            outcomes = await run_over(client, to_many(3))
            assert ["accepted"] * 3 == [outcome.state for outcome in outcomes]
        else:
            await client.send(NUMBER, "Hi", key="a")
    assert 2 == len(failed)
    assert ["accepted"] * len(wire.requests) == states_in(postgres_journal)
    assert (3 if word is CLAIM else 1) == len(wire.requests)


_ODD = {
    "search_path": "pg_temp",
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "array_nulls": "off",
    "DateStyle": "German",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "1h",
}
"""What a role may have, and a session of ours must not."""


@pytest.fixture
def odd_journal(postgres_journal: str) -> str:
    """Return the address of a journal whose role has odd settings."""
    options = " ".join(f"-c {name}={value}" for name, value in _ODD.items())
    return with_query(postgres_journal, options=options)


async def test_settings_of_a_role_reach_no_session(odd_journal: str) -> None:
    """Whatever a role has set, each session of the library begins with what its statements need."""
    address = PostgresAddress.parse(odd_journal)
    names = sorted(_ODD.keys() - {"escape_string_warning"})
    query = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
    with connect(address) as connection, connect(address, autocommit=False) as other:
        found: dict[str, str] = dict(run(connection, query, [names]).fetchall())
        assert found == dict(run(other, query, [names]).fetchall())
    async with await connect_async(address) as asynchronous:
        cursor = await asynchronous.execute(query, [names])
        assert found == dict(await cursor.fetchall())
    limits = PostgresLimitStore(address.conninfo, address.schema)

    async def look(connection: AsyncConnection, _: object) -> dict[str, str]:
        return dict(await (await connection.execute(query, [names])).fetchall())

    limited = await limits.transact(look)
    await limits.aclose()
    assert found | {"statement_timeout": "2000"} == limited
    assert [] == [name for name in names if found[name] == _ODD[name]]


@pytest.mark.parametrize("key", ["a", "NULL"])
async def test_settings_of_a_role_change_nothing(key: str, odd_journal: str) -> None:
    """With any settings of a role a text of somebody who was forgotten is not sent again."""
    wire = Wire(ACCEPTED)
    with Journal.open(odd_journal) as journal:
        client = posting(wire, journal)
        await client.send(NUMBER, "Hi", key=key)
        assert 1 == await journal.forget(NUMBER)
        await client.send(NUMBER, "Hi", key=key)
        await run_over(client, to_many(3))
        await run_over(client, to_many(3))
    assert 1 + 3 == len(wire.requests)
