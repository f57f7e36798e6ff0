"""Two runs that claim for one person in the same moment, neither of which sees the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from support.core.fakes import NUMBER, Wire, prepared, to_many
from support.journal.journaling import (
    ACCEPTED,
    posting,
    rows_in,
    run_over,
    sent_to,
    states_in,
    take,
)
from support.postgres.cutting import CLAIM, RELEASE, SECOND_LOOK, Cut

from iprog_async import Journal
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.postgres.execution import Execution
from iprog_async._journal.postgres.statements import Statements
from iprog_async._journal.store import ClaimLostError


OTHER_RUN, ITS_ATTEMPT = 77, 1


@pytest.fixture
def other_run(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Return what has another run claim for one person, who is seen only by a second look."""
    address = PostgresAddress.parse(postgres_journal)
    looks_again: Any = Execution._contested  # pyright: ignore[reportPrivateUsage] - the moment between
    with connect(address) as other:

        def claim_unseen() -> None:
            claim = Statements(address.schema, 1).claim
            values = (NUMBER, None, b"another", OTHER_RUN, ITS_ATTEMPT, 0, "released", True, False)
            run(other, "BEGIN")
            run(other, claim.sql, claim.values([values]))

        def later(*args: Any) -> Any:
            if other.info.transaction_status:
                run(other, "COMMIT")
            return looks_again(*args)

        monkeypatch.setattr(Execution, "_contested", later)
        yield claim_unseen


async def test_who_claims_looks_again(postgres_journal: str, other_run: Callable[[], None]) -> None:
    """A claim is given back if another run's, which it could not see yet, was there as well."""
    with Journal.open(postgres_journal, campaign="june") as journal:
        ledger = await Ledger.of_run(journal)
        other_run()
        with pytest.raises(ClaimLostError):
            await take(ledger.claim([prepared()]))
        ledger.end()
    assert {OTHER_RUN: "claimed", 1: "released"} == states_by_run(postgres_journal)


@pytest.mark.parametrize("answered", [False, True], ids=["undone", "done"])
@pytest.mark.parametrize(
    "word", [CLAIM, SECOND_LOOK, RELEASE], ids=["claim", "second look", "release"]
)
async def test_a_connection_that_is_lost_between_claim_and_second_look(
    word: str,
    answered: bool,
    postgres_journal: str,
    other_run: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever asks again, and sees the other run at once, keeps nothing of the first time."""
    with Journal.open(postgres_journal, campaign="june") as journal:
        ledger = await Ledger.of_run(journal)
        other_run()
        cut = Cut(word, answered).use(monkeypatch)
        with pytest.raises(ClaimLostError):
            await take(ledger.claim([prepared()]))
        ledger.end()
    found = states_by_run(postgres_journal)
    assert (1, "claimed") == (cut.happened, found.pop(OTHER_RUN))
    assert {1: "released"} == found


@pytest.mark.parametrize("refused", [0, 2], ids=["", "released later"])
async def test_a_second_look_that_the_server_refuses(
    refused: int, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not left on record as claimed; another run could have it, and the next one sends it."""
    wire, trouble = Wire(ACCEPTED), psycopg.errors.OutOfMemory("out of memory")
    with monkeypatch.context() as patch:
        Cut(SECOND_LOOK, times=99, refusal=trouble).use(patch)
        cut = Cut(RELEASE, times=refused, refusal=trouble).use(patch)
        with Journal.open(postgres_journal) as journal:
            first = await run_over(posting(wire), to_many(3), journal=journal, concurrency=3)
    assert (refused, {"released"}) == (cut.happened, set(states_in(postgres_journal)))
    second = await run_over(posting(wire), to_many(3), journal=postgres_journal)
    assert [{"unknown"}, {"accepted"}] == [
        {outcome.state for outcome in outcomes} for outcomes in (first, second)
    ]
    assert [message.to for message in to_many(3)] == sorted(sent_to(wire))


def states_by_run(place: str) -> dict[int, str]:
    """Return in which state each run has its message."""
    return dict(rows_in(place, "run, state"))
