"""How rows reach the journal's thread: many at a time, in order, each task told of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.core.fakes import NUMBER, prepared, to_many
from support.journal.journaling import rows_in, sqlite_store, states_in, take
from support.journal.rows import RECEIPT

from iprog_async import Accepted, Journal, JournalError, Outcome
from iprog_async._journal.keys import KeysUnderWay
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.single_ledger import SingleLedger
from iprog_async._journal.sqlite import store
from iprog_async._journal.sqlite.database import JournalFile, open_file
from iprog_async._journal.sqlite.schema import OF_SINGLES
from iprog_async._journal.sqlite.write_queue import LoopQueue
from iprog_async._journal.store import ClaimLostError
from iprog_async.adapter import PreparedMessage


LARGE = "k" * 20_000
"""A key that no page of a file has room for."""


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


def test_a_loop_sees_what_another_one_has_gathered(path: Path) -> None:
    """An outcome that one event loop has not handed in yet is there for the next one that asks."""
    first = asyncio.new_event_loop()
    with Journal.open(path) as journal:
        ledger = first.run_until_complete(_ledger_of(journal))
        row = ledger._rows[0]  # pyright: ignore[reportPrivateUsage] - what is on record
        queue = ledger._queue  # pyright: ignore[reportPrivateUsage] - the loop's own
        done = queue.record([row], [row.as_accepted(RECEIPT)])
        journal.under_way = KeysUnderWay()
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


async def test_a_question_that_fails_by_itself_is_nobody_elses_trouble(path: Path) -> None:
    """Who asked is told; what was handed in with it is on record, and the journal goes on."""

    def fail(_: sqlite3.Connection) -> None:
        raise OverflowError("too large")

    with Journal.open(path) as journal:
        claim, asked = _claims(journal, 1)[0].take(), sqlite_store(journal).of_loop().ask(fail)
        assert "OverflowError: too large" in str(await asked)
        assert (await claim, ["claimed"]) == (None, states_in(path))
        await take(_claims(journal, 2)[1])


def _error_of(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("no luck")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "goes_on"),
    [
        (_error_of(sqlite3.SQLITE_BUSY), True),
        (_error_of(sqlite3.SQLITE_FULL), False),
        (_error_of(sqlite3.SQLITE_IOERR_WRITE), False),
        (sqlite3.OperationalError("no code"), False),
        (JournalError("the file was replaced"), False),
    ],
    ids=["busy", "full", "broken", "no code", "replaced"],
)
async def test_a_claim_beside_a_question_that_fails_is_made(
    error: Exception, path: Path, *, goes_on: bool
) -> None:
    """What is on record is told as it is; who asks for the next claim is told of the trouble."""

    def fail(_: sqlite3.Connection) -> None:
        raise error

    with Journal.open(path) as journal:
        queue, ledger, keyed = (
            sqlite_store(journal).of_loop(),
            Ledger(journal),
            SingleLedger(journal),
        )
        batch, free = [prepared(0, NUMBER)], _held(queue)
        claims = [ledger.claim(batch).take(), keyed.admit_single(prepared(1, NUMBER, key="k"))]
        told = [asyncio.ensure_future(claim) for claim in claims]
        await asyncio.sleep(0)
        asked = queue.ask(fail)
        free()
        assert isinstance(await asked, JournalError)
        assert [None, None] == list(await asyncio.gather(*told))
        assert ["claimed"] * 2 == states_in(path)
        problem = await Ledger(journal).claim([prepared(2, "+639170000777")]).take()
        assert goes_on == (problem is None)


def _held(queue: LoopQueue) -> Callable[[], None]:
    """Keep the thread busy, so that what is handed in from now on is done together."""
    held = threading.Event()
    queue.ask(lambda _: held.wait(5))
    return held.set


async def test_a_question_is_answered_beside_rows_that_can_not_be_written(path: Path) -> None:
    """What is on record can be read, whatever is to be written in the same moment."""
    with Journal.open(path) as journal:
        queue = sqlite_store(journal).of_loop()
        await take(_claims(journal, 1)[0])
        assert await queue.ask(_bound) is None
        free = _held(queue)
        claim = asyncio.ensure_future(
            Ledger(journal).claim([prepared(1, NUMBER, key=LARGE)]).take()
        )
        await asyncio.sleep(0)
        counts = asyncio.ensure_future(journal.counts())
        await asyncio.sleep(0)
        free()
        assert "disk is full" in str(await claim)
        assert 1 == (await counts)["unknown"]


def _bound(connection: sqlite3.Connection) -> None:
    """Let the file grow no more."""
    connection.execute("PRAGMA max_page_count=1")


async def test_a_question_that_leaves_a_transaction_is_rolled_back(path: Path) -> None:
    """A claim that is told as made is on record for everybody, whatever was asked before it."""

    def leave(connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE entries SET state = 'released'")
        raise _error_of(sqlite3.SQLITE_BUSY)

    with Journal.open(path) as journal:
        first, second = _claims(journal, 2)
        await take(first)
        assert isinstance(await sqlite_store(journal).of_loop().ask(leave), JournalError)
        await take(second)
        assert ["claimed"] * 2 == states_in(path)


def _with_and_without_keys() -> list[PreparedMessage]:
    keys = (None, "a", None, "b")
    people = zip(to_many(len(keys)), keys, strict=True)
    return [prepared(index, message.to, key=key) for index, (message, key) in enumerate(people)]


async def test_a_claim_that_is_given_back_at_once_ends_so(path: Path) -> None:
    """Of a batch with and without keys each row is written in the order of what became of it."""
    with Journal.open(path) as journal:
        claim = Ledger(journal).claim(_with_and_without_keys())
        taken = claim.take()
        claim.release()
        assert await taken is None
    assert ["released"] * 4 == states_in(path)


async def test_a_part_that_is_claimed_as_the_whole_is_given_back_stays_claimed(path: Path) -> None:
    """Who is sent alone, once a batch was split, is on record as its request leaves."""
    with Journal.open(path) as journal:
        ledger, batch = Ledger(journal), _with_and_without_keys()
        await take(ledger.claim(batch))
        ledger.claim(batch).give_back()
        await take(ledger.claim(batch[:1]))
        assert "claimed" == dict(rows_in(path, "number, state"))[batch[0].e164]


async def test_of_a_batch_that_somebody_else_has_one_of_nothing_is_claimed(path: Path) -> None:
    """Those without a key are not on record then, neither as claimed nor as given back."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        batch = _with_and_without_keys()
        await take(Ledger(other).claim(batch[1:2]))
        claim = Ledger(journal).claim(batch)
        with pytest.raises(ClaimLostError):
            await take(claim)
        claim.release()
        assert [(batch[1].e164, "a", "claimed")] == [
            row for row in rows_in(path) if row[1] is None or row[2] == "claimed"
        ]


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
