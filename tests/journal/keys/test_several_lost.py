"""A run's batch of which somebody else had several texts when its turn came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from support.core.fakes import Wire
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    WRONG_TOKEN,
    Place,
    PostingProvider,
    failing_later,
    posting,
    rows_in,
    run_over,
    sent_to,
)
from support.not_after import kinds

from iprog_async import (
    BulkRun,
    Journal,
    Message,
    RunHaltedError,
    SmsClient,
    Unknown,
)
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._journal.rows import Row
from iprog_async._journal.store import ClaimLostError
from iprog_async.adapter import Batching


FIRST, *FOUR = "+639180000001", *(f"+63917000{number:04}" for number in range(4))
MESSAGES = [Message(FIRST, "Hello"), *(Message(number, "Hi") for number in FOUR)]
_NEVER = 20
"""Seconds that end a test which would wait for ever."""

Answer = Callable[[httpx.Request], Awaitable[httpx.Response]]

pytestmark = pytest.mark.usefixtures("whole_batches")


def batching(wire: Wire) -> SmsClient[Any]:
    """Return a client whose gateway takes several texts in one request."""
    return SmsClient(PostingProvider(limits=Batching(max_batch=10)), pool=wire.pool)


def taking(other: Journal, *taken: str) -> Answer:
    """Return an answer to the first text, while somebody else sends to the others."""

    async def happen(_: httpx.Request) -> httpx.Response:
        client = posting(Wire(ACCEPTED), other)
        await asyncio.gather(*(client.send(number, "Hi", key="order-1") for number in taken))
        return ACCEPTED

    return happen


@asynccontextmanager
async def holding(other: Journal, go_on: asyncio.Event) -> AsyncGenerator[Answer]:
    """Give an answer to the first text while others are at the gateway with all four, till then."""
    arrived = asyncio.Semaphore(0)

    async def take_long(_: httpx.Request) -> httpx.Response:
        arrived.release()
        await go_on.wait()
        return ACCEPTED

    async with posting(Wire(take_long), other) as client, asyncio.TaskGroup() as theirs:

        async def happen(_: httpx.Request) -> httpx.Response:
            for number in FOUR:
                theirs.create_task(client.send(number, "Hi", key="order-1"))
            for _number in FOUR:
                await arrived.acquire()
            return ACCEPTED

        yield happen


async def test_an_unknown_outcome_leaves_nobody_with_the_claim_that_another_lost(
    path: Place,
) -> None:
    """The batch was lost for one person; what the journal has of each other one is looked up."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        wire = Wire(taking(other, FOUR[0], FOUR[3]), BROKEN, ACCEPTED)
        outcomes = await run_over(batching(wire), MESSAGES, journal=journal, concurrency=1)

    conflict = "JournalConflictError"
    assert ["accepted", conflict, "unknown", "accepted", conflict] == kinds(outcomes)
    assert [FIRST, FOUR[1], FOUR[2]] == sent_to(wire)
    assert not any(FOUR[0] in detail for (detail,) in rows_in(path, "detail"))


async def test_what_is_sent_again_leaves_though_another_of_its_batch_was_lost(path: Place) -> None:
    """Given back with the batch, its row is this run's, and as unknown as it was before."""
    with Journal.open(path) as journal:
        await run_over(posting(Wire(BROKEN)), [Message(FOUR[3], "Hi")], journal=journal)
    with Journal.open(path, resend_unknown=True) as journal, Journal.open(path) as other:
        wire = Wire(taking(other, FOUR[0]), BROKEN, ACCEPTED)
        outcomes = await run_over(batching(wire), MESSAGES, journal=journal, concurrency=1)

    conflict = "JournalConflictError"
    assert ["accepted", conflict, "unknown", "accepted", "accepted"] == kinds(outcomes)
    assert [FIRST, FOUR[1], FOUR[2], FOUR[3]] == sent_to(wire)


async def test_a_stop_leaves_nobody_with_the_claim_that_another_lost(path: Place) -> None:
    """What others had is told as the journal has it, and who else had not left waits."""
    with Journal.open(path) as journal, Journal.open(path) as other:

        async def stop(_: httpx.Request) -> httpx.Response:
            sending.stop()
            return ACCEPTED

        wire = Wire(taking(other, FOUR[0], FOUR[3]), stop, ACCEPTED)
        client = batching(wire)
        async with client.send_many(MESSAGES, journal=journal, concurrency=1) as sending:
            ended = [outcome async for outcome in sending]
        assert not any(FOUR[0] in detail for (detail,) in rows_in(path, "detail"))
        outcomes = await run_over(client, MESSAGES, journal=journal)
    conflict = "JournalConflictError"
    told = dict(zip((outcome.message.to for outcome in ended), kinds(ended), strict=True))
    assert {FIRST: "accepted", FOUR[0]: conflict, FOUR[1]: "accepted", FOUR[3]: conflict} == told
    assert ["accepted", conflict, "accepted", "accepted", conflict] == kinds(outcomes)
    assert [FIRST, FOUR[1], FOUR[2]] == sent_to(wire)


async def test_where_the_journal_can_not_be_asked_each_is_told_its_own_loss(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who only travelled with a text that somebody else had is sent, or told of the own one."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        monkeypatch.setattr(journal.store, "look_up", failing_later(journal))
        wire = Wire(taking(other, FOUR[0], FOUR[3]), BROKEN, ACCEPTED)
        outcomes = await run_over(batching(wire), MESSAGES, journal=journal, concurrency=1)

    lost = [
        (outcome.message.to, outcome.error.not_resent.number)
        for outcome in outcomes
        if isinstance(outcome, Unknown) and isinstance(outcome.error.not_resent, ClaimLostError)
    ]
    assert [(FOUR[0], FOUR[0]), (FOUR[3], FOUR[3])] == lost
    assert [FIRST, FOUR[1], FOUR[2]] == sent_to(wire)


async def test_a_receipt_that_can_not_be_read_is_one_persons_trouble(postgres_journal: str) -> None:
    """Who travelled with it is sent, and the run goes on."""
    address = PostgresAddress.parse(postgres_journal)
    with Journal.open(postgres_journal) as journal, Journal.open(postgres_journal) as other:

        async def happen(_: httpx.Request) -> httpx.Response:
            await posting(Wire(ACCEPTED), other).send(FOUR[0], "Hi", key="a")
            with connect(address) as connection:
                run(connection, f"UPDATE {address.schema}.entries SET detail = '[]'")  # noqa: S608 - ours
            return ACCEPTED

        wire = Wire(happen, ACCEPTED)
        people = [MESSAGES[0], *(Message(number, "Hi", key="a") for number in FOUR)]
        outcomes = await run_over(batching(wire), people, journal=journal, concurrency=1)

    assert ["accepted", "unknown", *["accepted"] * 3] == kinds(outcomes)
    assert [FIRST, *FOUR[1:]] == sent_to(wire)


async def test_others_are_waited_for_at_the_same_time(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may take a minute; a batch waits for the slowest of them, and not for their sum."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        all_wait, go_on = asyncio.Barrier(len(FOUR)), asyncio.Event()
        wait_for_end = journal.store.wait_for_end

        async def wait_together(row: Row, *how: Any) -> Row:
            await all_wait.wait()
            go_on.set()
            return await wait_for_end(row, *how)

        monkeypatch.setattr(journal.store, "wait_for_end", wait_together)
        async with holding(other, go_on) as happen, asyncio.timeout(_NEVER):
            wire = Wire(happen, ACCEPTED)
            outcomes = await run_over(batching(wire), MESSAGES, journal=journal, concurrency=1)

    assert ["accepted"] + ["JournalConflictError"] * 4 == kinds(outcomes)
    assert [FIRST] == sent_to(wire)


@pytest.mark.parametrize("before", [False, True], ids=["at its turn", "as it is read"])
@pytest.mark.parametrize("count", [1, 4])
async def test_nobody_is_waited_for_once_the_run_is_stopped(
    count: int, before: bool, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others are sending is told by the next run; this one ends with what has left."""
    messages = MESSAGES[: 1 + count]
    runs: list[BulkRun] = []
    with Journal.open(path) as journal, Journal.open(path) as other:
        go_on = asyncio.Event()

        async def wait_for_ever(*_: object) -> Row:
            runs[0].stop()
            return await asyncio.Future()

        with monkeypatch.context() as patch:
            patch.setattr(journal.store, "wait_for_end", wait_for_ever)
            async with holding(other, go_on) as happen, asyncio.timeout(_NEVER):
                wire = Wire(ACCEPTED if before else happen, ACCEPTED)
                if before:
                    await happen(httpx.Request("POST", "http://gateway.test"))
                client = batching(wire)
                async with client.send_many(messages, journal=journal, concurrency=1) as sending:
                    runs.append(sending)
                    told = [outcome.message.to async for outcome in sending]
                go_on.set()
        outcomes = await run_over(client, messages, journal=journal)

    assert (told, [FIRST]) == ([] if before else [FIRST], sent_to(wire))
    assert ["accepted"] + ["JournalConflictError"] * count == kinds(outcomes)


async def test_what_others_are_sending_as_the_run_halts_is_unknown(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It certainly did not leave from here, and may have left from there."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        waits, go_on = asyncio.Event(), asyncio.Event()

        async def wait_for_ever(*_: object) -> Row:
            waits.set()
            return await asyncio.Future()

        async def refuse(_: httpx.Request) -> httpx.Response:
            await waits.wait()
            return WRONG_TOKEN

        monkeypatch.setattr(journal.store, "wait_for_end", wait_for_ever)
        async with holding(other, go_on) as happen, asyncio.timeout(_NEVER):
            await happen(httpx.Request("POST", "http://gateway.test"))
            client = posting(Wire(refuse))
            messages = MESSAGES[:2]
            outcomes = await run_over(client, messages, journal=journal, concurrency=1, window=1)
            go_on.set()

    (_, unknown) = outcomes
    assert ["AuthenticationError", "unknown"] == kinds(outcomes)
    assert isinstance(unknown, Unknown)
    # A fleet's other workers take it up again.
    assert isinstance(unknown.error.not_resent, RunHaltedError)
