"""Several openings of one file, as several processes have them: each key is one text."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import evolve
from support.core.fakes import NUMBER, Wire, prepared, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    numbers_of,
    posting,
    rows_in,
    run_over,
    sent_to,
    states_in,
    take,
)

from iprog_async import Journal, JournalError, OutcomeUnknownError
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import Row
from iprog_async._journal.sqlite import database
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async._journal.sqlite.write_queue import LoopQueue
from iprog_async._journal.store import ClaimLostError
from iprog_async.testing import InstantClock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


class _HeldUp:
    """A gateway that answers once it may."""

    def __init__(self, reply: httpx.Response = ACCEPTED) -> None:
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()
        self._reply = reply

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.arrived.set()
        await self.may_answer.wait()
        return self._reply


async def test_whoever_comes_second_gets_the_receipt_of_the_first(path: Path) -> None:
    """Two that ask for one key at the same time are one text, and both have its receipt."""
    gateway = _HeldUp()
    wire, other = Wire(gateway), Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        first = asyncio.create_task(posting(wire, one).send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        second = asyncio.create_task(posting(other, two).send(NUMBER, "Hi", key="a"))
        # It has looked, and waits.
        await two.counts()
        gateway.may_answer.set()
        assert await first == await second
    assert (1, 0) == (len(wire.requests), len(other.requests))


@pytest.mark.parametrize(
    ("reply", "told"), [(BROKEN, OutcomeUnknownError), (BUSY, None)], ids=["unknown", "refused"]
)
async def test_what_the_second_does_after_the_end_of_the_first(
    reply: httpx.Response, told: type[Exception] | None, path: Path
) -> None:
    """An unknown outcome is both callers'; what was refused for now is sent by the second."""
    gateway = _HeldUp(reply)
    other = Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        first = asyncio.create_task(posting(Wire(gateway), one).send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        second = asyncio.create_task(posting(other, two).send(NUMBER, "Hi", key="a"))
        await two.counts()
        gateway.may_answer.set()
        ended = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(ended[0], Exception)
    assert (told or type(ended[1])) is type(ended[1])
    assert (0 if told else 1) == len(other.requests)


async def test_many_of_many(path: Path) -> None:
    """Of four openings that send the same hundred keys at once each key is one text."""
    texts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        texts.extend(numbers_of(request))
        return ACCEPTED

    journals = [Journal.open(path) for _ in range(4)]
    sends = [
        posting(wire, journal).send(message.to, "Hi", key="a")
        for journal in journals
        for wire in [Wire(answer)]
        for message in to_many(100)
    ]
    receipts = await asyncio.gather(*sends)
    for journal in journals:
        journal.close()
    assert [message.to for message in to_many(100)] == sorted(texts)
    assert receipts[:100] * 4 == receipts
    assert ["accepted"] * 100 == states_in(path)


async def test_one_that_is_gone_leaves_an_unknown(path: Path) -> None:
    """Where nobody is at a claim any more, who asks is told so at once, and nothing is sent."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as two:
        with Journal.open(path) as one:
            await take(Ledger(one).claim([prepared(key="a")]))
        with pytest.raises(OutcomeUnknownError):
            await posting(wire, two).send(NUMBER, "Hi", key="a")
    assert [] == wire.requests


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


async def test_a_stopped_one_overwrites_nothing(path: Path) -> None:
    """Once another was told to send a text again, who claimed it first changes nothing about it."""
    gateway = _HeldUp()
    with Journal.open(path) as one, _patient(path, InstantClock(), resend_unknown=True) as two:
        stopped = asyncio.create_task(posting(Wire(gateway), one).send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        wire = Wire(httpx.Response(200, json={"id": "the second"}))
        again = await posting(wire, two).send(NUMBER, "Hi", key="a")
        gateway.may_answer.set()
        first = await stopped
        assert again == await posting(Wire(BROKEN), one).send(NUMBER, "Hi", key="a")
    # What it was told is true all the same.
    assert ("the second", 1) == (again.message_id, len(wire.requests))
    assert again.message_id != first.message_id


async def test_two_are_told_to_send_an_unknown_again(path: Path) -> None:
    """Of several that send an unknown outcome again one does."""
    with Journal.open(path) as journal, pytest.raises(OutcomeUnknownError):
        await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="a")
    wires = [Wire(ACCEPTED) for _ in range(3)]
    journals = [Journal.open(path, resend_unknown=True) for _ in wires]
    receipts = await asyncio.gather(
        *(
            posting(wire, journal).send(NUMBER, "Hi", key="a")
            for wire, journal in zip(wires, journals, strict=True)
        )
    )
    for journal in journals:
        journal.close()
    assert 1 == sum(len(wire.requests) for wire in wires)
    assert [receipts[0]] * 3 == receipts


async def test_rows_of_several_have_numbers_of_their_own(path: Path) -> None:
    """Single sends and runs of several openings, in any order, are all on record."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        for round_ in range(3):
            for name, journal in (("one", one), ("two", two)):
                await posting(wire, journal).send(NUMBER, "Hi", key=f"{name} {round_}")
                people = [evolve(m, text=f"{name} {round_}", key=m.to) for m in to_many(5)[:3]]
                await run_over(posting(wire, journal), people, journal=journal)
    rows = rows_in(path, "id, state")
    assert 6 + 3 == len(rows) == len({row_id for row_id, _ in rows})
    assert {"accepted"} == {state for _, state in rows}


@pytest.mark.parametrize("few", [10_000, 0], ids=["through the rows", "by the index"])
async def test_a_run_knows_what_others_sent_before_it(
    few: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run sends nobody what a run of another opening has sent, whoever opened the file first."""
    monkeypatch.setattr("iprog_async._journal.sqlite.run_start._FEW_ROWS", few)
    wires = [Wire(ACCEPTED) for _ in range(4)]
    with Journal.open(path) as one, Journal.open(path) as two:
        for journal, wire, count in zip((two, one, two, one), wires, (4, 8, 8, 12), strict=True):
            await run_over(posting(wire), to_many(count), journal=journal)
    everybody = [message.to for message in to_many(12)]
    assert [everybody[:4], everybody[4:8], [], everybody[8:]] == [sent_to(wire) for wire in wires]


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


class _EndingClock(InstantClock):
    """Does something while somebody waits."""

    def __init__(self, after: float, end: Callable[[], None]) -> None:
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
        clock = _EndingClock(20, one.end_run)
        with _patient(path, clock) as two:
            assert 2 == await two.begin_run()
            assert 20 <= clock.monotonic() < 21
            two.end_run()
        await one.begin_run()
        in_vain = InstantClock()
        with (
            _patient(path, in_vain) as two,
            pytest.raises(JournalError, match="in use by a run of another process"),
        ):
            await two.begin_run()
        assert 30 <= in_vain.monotonic() < 31


async def test_a_run_beside_a_single_send_of_its_key(path: Path) -> None:
    """What another opening is sending at this moment is not sent, and has the outcome it gets."""
    gateway, wire = _HeldUp(), Wire(ACCEPTED)
    people = [evolve(message, key="a") for message in to_many(4)]
    with Journal.open(path) as one, Journal.open(path) as two:
        single = asyncio.create_task(posting(Wire(gateway), one).send(people[2].to, "Hi", key="a"))
        await gateway.arrived.wait()
        running = asyncio.create_task(run_over(posting(wire), people, journal=two))
        await two.counts()
        gateway.may_answer.set()
        await single
        assert ["accepted"] * 4 == [outcome.state for outcome in await running]
    assert sorted(m.to for m in people if m is not people[2]) == sorted(sent_to(wire))


@pytest.mark.usefixtures("whole_batches")
async def test_a_claim_that_is_lost_costs_the_others_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else takes one of a request's texts, all the others go, each once."""
    people = [evolve(message, key="a") for message in to_many(8)]
    wire, other = Wire(ACCEPTED), Wire(ACCEPTED)
    real = LoopQueue.claim
    with Journal.open(path) as one, Journal.open(path) as two:
        claims: list[Sequence[Row]] = []

        def claim(queue: LoopQueue, rows: Sequence[Row]) -> asyncio.Future[Any]:
            claims.append(rows)
            if len(claims) > 1:
                return real(queue, rows)

            async def late() -> Any:
                await posting(other, two).send(people[5].to, "Hi", key="a")
                return await real(queue, rows)

            return asyncio.ensure_future(late())

        monkeypatch.setattr(LoopQueue, "claim", claim)
        client = posting(wire)
        outcomes = await run_over(client, people, journal=one, concurrency=1)
    lost = outcomes.pop(5)
    assert isinstance(lost.error, ClaimLostError)  # type: ignore[union-attr]
    assert (False, True) == (lost.error.may_have_been_sent, lost.error.healable)  # type: ignore[union-attr]
    assert {"accepted"} == {outcome.state for outcome in outcomes}
    assert [m.to for m in people if m is not people[5]] == sorted(sent_to(wire))
    assert ["accepted"] * 8 == states_in(path)


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
            with pytest.raises(JournalError, match="database is locked"):
                await client.send(NUMBER, "Hi", key="a")
            other.execute("ROLLBACK")
        await client.send(NUMBER, "Hi", key="a")
    assert 1 == len(wire.requests)
