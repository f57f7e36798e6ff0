"""A database that can't be used stops before the next send, with one error that says what to do."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, posting, rows_in, run_over, states_in
from support.postgres.addresses import with_query
from support.postgres.cutting import terminate
from support.waiting import LONG

from iprog_async import (
    ConfigurationError,
    Journal,
    JournalError,
    JournalReader,
    NotSent,
    OutcomeUnknownError,
)
from iprog_async._core.clock import uptime
from iprog_async._journal.postgres import driver as driver_module
from iprog_async._journal.postgres import session as session_module
from iprog_async._journal.postgres import store as store_module
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.rows import Row


def change(place: str, sql: str) -> None:
    """Change a journal's database as an administrator does."""
    address = PostgresAddress.parse(place)
    with connect(address) as connection:
        run(connection, sql.format(schema=address.schema))


def refuse(place: str, code: str) -> None:
    """Have the server refuse every write from now on, with one of its codes."""
    change(
        place,
        "CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$; "
        "CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {schema}.entries_1 "
        "FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse(); "
        "CREATE TRIGGER refuse_rows BEFORE INSERT OR UPDATE ON {schema}.entries_1 "
        "FOR EACH ROW EXECUTE FUNCTION {schema}.refuse();",
    )


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("25006", "use the address of the primary server"),
        ("53100", "free some space there"),
        ("42501", "docs/postgres.md"),
        ("42703", "iprog-async journal migrate"),
        ("XX000", "fix the cause"),
    ],
)
async def test_a_run_stops(code: str, advice: str, postgres_journal: str) -> None:
    """A database that takes no claim any more halts the run; what was sent is handed out."""

    def answer(request: httpx.Request) -> httpx.Response:
        if len(wire.requests) == 2:
            refuse(postgres_journal, code)
        return ACCEPTED

    wire = Wire(answer)
    journal = Journal.open(postgres_journal)
    outcomes = await run_over(posting(wire), to_many(6), journal=journal, concurrency=1)
    states = ["accepted", "accepted", "unknown", *["not_sent"] * 3]
    # Whether another run has the one that could not be claimed was not to be found out.
    assert states == [outcome.state for outcome in outcomes]
    errors = [outcome.error for outcome in outcomes if isinstance(outcome, NotSent)]
    assert all(advice in str(error) for error in errors)
    assert 2 == len(wire.requests)
    assert ["accepted", "claimed"] == states_in(postgres_journal)
    # What could not be recorded is tried again for as long as the journal is open.
    change(postgres_journal, "DROP TRIGGER refuse ON {schema}.entries_1")
    change(postgres_journal, "DROP TRIGGER refuse_rows ON {schema}.entries_1")
    await asyncio.to_thread(journal.close)
    assert ["accepted"] * 2 == states_in(postgres_journal)


async def test_a_read_only_database(postgres_journal: str) -> None:
    """One that takes no changes is refused for sending, with the true reason, and read."""
    Journal.open(postgres_journal).close()
    read_only = with_query(postgres_journal, options="-c default_transaction_read_only=on")
    with pytest.raises(JournalError, match="though no standby: default_transaction_read_only is"):
        Journal.open(read_only)
    with JournalReader.open(read_only) as reader:
        assert 0 == (await reader.counts())["accepted"]


async def test_a_campaign_that_is_removed(postgres_journal: str) -> None:
    """A campaign that was dropped under a run stops it before the next text."""

    def answer(request: httpx.Request) -> httpx.Response:
        if len(wire.requests) == 2:
            change(
                postgres_journal,
                "DROP TABLE {schema}.entries_1; DELETE FROM {schema}.campaigns",
            )
        return ACCEPTED

    wire = Wire(answer)
    await run_over(posting(wire), to_many(6), journal=postgres_journal, concurrency=1)
    assert 2 == len(wire.requests)


@pytest.mark.slow
async def test_a_campaign_that_is_made_anew(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database of the same address with another content is not gone on with."""
    with Journal.open(postgres_journal) as journal:
        await journal.counts()
        # However busy the machine, it is given up after some looks, and not at the first one, which
        # only finds the connection lost.
        looks = count(uptime(), 4)
        monkeypatch.setattr("iprog_async._journal.postgres.worker.uptime", looks.__next__)
        change(postgres_journal, "UPDATE {schema}.campaigns SET salt = 'other'")
        assert terminate(postgres_journal)
        with pytest.raises(JournalError, match="is not the one that was opened"):
            await asyncio.wait_for(journal.counts(), 60)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    """Wait for somebody who is gone no longer than a test can."""
    monkeypatch.setattr(store_module, "_SECONDS_UNTIL_GONE", 0.2)


async def test_several_campaigns(postgres_journal: str) -> None:
    """Campaigns know nothing of each other; whoever reads names one."""
    wire = Wire(ACCEPTED)
    with pytest.raises(JournalError, match="is empty"):
        JournalReader.open(postgres_journal)
    for campaign in ("june", "july"):
        with Journal.open(postgres_journal, campaign=campaign) as journal:
            await run_over(posting(wire), to_many(2), journal=journal)
    assert 4 == len(wire.requests)
    for opening in (JournalReader.open, Journal.open):
        with pytest.raises(JournalError, match="name one of them: 'june', 'july'"):
            opening(postgres_journal, campaign=None)
    with JournalReader.open(postgres_journal, campaign="june") as reader:
        assert 2 == (await reader.counts())["accepted"]
    with pytest.raises(JournalError, match="no campaign 'may'"):
        JournalReader.open(postgres_journal, campaign="may")


def test_a_missing_driver(postgres_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where psycopg is missing, the error is the line that installs it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError) as caught:
        Journal.open(postgres_address)
    assert driver_module.INSTALL in str(caught.value)


@pytest.mark.slow
def test_the_driver_is_imported_late() -> None:
    """Importing the library imports no driver: whoever has a file needs none."""
    program = "import sys, iprog_async; print('psycopg' in sys.modules)"
    said = subprocess.check_output([sys.executable, "-c", program], text=True)  # noqa: S603 - ours
    assert "False\n" == said


def test_several_event_loops(postgres_journal: str) -> None:
    """One open journal serves the loops of several threads, one after the other or at once."""
    wires = [Wire(ACCEPTED) for _ in range(4)]

    def use(wire: Wire, key: str) -> None:
        asyncio.run(posting(wire, journal).send(NUMBER, "Hi", key=key))

    with Journal.open(postgres_journal) as journal:
        threads = [
            threading.Thread(target=use, args=(wire, f"{number}"))
            for number, wire in enumerate(wires)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [1] * 4 == [len(wire.requests) for wire in wires]
    assert [(NUMBER, key, "accepted") for key in "0123"] == sorted(rows_in(postgres_journal))


async def test_two_journals_and_one_key(postgres_journal: str) -> None:
    """Whoever loses the race for a key waits for the winner's outcome, and returns its receipt."""
    arrived, go = asyncio.Event(), asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await go.wait()
        return ACCEPTED

    slow, other = Wire(answer), Wire(ACCEPTED)
    with Journal.open(postgres_journal) as one, Journal.open(postgres_journal) as two:
        first = asyncio.create_task(posting(slow, one).send(NUMBER, "Hi", key="a"))
        await arrived.wait()
        second = asyncio.create_task(posting(other, two).send(NUMBER, "Hi", key="a"))
        looked = asyncio.create_task(two.counts())
        await looked
        assert not second.done()
        go.set()
        assert await first == await second
    assert [] == other.requests


@pytest.mark.slow
async def test_a_sender_that_is_gone(postgres_journal: str) -> None:
    """Who claimed a key and is not connected any more leaves it unknown, soon."""
    with Journal.open(postgres_journal) as gone:
        row = Row(0, NUMBER, "a", b"hash", 0, "released")
        assert await gone.store.of_loop().claim_new(row) is None
    wire = Wire(ACCEPTED)
    with Journal.open(postgres_journal) as journal:
        with pytest.raises(OutcomeUnknownError):
            await posting(wire, journal).send(NUMBER, "Hi", key="a")
        assert [] == wire.requests
        resending = posting(wire, journal).send(NUMBER, "Hi", key="a", on_unknown="resend")
        assert "id-1" == (await resending).message_id


_FORKED = """
import asyncio, json, os, sys
sys.path.insert(0, sys.argv[2])
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, posting
from iprog_async import Journal, SmsError

async def send(journal, key):
    try:
        return (await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key=key)).message_id
    except SmsError as exc:
        return str(exc)

with Journal.open(sys.argv[1]) as journal:
    said = [asyncio.run(send(journal, "a"))]
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.write(writing, asyncio.run(send(journal, "b")).encode())
        journal.close()
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        said.append(pipe.read())
    os.wait()
    said.append(asyncio.run(send(journal, "c")))
    print(json.dumps(said))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process(postgres_journal: str) -> None:
    """A child has only a copy of the journal: it is told so, and the parent goes on."""
    tests = Path(__file__).parents[2]
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", textwrap.dedent(_FORKED), postgres_journal, str(tests)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    before, forked, after = json.loads(child.stdout)
    assert ("id-1", "id-1") == (before, after)
    assert "opened before this process was forked off" in forked


def test_an_opening_that_fails_leaves_no_connection(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing warns of a connection that was lost before anybody could see it."""

    def announce(connection: psycopg.Connection[Any], *_: object) -> None:
        opened.append(connection)
        run(connection, "SELECT pg_terminate_backend(pg_backend_pid())")

    opened: list[psycopg.Connection[Any]] = []
    monkeypatch.setattr(session_module, "announce", announce)
    with pytest.raises(JournalError, match=r"can't be used: .*Nothing more is sent"):
        Journal.open(postgres_journal)

    assert [True] == [connection.closed for connection in opened]


_KILLED = """
import asyncio, os, signal, sys
sys.path.insert(0, sys.argv[2])
from support.core.fakes import Wire, to_many
from support.journal.journaling import ACCEPTED, posting, run_over

def answer(request):
    print(request.content.decode(), flush=True)
    if len(wire.requests) == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return ACCEPTED

wire = Wire(answer)
asyncio.run(run_over(posting(wire), to_many(20), journal=sys.argv[1], concurrency=3))
"""


@pytest.mark.slow
def test_a_killed_run(postgres_journal: str) -> None:
    """What was on its way when a run was killed is unknown; all others get their text, once."""
    tests = Path(__file__).parents[2]
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", textwrap.dedent(_KILLED), postgres_journal, str(tests)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert -signal.SIGKILL == child.returncode
    reached = [json.loads(line)["to"][0] for line in child.stdout.splitlines()]
    wire = Wire(ACCEPTED)
    outcomes = asyncio.run(run_over(posting(wire), to_many(20), journal=postgres_journal))
    again = [json.loads(request.content)["to"][0] for request in wire.requests]
    assert not set(reached) & set(again)
    unknown = [outcome for outcome in outcomes if outcome.state == "unknown"]
    assert 1 <= len(unknown) <= 3
    assert 20 == len({*reached, *again} | {outcome.message.to for outcome in unknown})
