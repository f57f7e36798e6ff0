"""How a journal ends: closed, dropped, or used from another event loop."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import FakeProvider, Wire, prepared, to_many
from support.journal.journaling import ACCEPTED, posting, run_over, sqlite_store, states_in, take

from iprog_async import Journal, JournalError, SmsClient
from iprog_async._journal.ledger import Ledger


def _threads() -> set[threading.Thread]:
    """Return the threads of journals; one that another test left behind may end at any time."""
    return {thread for thread in threading.enumerate() if thread.name == "sms-journal"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


async def test_closing_twice(path: Path) -> None:
    """A journal may be closed twice, and within its own block; its thread ends with it."""
    before = _threads()
    with Journal.open(path) as journal:
        assert 1 == len(_threads() - before)
        journal.close()
        journal.close()
    assert set() == _threads() - before


async def _entries(journal: Journal) -> None:
    async for _ in journal.entries():
        pass


async def _unknown(journal: Journal) -> None:
    async for _ in journal.unknown():
        pass


async def _counts(journal: Journal) -> None:
    await journal.counts()


async def _run(journal: Journal) -> None:
    async with SmsClient(FakeProvider()).send_many(to_many(1), journal=journal):
        pass


async def _claim(journal: Journal) -> None:
    await take(Ledger(journal).claim([prepared()]))


async def _look(journal: Journal) -> None:
    await Ledger(journal).admit([prepared(key="a")])


@pytest.mark.parametrize("use", [_entries, _unknown, _counts, _run, _claim, _look])
async def test_use_after_closing(use: Callable[[Journal], Any], path: Path) -> None:
    """A closed journal can do nothing, and says so."""
    journal = Journal.open(path)
    journal.close()
    with pytest.raises(JournalError, match="is closed"):
        await use(journal)


async def test_closing_writes_what_waits(path: Path) -> None:
    """What was recorded without being awaited is in the file when the journal is closed."""
    with Journal.open(path) as journal:
        ledger = Ledger(journal)
        claim = ledger.claim([prepared(index, m.to) for index, m in enumerate(to_many(200))])
        claim.give_back()
    assert ["released"] * 200 == states_in(path)


async def test_a_journal_that_is_dropped_is_closed(path: Path) -> None:
    """Without a close, everything is written and the file set free when nobody holds it."""
    before = _threads()
    journal = Journal.open(path)
    await run_over(SmsClient(FakeProvider()), to_many(3), journal=journal)
    del journal
    gc.collect()
    assert set() == _threads() - before
    with Journal.open(path) as journal:
        assert 3 == (await journal.counts())["accepted"]


def test_one_journal_and_two_event_loops(path: Path) -> None:
    """A journal serves one event loop after the other."""
    with Journal.open(path) as journal:
        for expected in (3, 0):
            wire = Wire(ACCEPTED)

            async def run(wire: Wire = wire) -> None:
                await run_over(posting(wire), to_many(3), journal=journal)

            asyncio.run(run())
            assert expected == len(wire.requests)


def test_two_event_loops_at_once(path: Path) -> None:
    """Keyed sends of two threads, each with its loop, are all on record."""
    with Journal.open(path) as journal:

        async def send(name: str) -> None:
            client = posting(Wire(ACCEPTED), journal)
            await asyncio.gather(
                *(client.send(m.to, "Hi", key=f"{name}-{m.to}") for m in to_many(20))
            )

        threads = [threading.Thread(target=asyncio.run, args=[send(name)]) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ["accepted"] * 40 == states_in(path)


def test_an_event_loop_that_has_ended(path: Path) -> None:
    """What a loop left behind is written all the same, and nobody is told."""
    with Journal.open(path) as journal:

        async def leave() -> None:
            Ledger(journal).claim([prepared()]).give_back()

        for _ in range(20):
            asyncio.run(leave())
        assert 20 == asyncio.run(journal.counts())["waiting"]


async def test_an_answer_that_nobody_waits_for(path: Path) -> None:
    """A question whose asker was cancelled does not disturb the next one."""
    with Journal.open(path) as journal:
        asking = asyncio.create_task(journal.counts())
        await asyncio.sleep(0)
        asking.cancel()
        assert 0 == (await journal.counts())["accepted"]
        assert asking.cancelled()


async def test_many_tasks_at_once(path: Path) -> None:
    """Claims of many tasks gather in few transactions, and each is told of its own."""
    with Journal.open(path) as journal:
        ledger = Ledger(journal)
        claims = [ledger.claim([prepared(index, m.to)]) for index, m in enumerate(to_many(300))]
        for _ in range(3):
            await asyncio.gather(*(take(claim) for claim in claims))
        assert ["claimed"] * 300 == states_in(path)


async def test_a_work_that_fails_is_told(path: Path) -> None:
    """An error of a question is the journal's, whatever it was."""
    with Journal.open(path) as journal:
        connection: Any = sqlite_store(journal)._writer._connection  # pyright: ignore[reportPrivateUsage] - to break it
        await journal.counts()
        connection.execute("DROP TABLE entries")
        with pytest.raises(JournalError, match="no such table"):
            await journal.counts()
