"""A connection that is lost in the midst of a statement never makes a second text."""

from __future__ import annotations

import httpx
import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    SLOW_DOWN,
    posting,
    rows_in,
    run_over,
    sent_to,
    states_in,
)
from support.postgres.cutting import CLAIM, CLAIM_NEW, RECORD, RELEASE, Cut, terminate

from iprog_async import Journal, JournalError, Unknown
from iprog_async._journal.postgres import worker
from iprog_async._journal.rows import Row
from iprog_async.testing import InstantClock


ANSWERED = pytest.mark.parametrize("answered", [False, True], ids=["undone", "done"])


@ANSWERED
@pytest.mark.parametrize("word", [CLAIM_NEW, RECORD])
async def test_a_single_send(
    word: str, answered: bool, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single send goes out once and is on record, whichever answer of the database is lost."""
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        cut = Cut(word, answered).use(monkeypatch)
        receipt = await posting(wire, journal).send(NUMBER, "Hi", key="a")
        again = await posting(wire, journal).send(NUMBER, "Hi", key="a")
    assert (receipt, 1, 1) == (again, len(wire.requests), cut.happened)
    assert [(NUMBER, "a", "accepted")] == rows_in(postgres_journal)


@ANSWERED
@pytest.mark.parametrize("word", [CLAIM, RECORD])
async def test_a_run(
    word: str, answered: bool, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message of a run goes out once, and the run goes on."""
    wire = Wire(ACCEPTED)
    people = to_many(12)
    with Journal.open(postgres_journal) as journal:
        cut = Cut(word, answered, times=3).use(monkeypatch)
        outcomes = await run_over(posting(wire), people, journal=journal, concurrency=3)
    assert {"accepted"} == {outcome.state for outcome in outcomes}
    assert [message.to for message in people] == sorted(sent_to(wire))
    assert (3, ["accepted"] * 12) == (cut.happened, states_in(postgres_journal))


@ANSWERED
async def test_a_release(
    answered: bool, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim that is taken back while the gateway asks to wait is made again, and used once."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    wire.pool.clock = InstantClock()
    with Journal.open(postgres_journal) as journal:
        cut = Cut(RELEASE, answered).use(monkeypatch)
        outcomes = await run_over(posting(wire), to_many(1), journal=journal)
    assert ["accepted"] == [outcome.state for outcome in outcomes]
    assert (1, 2, ["accepted"]) == (cut.happened, len(wire.requests), states_in(postgres_journal))


@ANSWERED
async def test_a_claim_that_comes_too_late(
    answered: bool, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database is away for too long nothing leaves, and the claim is taken back."""
    monkeypatch.setattr(worker, "CLAIM_SECONDS", 0.0)
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        Cut(CLAIM, answered).use(monkeypatch)
        outcomes = await run_over(posting(wire), to_many(1), journal=journal)
        # Another run may have begun, and had it meanwhile.
        assert isinstance(outcomes[0], Unknown)
        assert isinstance(outcomes[0].error.not_resent, JournalError)
        assert 0 == (await journal.counts())["unknown"]
    assert [] == wire.requests
    assert "claimed" not in states_in(postgres_journal)
    outcomes = await run_over(posting(wire), to_many(1), journal=postgres_journal)
    assert ["accepted"] == [outcome.state for outcome in outcomes]


async def test_connections_that_an_administrator_ends(postgres_journal: str) -> None:
    """Whatever ends the connections, at whichever moment, each text goes out once."""
    ended = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal ended
        if len(wire.requests) % 4 == 1:
            ended += terminate(postgres_journal)
        return ACCEPTED

    wire = Wire(answer)
    people = to_many(16)
    outcomes = await run_over(posting(wire), people, journal=postgres_journal, concurrency=3)
    assert {"accepted"} == {outcome.state for outcome in outcomes}
    assert [message.to for message in people] == sorted(sent_to(wire))
    assert ended > 0
    assert ["accepted"] * 16 == states_in(postgres_journal)


async def test_an_idle_journal_connects_again(postgres_journal: str) -> None:
    """A connection that was ended while nothing was sent is made anew by the next send."""
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        client = posting(wire, journal)
        for key in "ab":
            await client.send(NUMBER, "Hi", key=key)
            assert terminate(postgres_journal)
    assert ["accepted"] * 2 == states_in(postgres_journal)


async def test_what_is_cancelled_while_it_is_claimed(postgres_journal: str) -> None:
    """Whoever is cancelled while waiting for a claim leaves nothing in doubt."""
    with Journal.open(postgres_journal) as journal:
        queue = journal.store.of_loop()
        asking = queue.claim_new(Row(0, NUMBER, "a", b"hash", 0, "released"))
        asking.cancel()
        # The first answer comes with the claim's, which is taken back then.
        await journal.counts()
        counts = await journal.counts()
    assert (0, 1) == (counts["unknown"], counts["waiting"])
