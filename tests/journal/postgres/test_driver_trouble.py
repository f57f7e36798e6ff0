"""What the driver raises without a word of the server never leaves anybody waiting."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, posting, rows_in
from support.postgres.addresses import with_query
from support.postgres.cutting import CLAIM_NEW, Cut

from iprog_async import (
    Journal,
    JournalError,
    JournalReader,
    OutcomeUnknownError,
    Suppressions,
    SuppressionsError,
)
from iprog_async._journal.postgres import execution
from iprog_async._journal.postgres import store as store_module
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import Connection, Cursor, connect, connect_async, run
from iprog_async._journal.postgres.session import reopen
from iprog_async._journal.postgres.worker import Worker
from iprog_async._limits.postgres_store import PostgresLimitStore
from iprog_async._limits.store import LimitStoreError
from iprog_async.outbox._database import OutboxDatabase


TROUBLE = [
    OSError(errno.EMFILE, "Too many open files"),
    ValueError("filedescriptor out of range"),
    NotImplementedError("what it can't read"),
]
_MOST_STATEMENTS = 50
IDS = [type(trouble).__name__ for trouble in TROUBLE]


def _raising(trouble: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise trouble

    return fail


@pytest.mark.parametrize("trouble", TROUBLE, ids=IDS)
async def test_a_connection_that_the_driver_can_not_make(
    trouble: Exception, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever connects is told by an error of the library, with what the driver said."""
    address = PostgresAddress.parse(postgres_journal)
    monkeypatch.setattr(psycopg.Connection, "connect", _raising(trouble))
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", _raising(trouble))
    with pytest.raises(JournalError, match="can't reach the journal") as caught:
        connect(address)
    assert str(trouble) in str(caught.value)
    with pytest.raises(JournalError, match="can't reach the journal"):
        await connect_async(address)
    with pytest.raises(JournalError, match="can't reach the journal"):
        await OutboxDatabase(address).run("SELECT 1", {})
    with pytest.raises(SuppressionsError, match="can't reach"):
        Suppressions.open(postgres_journal)
    with pytest.raises(LimitStoreError, match=type(trouble).__name__):
        await PostgresLimitStore(address.conninfo, address.schema).salt()


async def test_a_thread_that_can_not_connect_again(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the driver can't connect, whatever it raises, the journal tries again."""
    troubles: Iterator[Exception] = iter(TROUBLE)

    def failing(*args: Any) -> Connection:
        for trouble in troubles:
            raise trouble
        return reopen(*args)

    monkeypatch.setattr(store_module, "reopen", failing)
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        Cut(CLAIM_NEW, answered=False).use(monkeypatch)
        await posting(wire, journal).send(NUMBER, "Hi", key="a")
    assert ([], 1) == (list(troubles), len(wire.requests))


async def test_an_answer_that_the_driver_can_not_wait_for(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim whose answer can't be waited for is asked once more over a new connection."""
    troubles: Iterator[Exception] = iter(TROUBLE[:1])

    def failing(connection: Connection, query: str, values: Any = None) -> Cursor:
        cursor = run(connection, query, values)
        if CLAIM_NEW in query:
            for trouble in troubles:
                raise trouble
        return cursor

    monkeypatch.setattr(execution, "run", failing)
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        await posting(wire, journal).send(NUMBER, "Hi", key="a")
    assert ([], 1) == (list(troubles), len(wire.requests))
    assert [(NUMBER, "a", "accepted")] == rows_in(postgres_journal)


async def test_a_thread_that_ends(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever ends the journal's thread, who asked it and who asks after is answered."""
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        monkeypatch.setattr(Worker, "_work", _raising(RuntimeError("a bug")))
        for _ in range(2):
            with pytest.raises(OutcomeUnknownError, match="a bug"):
                await posting(wire, journal).send(NUMBER, "Hi", key="a")
    assert [] == wire.requests
    # The thread says what ended it, and the journal once what that keeps from being sent.
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    begins = ["the journal postgresql://", "the journal keeps texts with a key from being sent"]
    assert [True] * 2 == [told.startswith(begin) for told, begin in zip(said, begins, strict=True)]


LOST: list[Exception] = [
    TROUBLE[1],
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    psycopg.OperationalError("lost: password=hunter2"),
]
OPENINGS: dict[str, Callable[[str], Any]] = {
    "to write": Journal.open,
    "to read": JournalReader.open,
    "the list of numbers": Suppressions.open,
}


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("trouble", LOST, ids=[IDS[1], "reset", "by the server"])
def test_an_opening_that_meets_it_at_any_statement(
    trouble: Exception, opening: str, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever it is, what is told is an error of the library, without the password."""
    address = with_query(postgres_journal, password="hunter2")
    Journal.open(address).close()
    real, left = psycopg.Connection.execute, 0

    def execute(connection: Any, *args: Any, **settings: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            # Whoever tries once more meets it again.
            left = 1
            raise trouble
        return real(connection, *args, **settings)

    monkeypatch.setattr(psycopg.Connection, "execute", execute)
    errors: list[Exception] = []
    while len(errors) < _MOST_STATEMENTS:
        left = len(errors) + 1
        try:
            opened = OPENINGS[opening](address)
        except (JournalError, SuppressionsError) as exc:
            errors.append(exc)
        else:
            monkeypatch.undo()
            opened.close()
            break

    assert 3 < len(errors) < _MOST_STATEMENTS
    assert all(str(trouble).partition(":")[0] in str(error) for error in errors)
    told = [traceback.TracebackException.from_exception(error).format() for error in errors]
    assert "hunter2" not in "".join(line for lines in told for line in lines)


def test_a_system_that_has_no_thread_to_give(
    postgres_journal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that can't be opened for it says so, and opens later."""
    for place in (postgres_journal, tmp_path / "j.db"):
        with monkeypatch.context() as context:
            context.setattr(Thread, "start", _raising(RuntimeError("can't start new thread")))
            with pytest.raises(JournalError, match="can't start new thread"):
                Journal.open(place)
        Journal.open(place).close()
