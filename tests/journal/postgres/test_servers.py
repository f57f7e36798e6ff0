"""A server that crashes, or becomes read-only, under a run: each text goes out once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from attrs import define, field
from support.core.fakes import Wire, different_texts
from support.journal.journaling import ACCEPTED, posting, run_over, sent_to
from support.postgres.server import PostgresServer

from iprog_async import Accepted, Journal, JournalError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate


pytestmark = pytest.mark.slow


@pytest.fixture
def place(own_server: PostgresServer) -> Iterator[str]:
    """Return the address of a journal on a server that a test may do anything to."""
    address = own_server.address()
    migrate(PostgresAddress.parse(address))
    yield address
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP SCHEMA iprog_async CASCADE")


@define
class _Incident:
    """A gateway during whose twentieth answer something happens to the server, in a thread.

    Args:
        happen: What happens.
        all_wait: Whether no further answer comes before it has happened.
    """

    happen: Callable[[], None]
    all_wait: bool = False
    answers: int = 0
    task: asyncio.Task[None] | None = field(default=None, init=False)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.answers += 1
        if self.answers == 20:
            self.task = asyncio.create_task(asyncio.to_thread(self.happen))
            await self.task
        elif self.task is not None and self.all_wait:
            await self.task
        return ACCEPTED


def _set_read_only(server: PostgresServer, word: str) -> None:
    """Let every transaction of a server be read-only, as when it is demoted, or no more."""
    with psycopg.connect(server.address(), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {word}".encode())
        connection.execute("SELECT pg_reload_conf()")
    # Whoever connects after it was told finds it so; all others were told before.
    while True:
        with psycopg.connect(server.address()) as connection:
            found = connection.execute("SHOW default_transaction_read_only").fetchone()
        if found == (word,):
            return
        time.sleep(0.01)


async def _counts(journal: Journal, unknown: int) -> dict[str, int]:
    """Return the counts once no more than so many outcomes are missing."""
    while True:
        try:
            counts = await journal.counts()
        except JournalError:
            # The server is not quite there yet.
            await asyncio.sleep(0.05)
            continue
        if counts["unknown"] <= unknown:
            return counts
        await asyncio.sleep(0.05)


async def test_a_crash(place: str, own_server: PostgresServer) -> None:
    """What a run claimed or recorded survives the server, and nothing goes out twice."""

    def crash() -> None:
        own_server.crash()
        own_server.start()

    incident = _Incident(crash)
    wire = Wire(incident)
    people = different_texts(300)
    journal = await asyncio.to_thread(Journal.open, place, campaign="june")
    await run_over(posting(wire), people, journal=journal, concurrency=5)
    counts = await _counts(journal, 0)
    assert len(wire.requests) == counts["accepted"]
    # Where the server was away for more than ten seconds, the run has halted before its end.
    outcomes = await run_over(posting(wire), people, journal=journal, concurrency=5)
    await asyncio.to_thread(journal.close)
    assert {"accepted"} == {outcome.state for outcome in outcomes}
    assert [message.to for message in people] == sorted(sent_to(wire))


async def test_a_server_that_becomes_read_only(place: str, own_server: PostgresServer) -> None:
    """A run stops before the next text and says why; what was sent is recorded when it can be."""
    incident = _Incident(lambda: _set_read_only(own_server, "on"), all_wait=True)
    wire = Wire(incident)
    people = different_texts(60)
    journal = await asyncio.to_thread(Journal.open, place, campaign="june")
    try:
        outcomes = await run_over(posting(wire), people, journal=journal, concurrency=5)
    finally:
        _set_read_only(own_server, "off")
    # Another run may have had those whose claim was refused.
    errors = [outcome.error for outcome in outcomes if not isinstance(outcome, Accepted)]
    assert {"accepted", "unknown"} == {outcome.state for outcome in outcomes}
    assert all("use the address of the primary server" in str(error) for error in errors)
    assert len(people) - len(errors) == len(wire.requests)
    counts = await _counts(journal, 0)
    assert len(wire.requests) == counts["accepted"]
    outcomes = await run_over(posting(wire), people, journal=journal, concurrency=5)
    await asyncio.to_thread(journal.close)
    assert {"accepted"} == {outcome.state for outcome in outcomes}
    assert [message.to for message in people] == sorted(sent_to(wire))
