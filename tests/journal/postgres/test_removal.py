"""What is special about forgetting people in a database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.core.fakes import NUMBER, FakeProvider, accept, prepared, to_many
from support.journal.ageing import age
from support.journal.journaling import rows_in, run_over, states_in, take

from iprog_async import Journal, JournalError, Message, SmsClient
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.store import ClaimLostError


_OUTBOX = (
    "INSERT INTO {schema}.outbox (campaign, number, key, text, state, enqueued_at) "
    "VALUES ('', %s, %s, 'Hi', %s, now() - make_interval(days => 91))"
)
_RUN = (
    "INSERT INTO {schema}.fleet_runs (campaign, run, queue, size, settings) "
    "VALUES ((SELECT id FROM {schema}.campaigns), 1, 'sms', 1, '{{}}')"
)
_CHUNK = (
    "INSERT INTO {schema}.fleet_chunks (campaign, run, chunk, size, numbers) "
    "VALUES ((SELECT id FROM {schema}.campaigns), 1, 1, 1, ARRAY[%s::text])"
)


def _say(address: str, query: str, *values: object) -> None:
    parsed = PostgresAddress.parse(address)
    with connect(parsed) as connection:
        run(connection, query.format(schema=f'"{parsed.schema}"'), values)


def _outbox(address: str) -> list[tuple[str, str]]:
    parsed = PostgresAddress.parse(address)
    query = f'SELECT key, state FROM "{parsed.schema}".outbox ORDER BY key'  # noqa: S608 - a test's own words
    with connect(parsed) as connection:
        return [(key, state) for key, state in run(connection, query).fetchall()]


async def test_the_outbox_forgets(postgres_journal: str) -> None:
    """What was enqueued for the number goes, also what was not sent yet."""
    with Journal.open(postgres_journal) as journal:
        for key, state in (("a", "waiting"), ("b", "done")):
            _say(postgres_journal, _OUTBOX, NUMBER, key, state)
        await journal.forget(NUMBER)
    assert [] == _outbox(postgres_journal)


async def test_the_outbox_is_pruned_of_what_is_done(postgres_journal: str) -> None:
    """What waits in the outbox is sent, however old it is."""
    with Journal.open(postgres_journal) as journal:
        for key, state in (("a", "waiting"), ("b", "done")):
            _say(postgres_journal, _OUTBOX, NUMBER, key, state)
        await journal.prune(older_than=timedelta(days=90))
    assert [("a", "waiting")] == _outbox(postgres_journal)


@pytest.mark.parametrize("days", [91, 0])
async def test_the_outbox_is_pruned_of_what_is_in_doubt(days: int, postgres_journal: str) -> None:
    """What was in doubt, and of which no record says any more what became of it, goes as well."""
    with Journal.open(postgres_journal) as journal:
        ledger = Ledger(journal)
        await take(ledger.claim([prepared(key="a")]))
        _say(postgres_journal, _OUTBOX, NUMBER, "a", "unknown")
    age(postgres_journal, days)
    with Journal.open(postgres_journal) as journal:
        await journal.prune(older_than=timedelta(days=90))
    assert ([] if days else [("a", "unknown")]) == _outbox(postgres_journal)


async def test_what_is_loaded_for_workers_is_sent_first(postgres_journal: str) -> None:
    """A number that waits in a chunk is not forgotten: a worker would text it."""
    with Journal.open(postgres_journal) as journal:
        await run_over(SmsClient(FakeProvider()), [Message(NUMBER, "Hi")], journal=journal)
        _say(postgres_journal, _RUN)
        _say(postgres_journal, _CHUNK, NUMBER)
        with pytest.raises(JournalError, match="waits for the workers"):
            await journal.forget(NUMBER)
    assert [(NUMBER, None, "accepted")] == rows_in(postgres_journal)


async def test_a_run_does_not_claim_who_was_forgotten_meanwhile(postgres_journal: str) -> None:
    """What waits in a run is not sent after another run sent it and the person was forgotten."""
    message = prepared()
    with Journal.open(postgres_journal) as ours, Journal.open(postgres_journal) as other:
        ledger = await Ledger.of_run(ours)
        assert ([message], []) == await ledger.admit([message])
        await run_over(SmsClient(FakeProvider()), [Message(NUMBER, "Hi")], journal=other)
        assert 1 == await other.forget(NUMBER)
        with pytest.raises(ClaimLostError):
            await take(ledger.claim([message]))
        with pytest.raises(ClaimLostError):
            # The other run sent her something else than this.
            await take(ledger.claim([prepared(1, text="Hello")]))
        # Another person is another matter.
        await take(ledger.claim([prepared(2, to_many(2)[1].to)]))
        ledger.end()
    assert ["accepted", "claimed"] == sorted(states_in(postgres_journal))


async def test_an_outcome_wins_over_what_was_settled(postgres_journal: str) -> None:
    """A sender that was cut off, and settled as not sent, still records that it was accepted."""
    message = prepared(key="a")
    with Journal.open(postgres_journal) as ours, Journal.open(postgres_journal) as journal:
        ledger = Ledger(ours)
        await take(ledger.claim([message]))
        (row,) = await journal.store.rows_of(NUMBER)
        # As `Journal.settle` does where the sender is not connected.
        await journal.store.of_loop().settle([row], [row.as_released()])
        assert ["released"] == states_in(postgres_journal)
        assert await ledger.record([message], await accept([message])) is None
    assert ["accepted"] == states_in(postgres_journal)


async def test_a_campaign_of_its_own(postgres_journal: str) -> None:
    """A person is forgotten in one campaign, and pruned in one; the others keep their rows."""
    for campaign in ("june", "july"):
        with Journal.open(postgres_journal, campaign=campaign) as journal:
            await run_over(SmsClient(FakeProvider()), [Message(NUMBER, "Hi")], journal=journal)
    age(postgres_journal, 91)
    with Journal.open(postgres_journal, campaign="june") as journal:
        assert 1 == await journal.prune(older_than=timedelta(days=90))
        assert 0 == await journal.forget(NUMBER)
    assert [True, False] == [number == NUMBER for number, *_ in rows_in(postgres_journal)][::-1]
