"""How rows reach the journal's thread: many at a time, in order, each task told of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from support.core.fakes import prepared, to_many
from support.journal.journaling import sqlite_store, states_in, take

from iprog_async import Journal
from iprog_async._journal.ledger import Ledger, RowsClaim
from iprog_async._journal.sqlite import store
from iprog_async._journal.sqlite.database import JournalFile, open_file


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


async def test_a_cancelled_task_takes_nobody_with_it(path: Path) -> None:
    """Of tasks that wait for one transaction each can be cancelled alone."""
    with Journal.open(path) as journal:
        first, *others = [asyncio.create_task(take(claim)) for claim in _claims(journal, 3)]
        await asyncio.sleep(0)
        first.cancel()
        ended = await asyncio.gather(first, *others, return_exceptions=True)
    assert [asyncio.CancelledError, type(None), type(None)] == [type(end) for end in ended]
    assert ["claimed"] * 3 == states_in(path)


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
