"""Processes that share a file: how long they wait for one another, and for the file."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import Callable
from contextlib import closing
from enum import Enum
from pathlib import Path

import pytest
from support.core.fakes import NUMBER, Wire, prepared, to_many
from support.journal.gate import Gate
from support.journal.journaling import (
    ACCEPTED,
    posting,
    run_over,
    sqlite_store,
    states_in,
    take,
)
from support.outbox.looking import until

from iprog_async import Journal, JournalError, NotSent, OutcomeUnknownError, RejectedError
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.sqlite import database
from iprog_async._journal.sqlite.file_lock import FileLock
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async.testing import InstantClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


def _patient(path: Path, clock: InstantClock, **rules: bool) -> Journal:
    return Journal(SqliteStore(str(path), None, clock=clock, wait=30), ResumeRules(**rules))


async def test_one_that_does_not_end_is_unknown(path: Path) -> None:
    """Nobody waits for another's outcome for ever, such as that of a process that was stopped."""
    clock, wire = InstantClock(), Wire(ACCEPTED)
    with Journal.open(path) as one, _patient(path, clock) as two:
        await take(Ledger(one).claim([prepared(key="a")]))
        with pytest.raises(OutcomeUnknownError):
            await posting(wire, two).send(NUMBER, "Hi", key="a")
    assert [] == wire.requests
    assert 60 <= clock.monotonic() <= 61


async def test_no_file_descriptor_is_left_for_a_moment(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for another goes on waiting, and the journal serves all others."""
    really, missing = FileLock.take, 3

    def take_lock(path: str) -> FileLock | None:
        nonlocal missing
        missing -= 1
        if missing >= 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return really(path)

    with Journal.open(path) as one, _patient(path, InstantClock()) as two:
        await take(Ledger(one).claim([prepared(key="a")]))
        monkeypatch.setattr(FileLock, "take", take_lock)
        with pytest.raises(OutcomeUnknownError):
            await posting(Wire(ACCEPTED), two).send(NUMBER, "Hi", key="a")
        assert 0 > missing
        await posting(Wire(ACCEPTED), two).send(NUMBER, "Hi", key="b")


async def test_one_run_at_a_time(path: Path) -> None:
    """While a run has the file a second one is refused, and single sends go on beside it."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        async with posting(wire).send_many([], journal=one):
            with pytest.raises(JournalError, match="in use by a run of another process"):
                await run_over(posting(wire), to_many(1), journal=two)
            await posting(wire, two).send(NUMBER, "Hi", key="a")
        await run_over(posting(wire), to_many(1), journal=two)
    assert 2 == len(wire.requests)


class _Close(Enum):
    """When a journal is closed whose run ends."""

    NEVER = "it stays open"
    AFTER = "it is closed after that"
    BEFORE = "it was closed before"


@pytest.mark.parametrize("close", _Close)
async def test_a_run_has_the_file_until_all_that_it_handed_in_is_there(
    close: _Close, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is stopped in the midst of writing overwrites nothing of the run after it."""
    batch = [prepared()]
    refused = [NotSent(0, batch[0].message, RejectedError("later", provider="fake"))]
    with Journal.open(path) as one, Journal.open(path, resend_unknown=True) as two:
        ledger = await Ledger.of_run(one)
        await take(ledger.claim(batch))
        gate = Gate(monkeypatch)
        ledger.record(batch, refused)
        closing: asyncio.Future[None] | None = None
        if close is _Close.BEFORE:
            closing = asyncio.ensure_future(asyncio.to_thread(one.close))
            await until(lambda: sqlite_store(one)._intake.closed)  # pyright: ignore[reportPrivateUsage] - what it has come to
        ledger.end()
        if close is _Close.AFTER:
            closing = asyncio.ensure_future(asyncio.to_thread(one.close))
        with pytest.raises(JournalError, match="in use by a run of another process"):
            await two.begin_run()
        gate.opened.set()
        await (closing or ledger.ended())
        assert ["not_sent"] == states_in(path)
        assert 2 == await two.begin_run()
        await two.end_run(2)


async def test_the_same_opening_can_begin_a_run_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits for what its run before has left to write, and needs no `wait` for that."""
    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        await take(ledger.claim([prepared()]))
        gate = Gate(monkeypatch)
        ledger.claim([prepared()]).give_back()
        ledger.end()
        beginning = asyncio.create_task(journal.begin_run())
        await until(gate.reached.is_set)
        gate.opened.set()
        assert 2 == await beginning
        await journal.end_run(2)


async def test_a_lock_that_can_not_be_let_go_of_in_order_stops_nobody(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread goes on, and whoever waits for the end of the run, or begins another, can."""

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        await take(ledger.claim([prepared()]))
        gate = Gate(monkeypatch)
        ledger.claim([prepared()]).give_back()
        with monkeypatch.context() as patch:
            patch.setattr("iprog_async._journal.sqlite.file_lock._unlock", fail)
            ledger.end()
            gate.opened.set()
            await ledger.ended()
        assert 2 == await journal.begin_run()
        await journal.end_run(2)


class _EndingClock(InstantClock):
    """Does something while somebody waits."""

    def __init__(self, after: float, end: Callable[[], object]) -> None:
        super().__init__()
        self._after = after
        self._end = end

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.monotonic() >= self._after:
            self._end()


async def test_a_run_waits_for_another(path: Path) -> None:
    """With `wait` a run begins when the other has ended, or is refused after so many seconds."""
    with Journal.open(path) as one:
        await one.begin_run()
        clock = _EndingClock(20, lambda: one.store.end_run(1))
        with _patient(path, clock) as two:
            assert 2 == await two.begin_run()
            assert 20 <= clock.monotonic() < 21
            await two.end_run(2)
        await one.begin_run()
        in_vain = InstantClock()
        with (
            _patient(path, in_vain) as two,
            pytest.raises(JournalError, match="in use by a run of another process"),
        ):
            await two.begin_run()
        assert 30 <= in_vain.monotonic() < 31


async def test_another_that_writes_for_too_long(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is locked for too long stops a send, and not those that come after it."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.0)
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(OutcomeUnknownError, match="database is locked"):
                await client.send(NUMBER, "Hi", key="a")
            other.execute("ROLLBACK")
        await client.send(NUMBER, "Hi", key="a")
    assert 1 == len(wire.requests)
