"""A journal that fails while a run is using it: nothing more leaves, nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support.core.fakes import NUMBER, Wire, prepared, to_many
from support.journal.journaling import (
    ACCEPTED,
    posting,
    rows_in,
    run_over,
    send_all,
    sent_to,
    sqlite_store,
    take,
)
from support.waiting import LONG

from iprog_async import (
    Accepted,
    BulkRun,
    Journal,
    JournalError,
    NotSent,
    Outcome,
    OutcomeUnknownError,
    RunHaltedError,
)
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.sqlite import writer as writer_module
from iprog_async._journal.sqlite.schema import WIDTH


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    """Let the journal look at each write whether its file is still there."""
    monkeypatch.setattr(writer_module, "_SECONDS_BETWEEN_LOOKS", 0.0)


async def _read(run: BulkRun, outcomes: list[Outcome]) -> None:
    async for outcome in run:
        outcomes.append(outcome)


def _remove(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    other = path.with_suffix(".other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def _move(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))


@pytest.mark.skipif(os.name == "nt", reason="there an open file can't be removed")
@pytest.mark.parametrize("harm", [_remove, _replace, _move])
async def test_a_file_that_goes_away_halts_the_run(
    harm: Callable[[Path], None], tmp_path: Path
) -> None:
    """Once the file is gone no request leaves, and what was accepted is still handed out."""
    path = tmp_path / "j.db"

    def answer(request: httpx.Request) -> httpx.Response:
        if len(wire.requests) == 3:
            harm(path)
        return ACCEPTED

    wire = Wire(answer)
    outcomes: list[Outcome] = []
    with Journal.open(path) as journal:
        client = posting(wire)
        async with client.send_many(to_many(8), journal=journal, concurrency=1) as run:
            with pytest.raises(RunHaltedError, match="removed or replaced") as caught:
                await _read(run, outcomes)
    assert isinstance(caught.value.cause, JournalError)
    assert 3 == len(wire.requests)
    assert ["accepted"] * 3 + ["not_sent"] * 5 == [outcome.state for outcome in outcomes]
    causes = {type(outcome.error) for outcome in outcomes if isinstance(outcome, NotSent)}
    assert causes <= {JournalError, RunHaltedError}


async def test_a_failing_disk_halts_the_run(tmp_path: Path) -> None:
    """A write that fails makes the run end before its next request."""
    path = tmp_path / "j.db"

    def answer(request: httpx.Request) -> httpx.Response:
        if len(wire.requests) == 2:
            _break(journal)
        return ACCEPTED

    wire = Wire(answer)
    with Journal.open(path) as journal:
        outcomes = await run_over(posting(wire), to_many(6), journal=journal, concurrency=1)
    assert 2 == len(wire.requests)
    assert ["accepted"] * 2 + ["not_sent"] * 4 == [outcome.state for outcome in outcomes]
    # The second one was claimed, and its outcome could not be written.
    assert ["accepted", "claimed"] == [state for _, _, state in rows_in(path)]

    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        outcomes = await run_over(posting(wire), to_many(6), journal=journal)
    assert [message.to for message in to_many(6)[2:]] == sent_to(wire)
    assert ["accepted", "unknown", *["accepted"] * 4] == [outcome.state for outcome in outcomes]


class _FullDisk:
    """A connection that can read, and not write."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.in_transaction = False

    def execute(self, query: str, *arguments: object) -> sqlite3.Cursor:
        """Read, or fail as SQLite does."""
        if "INSERT" in query or "UPDATE" in query or "COMMIT" in query:
            raise sqlite3.OperationalError("database or disk is full")
        return self._connection.execute(query, *arguments)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - passed on as they are

    def close(self) -> None:
        """Close the real one."""
        self._connection.close()


def _break(journal: Journal) -> None:
    writer = sqlite_store(journal)._writer  # pyright: ignore[reportPrivateUsage] - the disk is behind it
    full: object = _FullDisk(writer._connection)  # pyright: ignore[reportPrivateUsage] - the same
    writer._connection = full  # type: ignore[assignment]  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue] - the same


async def test_a_big_batch_on_a_full_disk_is_rolled_back(tmp_path: Path) -> None:
    """A transaction of many rows that can't be ended leaves none of them."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        _break(journal)
        batch = [prepared(index, message.to) for index, message in enumerate(to_many(300))]
        with pytest.raises(JournalError, match="disk is full"):
            await take(Ledger(journal).claim(batch))
    assert [] == rows_in(path)


async def test_a_locked_file_rolls_back_and_stays_whole(tmp_path: Path) -> None:
    """A statement that fails within a transaction takes back the ones before it."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        batch = [prepared(index, message.to) for index, message in enumerate(to_many(300))]
        claim = Ledger(journal).claim(batch)
        bad = [row.as_claimed() for row in claim._rows]  # pyright: ignore[reportPrivateUsage] - their columns
        bad[280] = (*bad[280][:5], None, *bad[280][6:])
        error = await sqlite_store(journal).of_loop().write(bad, durable=True)
        assert isinstance(error, JournalError)
    assert [] == rows_in(path)


async def test_after_one_failure_no_claim_is_taken(tmp_path: Path) -> None:
    """A disk that took one write again proves nothing: the file may have lost another."""
    with Journal.open(tmp_path / "j.db") as journal:
        claim = Ledger(journal).claim([prepared()])
        bad = await sqlite_store(journal).of_loop().write([(None,) * WIDTH])
        assert isinstance(bad, JournalError)
        with pytest.raises(JournalError):
            await take(claim)


async def test_an_outcome_that_cannot_be_recorded_is_still_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A single send that was accepted gives its receipt, and a log record says what is missing."""
    path = tmp_path / "j.db"

    def answer(request: httpx.Request) -> httpx.Response:
        _break(journal)
        return ACCEPTED

    with Journal.open(path) as journal:
        receipt = await posting(Wire(answer), journal).send(NUMBER, "Hi", key="a")
    assert "id-1" == receipt.message_id
    assert "the outcome of a text is not on record" in caplog.text
    with Journal.open(path) as journal, pytest.raises(OutcomeUnknownError):
        await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="a")


async def test_a_journal_closed_under_a_run_halts_it(tmp_path: Path) -> None:
    """Closing the journal too early ends the run; what was accepted is handed out."""

    def answer(request: httpx.Request) -> httpx.Response:
        if len(wire.requests) == 2:
            journal.close()
        return ACCEPTED

    wire = Wire(answer)
    journal = Journal.open(tmp_path / "j.db")
    outcomes = await run_over(posting(wire), to_many(5), journal=journal, concurrency=1)
    assert 2 == len(wire.requests)
    assert 2 == sum(isinstance(outcome, Accepted) for outcome in outcomes)


async def test_a_damaged_row_keeps_the_run_from_beginning(tmp_path: Path) -> None:
    """A row that is not as it was written keeps a run from sending anything."""
    path = tmp_path / "j.db"
    await send_all(path, ACCEPTED, to_many(2))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE entries SET detail = 'nonsense'")
    connection.close()
    with pytest.raises(JournalError, match="2 of its rows can't be trusted"):
        await send_all(path, ACCEPTED, to_many(4))


_ON_A_FULL_DISK = """
import asyncio, json, resource, signal, sys
sys.path.insert(0, sys.argv[2])
from support.core.fakes import Wire, to_many
from support.journal.journaling import ACCEPTED, posting, run_over, sent_to
from iprog_async import Journal

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with Journal.open(sys.argv[1]) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
        wire = Wire(ACCEPTED)
        outcomes = await run_over(posting(wire), to_many(400), journal=journal, concurrency=2)
    accepted = [outcome.message.to for outcome in outcomes if outcome.state == "accepted"]
    print(json.dumps([sent_to(wire), accepted]))

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="limits of the file size are a matter of POSIX")
def test_a_full_disk(tmp_path: Path) -> None:
    """When a real disk is full the run stops, and the next one goes on where it ended."""
    path = tmp_path / "j.db"
    tests = Path(__file__).parents[2]
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", textwrap.dedent(_ON_A_FULL_DISK), str(path), str(tests)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    asked, accepted = json.loads(child.stdout)
    assert 0 < len(asked) < 400
    assert sorted(asked) == sorted(accepted)

    states, again = asyncio.run(send_all(path, ACCEPTED, to_many(400)))
    texts = Counter([*asked, *again])
    assert 1 == max(texts.values())
    # Whoever was not reached is among the unknown ones; two requests were under way.
    assert 400 - len(texts) <= states.count("unknown") <= 4
    assert {"accepted", "unknown"} >= set(states)
