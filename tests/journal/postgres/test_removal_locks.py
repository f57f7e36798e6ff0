"""Whom pruning and forgetting keep waiting: those who send for the same campaign, not for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.ageing import age
from support.journal.journaling import ACCEPTED, posting, run_over, sent_to, states_in
from support.postgres.addresses import with_query
from support.waiting import LONG

from iprog_async import Journal, JournalError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import Connection, connect, run
from iprog_async._journal.postgres.schema import grants
from iprog_async._journal.postgres.upkeep import removal, steps
from iprog_async._journal.rows import Row


_OLD = timedelta(days=90)
_WAITING = (
    "SELECT count(*) > 0 FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation "
    "WHERE c.relnamespace = %s::regnamespace AND NOT l.granted"
)


@define
class Held:
    """A removal that stops in the midst of its change of rows, until it may go on.

    Args:
        reached: Whether it is there.
        may_go_on: Whether it may go on.
        connections: What it works with.
    """

    reached: threading.Event = field(factory=threading.Event)
    may_go_on: threading.Event = field(factory=threading.Event)
    connections: list[Connection] = field(factory=list[Connection])

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in for what changes the rows."""
        hide = removal.Removal._hide  # pyright: ignore[reportPrivateUsage] - the moment to hold

        def held(ours: removal.Removal, connection: Connection, rows: Sequence[Row]) -> None:
            hide(ours, connection, rows)
            self.connections.append(connection)
            self.reached.set()
            self.may_go_on.wait(LONG)

        monkeypatch.setattr(removal.Removal, "_hide", held)
        # As long as it is held.
        monkeypatch.setattr(removal, "_LONGEST_PAUSE", "10min")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    """Return what stops a removal; it goes on at the end in any case."""
    stopped = Held()
    stopped.use(monkeypatch)
    yield stopped
    stopped.may_go_on.set()


def _ask(place: str, query: str, *values: object) -> Any:
    address = PostgresAddress.parse(place)
    with connect(address) as connection:
        return run(connection, query.format(schema=address.schema), values).fetchone()


async def _send(place: str, key: str = "a", campaign: str = "") -> list[str]:
    wire = Wire(ACCEPTED)
    with Journal.open(place, campaign=campaign) as journal:
        await posting(wire, journal).send(NUMBER, "Hi", key=key)
    return sent_to(wire)


@pytest.mark.parametrize("how", ["prune", "forget"])
async def test_nobody_is_texted_again_while_rows_change(
    how: str, postgres_journal: str, held: Held
) -> None:
    """Who repeats a text while its person is taken out waits for that, and sends nothing."""
    await _send(postgres_journal)
    age(postgres_journal, 91)
    schema = PostgresAddress.parse(postgres_journal).schema
    with Journal.open(postgres_journal) as journal:
        removed = asyncio.create_task(
            journal.prune(older_than=_OLD) if how == "prune" else journal.forget(NUMBER)
        )
        assert await asyncio.to_thread(held.reached.wait, LONG)
        again = asyncio.create_task(_send(postgres_journal))
        async with asyncio.timeout(LONG):
            while not (await asyncio.to_thread(_ask, postgres_journal, _WAITING, schema))[0]:
                assert not again.done()
        held.may_go_on.set()
        assert 1 == await removed
        assert [] == await again
    # Nor has it claimed what it did not send.
    assert ["accepted"] == states_in(postgres_journal)


async def test_other_campaigns_send_on(postgres_journal: str, held: Held) -> None:
    """While the rows of a campaign change, others send; and the server watches over who does it."""
    await _send(postgres_journal, campaign="june")
    age(postgres_journal, 91)
    Journal.open(postgres_journal, campaign="july").close()
    with Journal.open(postgres_journal, campaign="june") as journal:
        removed = asyncio.create_task(journal.prune(older_than=_OLD))
        assert await asyncio.to_thread(held.reached.wait, LONG)
        assert [NUMBER] == await _send(postgres_journal, campaign="july")
        (connection,) = held.connections
        query = "SELECT state FROM pg_stat_activity WHERE pid = %s"
        watched = _ask(postgres_journal, query, connection.info.backend_pid)
        limit = connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()
        held.may_go_on.set()
        assert 1 == await removed
    # What is stopped here loses its turn.
    assert (("idle in transaction",), ("10min",)) == (watched, limit)


@pytest.mark.parametrize("how", ["prune", "forget"])
async def test_rows_that_others_have_locked(
    how: str, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside a VACUUM it is tried again and again, and in between everybody sends."""
    await _send(postgres_journal)
    age(postgres_journal, 91)
    address = PostgresAddress.parse(postgres_journal)
    sent: list[str] = []
    with (
        closing(connect(address, autocommit=False)) as vacuum,
        Journal.open(postgres_journal) as journal,
    ):
        run(vacuum, f'LOCK TABLE "{address.schema}".entries_1 IN SHARE UPDATE EXCLUSIVE MODE')

        async def meanwhile(_: float) -> None:
            sent.extend(await _send(postgres_journal, f"b{len(sent)}", "july"))
            if len(sent) == 2:
                vacuum.rollback()

        monkeypatch.setattr(steps, "_sleep", meanwhile)
        removed = journal.prune(older_than=_OLD) if how == "prune" else journal.forget(NUMBER)
        assert 1 == await removed
    assert [NUMBER] * 2 == sent


async def test_rows_that_others_keep_locked(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they are locked for too long an error says by whom that may be, and nothing changed."""
    await _send(postgres_journal)
    monkeypatch.setattr(steps, "_SECONDS_TO_TRY", -1.0)
    address = PostgresAddress.parse(postgres_journal)
    with (
        closing(connect(address, autocommit=False)) as vacuum,
        Journal.open(postgres_journal) as journal,
    ):
        run(vacuum, f'LOCK TABLE "{address.schema}".entries_1 IN SHARE UPDATE EXCLUSIVE MODE')
        with pytest.raises(JournalError, match="such as a VACUUM"):
            await journal.forget(NUMBER)
        vacuum.rollback()
        assert 1 == await journal.forget(NUMBER)


@pytest.fixture
def as_keeper(postgres_journal: str) -> Iterator[str]:
    """Return the address for a role that owns nothing, and has the documented right to delete."""
    address = PostgresAddress.parse(postgres_journal)
    role = f"{address.schema}_keeper"
    with connect(address) as connection:
        run(connection, f"CREATE ROLE {role}")
        run(connection, grants(address.schema, role))
        run(
            connection,
            f"GRANT DELETE ON {address.schema}.entries, {address.schema}.outbox TO {role}",
        )
        yield with_query(postgres_journal, options=f"-c role={role}")
        run(connection, f"DROP OWNED BY {role}")
        run(connection, f"DROP ROLE {role}")


@pytest.mark.parametrize("how", ["prune", "forget"])
async def test_a_role_that_owns_no_table(how: str, as_keeper: str) -> None:
    """A role that may delete, and can lock no single campaign, takes people out as well."""
    people = to_many(3)
    with Journal.open(as_keeper) as journal:
        await run_over(posting(Wire(ACCEPTED)), people, journal=journal)
    age(as_keeper, 91)
    with Journal.open(as_keeper) as journal:
        if how == "prune":
            assert 3 == await journal.prune(older_than=_OLD)
        else:
            assert 1 == await journal.forget(people[0].to)
