"""What survives a power cut: the claim of each text, before it leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Sequence
from pathlib import Path

import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, posting, run_over, sqlite_store
from support.journal.rows import RECEIPT

from iprog_async import Journal
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.sqlite.writer import Writer


NORMAL, FULL = 1, 2
"""Values of SQLite's `PRAGMA synchronous`: in write-ahead mode only `FULL` syncs each commit."""


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return the state of each row that is written, and how durably."""
    seen: list[tuple[str, int]] = []
    upsert = Writer._upsert  # pyright: ignore[reportPrivateUsage] - what commits, or is about to

    def spy(writer: Writer, rows: Sequence[Values], version: int | None) -> None:
        connection = writer._connection  # pyright: ignore[reportPrivateUsage] - the only one it goes for
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        seen.extend((str(row[5]), int(synchronous)) for row in rows)
        upsert(writer, rows, version)

    monkeypatch.setattr(Writer, "_upsert", spy)
    return seen


@pytest.mark.parametrize("count", [1, 3, 300])
async def test_claims_survive_a_power_cut(
    tmp_path: Path, commits: list[tuple[str, int]], count: int
) -> None:
    """A claim is synced to the disk; an outcome alone is not: lost, it is only unknown."""
    with Journal.open(tmp_path / "j.db") as journal:
        client = posting(Wire(ACCEPTED), journal)
        await run_over(client, to_many(count), concurrency=1)

    claimed = [synchronous for state, synchronous in commits if state == "claimed"]
    ended = [synchronous for state, synchronous in commits if state == "accepted"]
    assert [FULL] * count == claimed
    assert count == len(ended)
    # Where a claim comes in the same moment, an outcome is synced with it.
    assert NORMAL == ended[-1]


async def test_claim_of_a_single_send_survives_a_power_cut(
    tmp_path: Path, commits: list[tuple[str, int]]
) -> None:
    """A keyed send is no less durable than a run, whatever was written just before it."""
    with Journal.open(tmp_path / "j.db") as journal:
        client = posting(Wire(ACCEPTED), journal)
        for number in range(3):
            await client.send(NUMBER, "Hi", key=f"order-{number}")

    assert [("claimed", FULL), ("accepted", NORMAL)] * 3 == commits


def _row(number: int, state: str) -> Values:
    row = Row(number, f"+63917{number:07}", None, b"", 1, "released")
    return row.as_claimed() if state == "claimed" else row.as_accepted(RECEIPT)


@pytest.mark.parametrize("states", [["accepted", "claimed"], ["claimed", "accepted"]])
@pytest.mark.parametrize("apart", [True, False], ids=["as two jobs", "as one"])
async def test_claim_and_outcome_of_one_moment(
    tmp_path: Path, commits: list[tuple[str, int]], states: list[str], apart: bool
) -> None:
    """Whatever is written together with a claim, before or after it, all of it is synced."""
    with Journal.open(tmp_path / "j.db") as journal:
        queue = sqlite_store(journal).of_loop()
        go_on = threading.Event()
        queue.ask(lambda _: go_on.wait())
        written: list[Awaitable[object]] = []
        for number, state in enumerate(states, 1):
            written.append(queue.write([_row(number, state)], durable=state == "claimed"))
            if apart:
                written.append(queue.ask(lambda _: None))
        go_on.set()
        assert {None} == set(await asyncio.gather(*written))

    assert [(state, FULL) for state in states] == commits


async def test_claims_of_many_tasks_survive_a_power_cut(
    tmp_path: Path, commits: list[tuple[str, int]]
) -> None:
    """Claims and outcomes that are written together are all synced."""
    with Journal.open(tmp_path / "j.db") as journal:
        await run_over(posting(Wire(ACCEPTED), journal), to_many(500), concurrency=100)

    assert {FULL} == {synchronous for state, synchronous in commits if state == "claimed"}
    assert 500 == len([state for state, _ in commits if state == "claimed"])
