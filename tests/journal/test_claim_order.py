"""What the file says at each moment of a request, read by somebody else."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import httpx
import pytest
from support.core.fakes import NUMBER, Wire, prepared, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    SLOW_DOWN,
    Place,
    posting,
    rows_in,
    run_over,
    sqlite_store,
    states_in,
    take,
)
from support.outbox.looking import until

from iprog_async import Journal, JournalError, NotSent, RetryPolicy, SmsClient
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.single_ledger import SingleLedger
from iprog_async._sending.submit import submit
from iprog_async.testing import InstantClock


class _LookingClock(InstantClock):
    """Reads the file whenever somebody waits."""

    def __init__(self, path: Place) -> None:
        super().__init__()
        self.states: list[list[str]] = []
        self._path = path

    async def sleep(self, seconds: float) -> None:
        """Look once the file shows that nothing is on its way."""
        await until(lambda: states_in(self._path) == ["released"])
        self.states.append(states_in(self._path))
        await super().sleep(seconds)


async def test_a_message_is_claimed_when_its_request_arrives(path: Place) -> None:
    """At the moment the gateway sees a request, the file has its message as claimed."""
    seen: list[tuple[str, str | None, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(rows_in(path)[-1])
        return ACCEPTED

    with Journal.open(path) as journal:
        await run_over(posting(Wire(answer)), to_many(3), journal=journal, concurrency=1)
        assert [(message.to, None, "claimed") for message in to_many(3)] == seen
        assert ["accepted"] * 3 == states_in(path)


async def test_a_keyed_message_is_claimed_when_its_request_arrives(path: Place) -> None:
    """A single send with a key is on record before it leaves, just as one of a run."""
    seen: list[tuple[str, str | None, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.extend(rows_in(path))
        return ACCEPTED

    with Journal.open(path) as journal:
        await posting(Wire(answer), journal).send(NUMBER, "Hi", key="a")
    assert [(NUMBER, "a", "claimed")] == seen


async def test_a_reader_sees_an_outcome_only_once_it_is_on_record(path: Place) -> None:
    """What is handed out as accepted is accepted in the file, at that moment."""
    with Journal.open(path) as journal:
        client = posting(Wire(ACCEPTED))
        async with client.send_many(to_many(5), journal=journal) as run:
            async for outcome in run:
                states = dict(rows_in(path, "number, state"))
                assert "accepted" == states[outcome.message.to]


@pytest.mark.parametrize(
    "first",
    [SLOW_DOWN, httpx.ConnectError("refused"), httpx.ConnectTimeout("late")],
    ids=["rate limit", "refused connection", "connection timeout"],
)
async def test_a_claim_is_released_before_a_wait(
    first: httpx.Response | Exception, path: Place
) -> None:
    """A process killed during a back-off or a pause leaves nothing in doubt."""
    clock = _LookingClock(path)
    wire = Wire(first, ACCEPTED)
    wire.pool.clock = clock
    with Journal.open(path) as journal:
        outcomes = await run_over(posting(wire), to_many(1), journal=journal)
    assert ["accepted"] == [outcome.state for outcome in outcomes]
    assert [["released"]] == clock.states[:1]
    assert ["accepted"] == states_in(path)


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (ACCEPTED, "accepted"),
        (REFUSED, "not_sent"),
        (BUSY, "not_sent"),
        (BROKEN, "unknown"),
        (httpx.ReadError("reset"), "unknown"),
        (httpx.ConnectError("refused"), "not_sent"),
    ],
)
async def test_the_end_of_a_request_is_on_record(
    reply: httpx.Response | Exception, state: str, path: Place
) -> None:
    """Each outcome has its state in the file."""
    with Journal.open(path) as journal:
        client = posting(Wire(reply), retry=RetryPolicy(attempts=1))
        await run_over(client, to_many(1), journal=journal)
    assert [state] == states_in(path)


async def test_a_request_that_is_cut_off_stays_claimed(path: Place) -> None:
    """What was on its way when a run was closed is unknown afterwards."""
    arrived = asyncio.Event()

    async def silence(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await asyncio.Event().wait()
        return ACCEPTED

    with Journal.open(path) as journal:
        client = posting(Wire(silence))
        async with client.send_many(to_many(1), journal=journal) as run:
            await arrived.wait()
        assert (1, 0) == (len(run.abandoned), run.in_flight)
        assert 1 == (await journal.counts())["unknown"]
    assert ["claimed"] == states_in(path)


async def test_a_message_that_is_cancelled_in_the_queue_is_not_in_doubt(path: Place) -> None:
    """A message that never had a connection is not in the file as unknown."""
    arrived = asyncio.Event()

    async def silence(request: httpx.Request) -> httpx.Response:
        arrived.set()
        await asyncio.Event().wait()
        return ACCEPTED

    wire = Wire(silence)
    wire.pool.slots = type(wire.pool.slots)(1)
    with Journal.open(path) as journal:
        async with posting(wire).send_many(to_many(4), journal=journal):
            await arrived.wait()
            await asyncio.sleep(0)
        assert 1 == (await journal.counts())["unknown"]
    assert ["claimed"] == states_in(path)


async def test_a_claim_that_cannot_be_written_sends_nothing(tmp_path: Path) -> None:
    """Where the disk takes no claim, no request leaves, and the outcome says not sent."""
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        sqlite_store(journal)._intake.failure = JournalError("full disk")  # pyright: ignore[reportPrivateUsage] - stands for a disk
        outcomes = await run_over(posting(wire), to_many(3), journal=journal)
    assert [] == wire.requests
    assert ["not_sent"] * 3 == [outcome.state for outcome in outcomes]


async def test_an_account_halts_on_an_unwritable_claim(path: Place) -> None:
    """The outcome of the message that met the disk names the journal as its cause."""
    with Journal.open(path) as journal:
        ledger = Ledger(journal)
        message = prepared()
        to_send, _ = await ledger.admit([message])
        journal.close()
        client = posting(Wire(ACCEPTED))
        (outcome,) = await submit(client.provider, to_send, ledger.claim(to_send))
        assert isinstance(outcome, NotSent)
        assert isinstance(outcome.error, JournalError)


async def test_a_claim_of_two_requests_waits_for_both(path: Place) -> None:
    """While one of two requests is on its way, the other's release changes nothing."""
    with Journal.open(path) as journal:
        claim = Ledger(journal).claim([prepared()])
        await take(claim)
        await take(claim)
        claim.release()
        await journal.counts()
        assert ["claimed"] == states_in(path)
        claim.release()
        await journal.counts()
        assert ["released"] == states_in(path)


@pytest.mark.parametrize("held", [True, False])
async def test_a_claim_that_is_held_is_not_released(held: bool, path: Place) -> None:
    """Once a request may have left, a later one that did not changes nothing."""
    with Journal.open(path) as journal:
        claim = Ledger(journal).claim([prepared()])
        await take(claim)
        if held:
            claim.hold()
        claim.release()
        await journal.counts()
        assert ["claimed" if held else "released"] == states_in(path)


async def test_a_part_of_a_claim_has_its_own_rows(path: Place) -> None:
    """Giving back a part leaves the others on their way."""
    with Journal.open(path) as journal:
        batch = [prepared(index, message.to) for index, message in enumerate(to_many(3))]
        claim: RowsClaim = Ledger(journal).claim(batch)
        await take(claim)
        claim.part([0, 2]).give_back()
        await journal.counts()
        assert ["released", "claimed", "released"] == states_in(path)


async def test_a_keyless_single_send_leaves_no_row(path: Place) -> None:
    """A journal on the client is for sends with a key; others are none of its business."""
    with Journal.open(path) as journal:
        client: SmsClient[object] = posting(Wire(ACCEPTED), journal)  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments] - any provider
        await client.send(NUMBER, "Hi")
        assert [] == [entry async for entry in journal.entries()]


async def test_a_stranger_may_read_the_file_meanwhile(tmp_path: Path) -> None:
    """Reading the file from outside holds up no claim."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        import sqlite3

        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM entries").fetchone()
            outcomes = await run_over(posting(Wire(ACCEPTED)), to_many(2), journal=journal)
            assert ["accepted"] * 2 == [outcome.state for outcome in outcomes]


@pytest.mark.parametrize("by_part", [False, True])
async def test_what_is_on_its_way_is_not_given_back(path: Place, by_part: bool) -> None:
    """A claim that was taken, whole or in part, stays when the patience with idle ones is over."""
    with Journal.open(path) as journal:
        ledger = SingleLedger(journal)
        message = prepared(key="a")
        assert await ledger.admit_single(message) is None
        claim = ledger.claim([message])
        await take(claim.part([0]) if by_part else claim)
        claim.give_back_if_unused()
        assert 1 == (await journal.counts())["unknown"]
        assert ["claimed"] == states_in(path)


async def test_what_waits_for_its_turn_is_given_back(path: Place) -> None:
    """A process killed while a text waits for the rate leaves nothing in doubt."""
    with Journal.open(path) as journal:
        ledger = SingleLedger(journal)
        message = prepared(key="a")
        assert await ledger.admit_single(message) is None
        claim = ledger.claim([message])
        assert ["claimed"] == states_in(path)
        claim.give_back_if_unused()
        assert 1 == (await journal.counts())["waiting"]
        await take(claim)
        assert ["claimed"] == states_in(path)
