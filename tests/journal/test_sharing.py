"""Several openings of one journal, as several processes have them: each key is one text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from attrs import evolve
from support.core.fakes import NUMBER, Wire, prepared, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    SLOW_DOWN,
    Place,
    numbers_of,
    posting,
    rows_in,
    run_over,
    sent_to,
    states_in,
    take,
)

from iprog_async import Journal, Message, OutcomeUnknownError
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.postgres import store as store_module
from iprog_async._journal.postgres.address import is_address
from iprog_async._journal.postgres.looks import Look
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import Row
from iprog_async._journal.sqlite.store import SqliteStore
from iprog_async._journal.store import StoreQueue
from iprog_async.testing import InstantClock


@pytest.fixture
def impatient(path: Place, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Journal]:
    """Return what opens the journal, and waits in no real time for what others are sending."""
    monkeypatch.setattr(store_module, "_SECONDS_UNTIL_GONE", 0.0)
    monkeypatch.setattr(store_module, "_SECONDS_TO_WAIT", 0.0)

    def opened(*, resend_unknown: bool = False) -> Journal:
        if is_address(path):
            return Journal.open(path, resend_unknown=resend_unknown)
        store = SqliteStore(str(path), None, clock=InstantClock())
        return Journal(store, ResumeRules(resend_unknown=resend_unknown))

    return opened


class _HeldUp:
    """A gateway that answers once it may.

    Args:
        reply: What it answers.
        people: How many have to be in its requests until they count as arrived.
    """

    def __init__(self, reply: httpx.Response = ACCEPTED, people: int = 1) -> None:
        self.arrived = asyncio.Event()
        self.may_answer = asyncio.Event()
        self._reply = reply
        self._missing = people

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self._missing -= len(numbers_of(request))
        if self._missing <= 0:
            self.arrived.set()
        await self.may_answer.wait()
        return self._reply


async def test_whoever_comes_second_gets_the_receipt_of_the_first(path: Place) -> None:
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
    reply: httpx.Response, told: type[Exception] | None, path: Place
) -> None:
    """An unknown outcome is both callers'; what was refused for now is sent by the second.

    Then the first is refused, or has the second's receipt, if that had it on record by then.
    """
    gateway = _HeldUp(reply)
    other = Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        first = asyncio.create_task(posting(Wire(gateway), one).send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        second = asyncio.create_task(posting(other, two).send(NUMBER, "Hi", key="a"))
        await two.counts()
        gateway.may_answer.set()
        ended = await asyncio.gather(first, second, return_exceptions=True)
    assert isinstance(ended[0], Exception) or ended[0] == ended[1]
    assert (told or type(ended[1])) is type(ended[1])
    assert (0 if told else 1) == len(other.requests)


@pytest.mark.slow
async def test_many_of_many(path: Place) -> None:
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


async def test_one_that_is_gone_leaves_an_unknown(
    path: Place, impatient: Callable[..., Journal]
) -> None:
    """Where nobody is at a claim any more, who asks is told so at once, and nothing is sent."""
    wire = Wire(ACCEPTED)
    with impatient() as two:
        with Journal.open(path) as one:
            await take(Ledger(one).claim([prepared(key="a")]))
        with pytest.raises(OutcomeUnknownError):
            await posting(wire, two).send(NUMBER, "Hi", key="a")
    assert [] == wire.requests


@pytest.mark.parametrize("key", [None, "a"])
async def test_what_a_killed_one_left_is_sent_again_also_if_it_has_to_wait_first(
    key: str | None, path: Place, impatient: Callable[..., Journal]
) -> None:
    """A claim of it that is given back, and made again, finds it as unknown as it left it."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    wire.pool.clock = InstantClock()
    with Journal.open(path) as killed:
        ledger = await Ledger.of_run(killed)
        await take(ledger.claim([prepared(key=key)]))
        ledger.end()
    with impatient(resend_unknown=True) as journal:
        (outcome,) = await run_over(
            posting(wire), [Message(NUMBER, "Hi", key=key)], journal=journal
        )
    assert ("accepted", 2, ["accepted"]) == (outcome.state, len(wire.requests), states_in(path))


@pytest.mark.parametrize("told", ["the journal", "the send"])
async def test_a_stopped_one_overwrites_nothing(
    told: str, path: Place, impatient: Callable[..., Journal]
) -> None:
    """Once another was told to send a text again, who claimed it first changes nothing about it."""
    gateway = _HeldUp()
    resend = impatient(resend_unknown=told == "the journal")
    with Journal.open(path) as one, resend as two:
        stopped = asyncio.create_task(posting(Wire(gateway), one).send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        wire = Wire(httpx.Response(200, json={"id": "the second"}))
        again = await posting(wire, two).send(
            NUMBER, "Hi", key="a", on_unknown="resend" if told == "the send" else "raise"
        )
        gateway.may_answer.set()
        first = await stopped
        assert again == await posting(Wire(BROKEN), one).send(NUMBER, "Hi", key="a")
    # What it was told is true all the same.
    assert ("the second", 1) == (again.message_id, len(wire.requests))
    assert again.message_id != first.message_id


async def test_two_are_told_to_send_an_unknown_again(path: Place) -> None:
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


async def test_rows_of_several_have_numbers_of_their_own(path: Place) -> None:
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
    few: int, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run sends nobody what a run of another opening has sent, whoever opened the file first."""
    monkeypatch.setattr("iprog_async._journal.sqlite.run_start._FEW_ROWS", few)
    wires = [Wire(ACCEPTED) for _ in range(4)]
    with Journal.open(path) as one, Journal.open(path) as two:
        for journal, wire, count in zip((two, one, two, one), wires, (4, 8, 8, 12), strict=True):
            await run_over(posting(wire), to_many(count), journal=journal)
    everybody = [message.to for message in to_many(12)]
    assert [everybody[:4], everybody[4:8], [], everybody[8:]] == [sent_to(wire) for wire in wires]


async def test_a_run_beside_a_single_send_of_its_key(path: Place) -> None:
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


@pytest.mark.parametrize("resend_unknown", [False, True])
async def test_a_run_beside_another_run_of_its_messages(
    resend_unknown: bool, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another run is sending at this moment is waited for, with a key or without.

    Told to send again what is unknown, it sends none of it: nothing of this is unknown.
    """
    gateway, wire = _HeldUp(people=3), Wire(ACCEPTED)
    people = [evolve(m, key="a" if m.to.endswith("1") else None) for m in to_many(4)]
    one = Journal.open(postgres_journal)
    two = Journal.open(postgres_journal, resend_unknown=resend_unknown)
    look_up = two.store.look_up

    async def looked_up(*args: Any, **details: Any) -> Any:
        found = await look_up(*args, **details)
        gateway.may_answer.set()
        return found

    monkeypatch.setattr(two.store, "look_up", looked_up)
    with one, two:
        first = asyncio.create_task(run_over(posting(Wire(gateway)), people[:3], journal=one))
        await gateway.arrived.wait()
        second = await run_over(posting(wire), people, journal=two)
        assert await first == second[:3]
    assert [people[3].to] == sent_to(wire)


@pytest.mark.parametrize("key", ["a", None])
async def test_what_a_run_of_the_same_opening_left_is_not_waited_for(
    key: str | None, postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run left that was cancelled is unknown to the next one at once, in one process."""
    look = store_module.PostgresStore._look  # pyright: ignore[reportPrivateUsage] - what is counted
    looked_at: list[Row] = []

    async def look_once(store: store_module.PostgresStore, row: Row) -> Look | None:
        if looked_at:
            pytest.fail("nobody is at it")
        looked_at.append(row)
        return await look(store, row)

    monkeypatch.setattr(store_module.PostgresStore, "_look", look_once)
    with Journal.open(postgres_journal) as journal:
        ledger = await Ledger.of_run(journal)
        await take(ledger.claim([prepared(key=key)]))
        ledger.end()
        outcomes = await run_over(
            posting(Wire()), [Message(NUMBER, "Hi", key=key)], journal=journal
        )
    assert (["unknown"], 1) == ([outcome.state for outcome in outcomes], len(looked_at))


async def test_what_another_worker_of_the_run_left_is_not_waited_for(
    postgres_journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gets the share of a worker that is taken for dead has waited for that already."""

    async def look(*_: object) -> None:
        pytest.fail("it was waited for")

    monkeypatch.setattr(store_module.PostgresStore, "_look", look)
    with Journal.open(postgres_journal) as one, Journal.open(postgres_journal) as two:
        assert isinstance(two.store, store_module.PostgresStore)
        two.store.join_run()
        await take(Ledger(one, run=1, shared=True).claim([prepared()]))
        to_send, settled = await Ledger(two, run=1, shared=True).admit([prepared()])
    assert ([], ["unknown"]) == (to_send, [outcome.state for outcome in settled])


async def test_what_decides_nothing_is_not_waited_for(path: Place) -> None:
    """Another text with a key that is on its way to a number keeps no message with a key back."""
    gateway, wire = _HeldUp(), Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        first = asyncio.create_task(posting(Wire(gateway), one).send(NUMBER, "Hi", key="a"))
        await gateway.arrived.wait()
        other = [Message(NUMBER, "Your order", key="b"), Message(NUMBER, "News")]
        outcomes = await run_over(posting(wire), other, journal=two)
        gateway.may_answer.set()
        await first
    assert ["accepted"] * 2 == [outcome.state for outcome in outcomes]


@pytest.mark.usefixtures("whole_batches")
async def test_a_claim_that_is_lost_costs_the_others_nothing(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else sends one of a request's texts, all the others go, each once."""
    people = [evolve(message, key="a") for message in to_many(8)]
    wire, other = Wire(ACCEPTED), Wire(ACCEPTED)
    with Journal.open(path) as one, Journal.open(path) as two:
        queues: Any = type(one.store.of_loop())
        real: Callable[..., asyncio.Future[Any]] = queues.claim
        claims: list[Sequence[Row]] = []

        def claim(
            queue: StoreQueue, rows: Sequence[Row], rules: ResumeRules
        ) -> asyncio.Future[Any]:
            claims.append(rows)
            if len(claims) > 1:
                return real(queue, rows, rules)

            async def late() -> Any:
                await posting(other, two).send(people[5].to, "Hi", key="a")
                return await real(queue, rows, rules)

            return asyncio.ensure_future(late())

        monkeypatch.setattr(queues, "claim", claim)
        client = posting(wire)
        outcomes = await run_over(client, people, journal=one, concurrency=1)
    assert ["accepted"] * 8 == [outcome.state for outcome in outcomes]
    assert [m.to for m in people if m is not people[5]] == sorted(sent_to(wire))
    assert ["accepted"] * 8 == states_in(path)
