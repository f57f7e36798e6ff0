"""Runs that nobody ends in order: dropped, closed over, or ended by the garbage collector."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.core.fakes import prepared
from support.journal.journaling import sqlite_store

from iprog_async import Journal, JournalError
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.sqlite.write_queue import LoopQueue


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


@contextmanager
def _handing_in(journal: Journal) -> Generator[None]:
    """Hold what a thread holds while it hands something in; the collector may come between."""
    with sqlite_store(journal)._intake.lock:  # pyright: ignore[reportPrivateUsage] - stands for any line within
        yield


async def _begin_and_end(journal: Journal) -> int:
    number = await journal.begin_run()
    await journal.end_run(number)
    return number


async def test_a_run_that_is_dropped_within_any_line(path: Path) -> None:
    """Whoever is interrupted does not wait for himself, and the next run can begin."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        number = await journal.begin_run()
        with _handing_in(journal):
            assert not journal.store.end_run(number)
            await journal.end_run(number)
        await asyncio.sleep(0)
        assert number + 1 == await _begin_and_end(other)


def test_a_run_of_a_closed_loop_that_is_dropped_within_any_line(path: Path) -> None:
    """So it is where the event loop was closed, with claims under way and outcomes to record."""
    with Journal.open(path) as journal:
        loop = asyncio.new_event_loop()
        ledger = loop.run_until_complete(Ledger.of_run(journal))
        batch = [prepared()]
        claim = ledger.claim(batch)
        assert loop.run_until_complete(claim.take()) is None
        queue = loop.run_until_complete(_queue_of(journal))
        loop.close()
        with _handing_in(journal):
            claim.release()
            assert "event loop" in str(queue.ask(lambda _: None).result())
            ledger.end()
        assert 2 == asyncio.run(_begin_and_end(journal))


async def _queue_of(journal: Journal) -> LoopQueue:
    return sqlite_store(journal).of_loop()


@pytest.mark.parametrize("closes", [False, True])
def test_a_run_ends_with_its_journal(path: Path, *, closes: bool) -> None:
    """A journal that is closed, or dropped with its closed loop, keeps nobody out any more."""
    journal = Journal.open(path)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(journal.begin_run())
    if closes:
        journal.close()
    loop.close()
    del journal
    gc.collect()
    with Journal.open(path) as other:
        assert 2 == asyncio.run(_begin_and_end(other))


async def test_an_open_run_keeps_others_out(path: Path) -> None:
    """As long as its journal and its event loop are open."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        await journal.begin_run()
        with pytest.raises(JournalError, match="in use by a run"):
            await other.begin_run()
