"""What others send while a row of a run waits for its turn, after the journal was looked up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from attrs import frozen
from support.core.fakes import Wire, prepared
from support.journal.journaling import (
    ACCEPTED,
    BUSY,
    Place,
    failing_later,
    posting,
    run_over,
    sent_to,
    states_in,
    take,
)

from iprog_async import (
    Accepted,
    Journal,
    JournalConflictError,
    Message,
    NotSent,
    Outcome,
    Receipt,
    RejectedError,
    Unknown,
)
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.rows import Row
from iprog_async._journal.store import ClaimLostError


FIRST, ANA, BEN = "+639170000001", "+639170000002", "+639180000003"
_NEVER = 20
"""Seconds that end a test which would wait for ever."""


@frozen
class Meanwhile:
    """Something that happens to Ana while her row waits.

    Args:
        text: What she is sent.
        key: With which key.
        ours: The key of the row that waits with the text "Hi".
        run: Whether a run sends it; else it is a single send.
        by_us: Whether that goes through the very journal that the run has.
        refused: Whether the gateway refuses it for now.
        settings: How both runs are made.
        opening: How the journal is opened.
        expected: What the waiting row comes to.
    """

    text: str = "Hi"
    key: str | None = "order-1"
    ours: str | None = None
    run: bool = False
    by_us: bool = False
    refused: bool = False
    settings: Mapping[str, Any] = MappingProxyType({})
    opening: Mapping[str, Any] = MappingProxyType({})
    expected: str = "conflict"


SINGLES = {
    "the same text": Meanwhile(),
    "the same text, by us": Meanwhile(by_us=True),
    "the same text, allowed": Meanwhile(opening={"allow_changed_text": True}, expected="sent"),
    "the same text, refused": Meanwhile(refused=True, expected="sent"),
    "another text": Meanwhile("Thanks!", expected="sent"),
    "the same key": Meanwhile("Thanks!", ours="order-1", expected="has it"),
    "the key of the run": Meanwhile("Thanks!", ours="order-1", by_us=True, expected="sent"),
    "another key": Meanwhile(ours="order-2", expected="sent"),
}
RUNS = {
    "the text corrected": Meanwhile("Hello", None, run=True),
    "the same text": Meanwhile(key=None, run=True, expected="has it"),
    "a key given": Meanwhile(run=True),
    "a key left out": Meanwhile(key=None, ours="a", run=True),
    "two orders": Meanwhile(ours="order-2", run=True, expected="sent"),
    "one for each number": Meanwhile(ours="order-2", run=True, settings={"one_per_number": True}),
    "all allowed": Meanwhile(
        "Hello", None, run=True, opening={"allow_changed_text": True}, expected="sent"
    ),
    "refused": Meanwhile("Hello", None, run=True, refused=True, expected="sent"),
}


def told(outcome: Outcome, at_the_gateway: int) -> str:
    """Return in a word what the waiting row came to."""
    if isinstance(outcome, NotSent):
        return "conflict" if isinstance(outcome.error, JournalConflictError) else "not sent"
    assert isinstance(outcome, Accepted)
    return "sent" if at_the_gateway else "has it"


async def run_while(case: Meanwhile, journal: Journal, other: Journal) -> tuple[str, str]:
    """Return what a row comes to that waits while others send, and in a second run."""
    theirs, ours = Wire(BUSY if case.refused else ACCEPTED), Wire(ACCEPTED)

    async def happen(_: httpx.Request) -> httpx.Response:
        message = Message(ANA, case.text, key=case.key)
        client = posting(theirs, None if case.run else other)
        if case.run:
            await run_over(client, [message], journal=other, **case.settings)
        else:
            await asyncio.gather(client.send(ANA, case.text, key=case.key), return_exceptions=True)
        return ACCEPTED

    first: list[Callable[[httpx.Request], Awaitable[httpx.Response]] | httpx.Response] = [
        happen,
        ACCEPTED,
    ]
    wire = Wire(*first)
    people = [Message(FIRST, "Hello first"), Message(ANA, "Hi", key=case.ours)]
    _, outcome = await run_over(
        posting(wire), people, journal=journal, concurrency=1, **case.settings
    )
    once = told(outcome, sent_to(wire).count(ANA))
    _, outcome = await run_over(posting(ours), people, journal=journal, **case.settings)
    assert [] == sent_to(ours)
    return once, told(outcome, sent_to(wire).count(ANA))


@pytest.mark.parametrize("which", SINGLES)
async def test_a_single_send_meanwhile(which: str, path: Place) -> None:
    """A row is sent, left out or told as if the single send had come before the whole run."""
    case = SINGLES[which]
    with Journal.open(path, **case.opening) as journal, Journal.open(path) as another:
        found = await run_while(case, journal, journal if case.by_us else another)
    assert (case.expected, case.expected) == found
    assert "released" not in states_in(path)


@pytest.mark.parametrize("which", RUNS)
async def test_a_run_meanwhile(which: str, postgres_journal: str) -> None:
    """A row is sent, left out or told as if the other run had come before all of this one."""
    case = RUNS[which]
    opened = [Journal.open(postgres_journal, **case.opening) for _ in range(2)]
    try:
        found = await run_while(case, *opened)
    finally:
        for journal in opened:
            journal.close()
    assert (case.expected, case.expected) == found
    assert "released" not in states_in(postgres_journal)


async def test_the_run_goes_on_where_the_journal_can_not_be_asked_again(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the text that somebody else had is not sent, which may have sent it, and says so."""
    with Journal.open(path) as journal, Journal.open(path) as other:

        async def happen(_: httpx.Request) -> httpx.Response:
            await posting(Wire(ACCEPTED), other).send(ANA, "Hi", key="order-1")
            return ACCEPTED

        monkeypatch.setattr(journal.store, "look_up", failing_later(journal))
        wire = Wire(happen, ACCEPTED)
        people = [Message(FIRST, "Hi"), Message(ANA, "Hi"), Message(BEN, "Hi")]
        outcomes = await run_over(posting(wire), people, journal=journal, concurrency=1)

    first, unknown, last = outcomes
    assert ["accepted", "accepted"] == [first.state, last.state]
    assert isinstance(unknown, Unknown)
    assert isinstance(unknown.error.not_resent, ClaimLostError)
    assert [FIRST, BEN] == sent_to(wire)


@pytest.mark.parametrize("by_us", [False, True], ids=["another opening", "the same one"])
@pytest.mark.parametrize(
    ("answer", "expected"), [(BUSY, "sent"), (ACCEPTED, "conflict")], ids=["refused", "accepted"]
)
async def test_a_single_send_that_is_still_at_the_gateway(
    answer: httpx.Response, expected: str, by_us: bool, path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is waited for, whoever makes it: what it comes to decides about the row."""
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def take_long(_: httpx.Request) -> httpx.Response:
        arrived.set()
        await go_on.wait()
        return answer

    with Journal.open(path) as journal, Journal.open(path) as another:
        wait_for_end = journal.store.wait_for_end

        async def go_on_then(*asked: Any) -> Row:
            asyncio.get_running_loop().call_soon(go_on.set)
            return await wait_for_end(*asked)

        async def happen(_: httpx.Request) -> httpx.Response:
            singles.append(asyncio.create_task(single.send(ANA, "Hi", key="order-1")))
            await arrived.wait()
            return ACCEPTED

        monkeypatch.setattr(journal.store, "wait_for_end", go_on_then)
        single = posting(Wire(take_long), journal if by_us else another)
        singles: list[asyncio.Task[Receipt]] = []
        wire = Wire(happen, ACCEPTED)
        people = [Message(FIRST, "Hello"), Message(ANA, "Hi")]
        async with single:
            _, outcome = await run_over(posting(wire), people, journal=journal, concurrency=1)
            await asyncio.gather(*singles, return_exceptions=True)

    assert expected == told(outcome, sent_to(wire).count(ANA))


async def test_what_this_process_left_claimed_is_not_waited_for(path: Place) -> None:
    """A row with the very key of the run is nobody's: the run itself has reserved the key."""
    with Journal.open(path) as journal:
        left = Ledger(journal)
        await take(left.claim([prepared(to=ANA, key="order-1")]))
        left.end()
        async with asyncio.timeout(_NEVER):
            people = [Message(ANA, "Hi", key="order-1")]
            outcomes = await run_over(posting(Wire(ACCEPTED)), people, journal=journal)

    assert ["unknown"] == [outcome.state for outcome in outcomes]


async def test_a_text_that_has_its_outcome_is_counted_no_more(path: Place) -> None:
    """How often others took one is known until then: a run may go on for days."""
    with Journal.open(path) as journal:
        ledger = await Ledger.of_run(journal)
        batch, _ = await ledger.admit([prepared(to=ANA, key="k")])
        assert [None] == await ledger.look_again(batch)
        lost = ledger._lost  # pyright: ignore[reportPrivateUsage] - what it keeps
        assert 1 == lost.total()
        await take(ledger.claim(batch))
        refusal = RejectedError("no", provider="fake")
        await ledger.record(batch, [NotSent(0, batch[0].message, refusal)])
        assert not lost
        ledger.end()
