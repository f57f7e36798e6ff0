"""How rows reach the journal's thread: many at a time, in order, each task told of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import NUMBER, prepared, to_many
from support.journal.journaling import sqlite_store, states_in, take
from support.journal.rows import RECEIPT
from support.waiting import LONG

from iprog_async import Accepted, Journal, Outcome, SmsError
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows import Row
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.single_ledger import SingleLedger
from iprog_async._journal.sqlite import store
from iprog_async._journal.sqlite.database import JournalFile, open_file
from iprog_async._journal.sqlite.schema import OF_SINGLES
from iprog_async._journal.sqlite.write_queue import Job
from iprog_async._journal.sqlite.writer import Writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


def _claims(journal: Journal, count: int) -> list[RowsClaim]:
    ledger = Ledger(journal)
    return [ledger.claim([prepared(index, m.to)]) for index, m in enumerate(to_many(count))]


async def test_tasks_share_a_transaction(path: Path) -> None:
    """What many tasks write in one round of the event loop is one transaction, on disk once."""
    statements: list[str] = []
    with Journal.open(path) as journal:
        connection = sqlite_store(journal)._writer._connection  # pyright: ignore[reportPrivateUsage] - to hear of its statements
        connection.set_trace_callback(statements.append)
        await asyncio.gather(*(take(claim) for claim in _claims(journal, 200)))
        # On a busy machine the thread may have taken some of them before the others came.
        assert 1 <= sum("INSERT" in statement for statement in statements) <= 3
    assert ["claimed"] * 200 == states_in(path)


@pytest.mark.parametrize("count", [1, 3, 9, 33, 63, 64, 65, 100, 193, 255, 257])
async def test_a_statement_for_more_rows_writes_no_others(count: int, path: Path) -> None:
    """A statement has places for more rows than there are mostly; the others stay empty."""
    with Journal.open(path) as journal:
        await take(Ledger(journal).claim([prepared(n, m.to) for n, m in enumerate(to_many(count))]))
    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT number FROM entries ORDER BY id").fetchall()
    connection.close()
    assert [(message.to,) for message in to_many(count)] == found


@pytest.mark.parametrize("beside", [False, True])
async def test_a_run_asks_only_beside_others(path: Path, *, beside: bool) -> None:
    """What single sends have sent is looked for only once another opening has written."""
    statements: list[str] = []
    with Journal.open(path) as journal, Journal.open(path) as other:
        ledger = await Ledger.of_run(journal)
        connection = sqlite_store(journal)._writer._connection  # pyright: ignore[reportPrivateUsage] - to hear of its statements
        connection.set_trace_callback(statements.append)
        if beside:
            await take(Ledger(other).claim([prepared(7, key="a")]))
        for index, message in enumerate(to_many(3)):
            await take(ledger.claim([prepared(index, message.to)]))
        ledger.end()
    assert beside == any("SELECT" in one and OF_SINGLES in one for one in statements)
    assert ["claimed"] * (4 if beside else 3) == states_in(path)


async def test_a_cancelled_task_takes_nobody_with_it(path: Path) -> None:
    """Of tasks that wait for one transaction each can be cancelled alone."""
    with Journal.open(path) as journal:
        first, *others = [asyncio.create_task(take(claim)) for claim in _claims(journal, 3)]
        await asyncio.sleep(0)
        first.cancel()
        ended = await asyncio.gather(first, *others, return_exceptions=True)
    assert [asyncio.CancelledError, type(None), type(None)] == [type(end) for end in ended]
    assert ["claimed"] * 3 == states_in(path)


class _Gate:
    """Stops the journal's thread before its next transaction."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        real = Writer._do  # pyright: ignore[reportPrivateUsage] - its place in a transaction

        def do(writer: Writer, jobs: Sequence[Job]) -> Sequence[Any]:
            self.reached.set()
            assert self.opened.wait(LONG)
            return real(writer, jobs)

        monkeypatch.setattr(Writer, "_do", do)


async def _begin_to_claim(journal: Journal) -> asyncio.Task[Outcome | None]:
    one = prepared(0, NUMBER, key="k")
    task = asyncio.create_task(SingleLedger(journal).admit_single(one))
    # A step for the task, and one for what it has gathered.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def _is_free(journal: Journal) -> None:
    """Claim the message of a key that somebody has begun to claim and was cancelled."""
    journal.under_way.clear()
    assert await _admit(journal) is None


async def test_a_claim_of_a_cancelled_task_is_given_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is cancelled while a key is claimed for it leaves no claim."""
    gate = _Gate(monkeypatch)
    with Journal.open(path) as journal:
        task = await _begin_to_claim(journal)
        task.cancel()
        await asyncio.wait([task])
        gate.opened.set()
        await _is_free(journal)


async def test_a_claim_that_came_with_the_cancelling_is_given_back(path: Path) -> None:
    """A task that is cancelled when its claim is there, and before it goes on, leaves none."""
    with Journal.open(path) as journal:
        queue = journal.store.of_loop()
        real = queue.claim_new

        def claim_new(row: Row) -> asyncio.Future[Row | SmsError | None]:
            asked, task = real(row), asyncio.current_task()
            assert task is not None
            # Before the task hears of it.
            asked.add_done_callback(lambda _: task.cancel())
            return asked

        with pytest.MonkeyPatch.context() as context:
            context.setattr(queue, "claim_new", claim_new)
            task = await _begin_to_claim(journal)
            await asyncio.wait([task])
        assert task.cancelled()
        await _is_free(journal)


def test_a_claim_for_a_loop_that_ended_is_given_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an event loop ends while a key is claimed for it, the thread gives the claim back."""
    gate = _Gate(monkeypatch)
    with Journal.open(path) as journal:
        asyncio.run(_begin_to_claim(journal))
        gate.opened.set()
        asyncio.run(_is_free(journal))


def test_a_claim_that_a_loop_never_heard_of_is_given_back(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where an event loop ends between two of its steps, what came for it is given back."""
    gate, heard = _Gate(monkeypatch), threading.Event()

    def hear(_: object) -> None:
        heard.set()

    loop = asyncio.new_event_loop()
    with Journal.open(path) as journal:
        task = loop.run_until_complete(_begin_to_claim(journal))
        monkeypatch.setattr(loop, "call_soon_threadsafe", hear)
        gate.opened.set()
        assert heard.wait(LONG)
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()
        asyncio.run(_is_free(journal))


def test_a_loop_sees_what_another_one_has_gathered(path: Path) -> None:
    """An outcome that one event loop has not handed in yet is there for the next one that asks."""
    first = asyncio.new_event_loop()
    with Journal.open(path) as journal:
        ledger = first.run_until_complete(_ledger_of(journal))
        row = ledger._rows[0]  # pyright: ignore[reportPrivateUsage] - what is on record
        queue = ledger._queue  # pyright: ignore[reportPrivateUsage] - the loop's own
        done = queue.record([row], [row.as_accepted(RECEIPT)])
        journal.under_way.clear()
        assert isinstance(asyncio.run(_admit(journal)), Accepted)
        assert first.run_until_complete(done) is None
    first.close()


async def _admit(journal: Journal) -> Outcome | None:
    return await SingleLedger(journal).admit_single(prepared(0, NUMBER, key="k"))


async def _ledger_of(journal: Journal) -> Ledger:
    ledger = SingleLedger(journal)
    assert await ledger.admit_single(prepared(0, NUMBER, key="k")) is None
    return ledger


async def test_a_question_comes_after_what_was_written(path: Path) -> None:
    """Whoever asks the journal sees every row that was handed in before, awaited or not."""
    with Journal.open(path) as journal:
        for claim in _claims(journal, 5):
            claim.give_back()
            await asyncio.sleep(0)
        assert 5 == (await journal.counts())["waiting"]


async def test_an_old_sqlite(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SQLite takes only 999 values to a statement, many rows are several statements."""

    def open_old(path: str, campaign: str | None, **settings: bool) -> JournalFile:
        file = open_file(path, campaign, **settings)
        file.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        return file

    monkeypatch.setattr(store, "open_file", open_old)
    with Journal.open(path) as journal:
        batch = [prepared(index, m.to) for index, m in enumerate(to_many(250))]
        await take(Ledger(journal).claim(batch))
    assert ["claimed"] * 250 == states_in(path)
