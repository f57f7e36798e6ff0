"""A batch through a router: its sizes, its halves, and texts for later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from support.core.clock import settle
from support.core.fakes import LATER, NUMBER
from support.routing.fakes import gateway, limited, lost, refused, send, texts_of, told, unreachable

from iprog_async import Failover, Message, NotSent, Outcome
from iprog_async._http.send_context import was_in_flight
from iprog_async.adapter import Batching, PreparedMessage, accepted, failed


async def test_batches_are_planned_anew_for_each_member() -> None:
    """A batch that all can take goes out in the sizes of whoever is asked."""
    a = gateway("a", unreachable(), batching=Batching(max_batch=3))
    b = gateway("b", batching=Batching(max_batch=2, mixed_texts=True))
    router = Failover(a, b)
    numbers = [f"+63917000000{digit}" for digit in range(5)]
    outcomes = await send(router, *numbers)

    assert Batching(max_batch=2) == router.batching
    assert [0, 1, 2, 3, 4] == [outcome.index for outcome in outcomes]
    assert {("accepted", "b")} == {told(outcome) for outcome in outcomes}
    assert ([3, 2], [2, 2, 1]) == (texts_of(a), texts_of(b))


async def test_a_batch_may_split_over_members() -> None:
    """Each message goes its own way: only what one member refused goes on."""

    async def half(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [
            accepted(one, "a", message_id="1") if one.index % 2 else failed(one, unreachable())
            for one in batch
        ]

    wide = Batching(max_batch=10)
    a, b = gateway("a", half, batching=wide), gateway("b", batching=wide)
    outcomes = await send(Failover(a, b), *[f"+63917000000{digit}" for digit in range(4)])

    assert ["b", "a", "b", "a"] == [told(outcome)[1] for outcome in outcomes]
    assert ([4], [2]) == (texts_of(a), texts_of(b))


@pytest.mark.parametrize(("healable", "last"), [(False, "RejectedError"), (True, "b")])
async def test_a_batch_refused_for_one_recipient_is_halved(healable: bool, last: str) -> None:
    """The others are sent all the same, and only the one refused goes on, if that may help."""

    async def picky(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if any(one.e164.endswith("3") for one in batch):
            error = refused(healable=healable, blame="recipient")
            return [failed(one, error) for one in batch]
        return [accepted(one, "a", message_id="1") for one in batch]

    wide = Batching(max_batch=10)
    a, b = gateway("a", picky, batching=wide), gateway("b", batching=wide)
    outcomes = await send(Failover(a, b), *[f"+63917000000{digit}" for digit in range(4)])

    assert ["a", "a", "a", last] == [told(outcome)[1] for outcome in outcomes]
    assert ([4, 2, 2, 1, 1], [1] * healable) == (texts_of(a), texts_of(b))


async def test_an_unknown_outcome_ends_the_halving() -> None:
    """After it nothing of that batch is asked again at that member: the rest keeps its refusal."""
    error = refused(healable=False, blame="recipient")
    wide = Batching(max_batch=10)
    a = gateway("a", error, lost(), None, batching=wide)
    outcomes = await send(Failover(a), *[f"+63917000000{digit}" for digit in range(4)])

    assert ["unknown", "unknown", "not_sent", "not_sent"] == [one.state for one in outcomes]
    assert [4, 2] == texts_of(a)


async def test_a_schedule_too_small_for_one_member_goes_to_the_next() -> None:
    """A gateway that needs company for a scheduled text is passed over for a single one."""
    choosy = Batching(max_batch=9, max_scheduled=9, min_scheduled=2)
    a, b = gateway("a", batching=choosy), gateway("b")
    router = Failover(a, b)
    prepared = router.prepare(Message(NUMBER, "Hi", schedule_at=LATER))
    (outcome,) = await router.submit([prepared])

    assert ("accepted", "b") == told(outcome)
    assert [] == a.sent
    assert (2, 3) == (router.batching.min_scheduled, router.batching.max_scheduled)


async def test_a_bad_number_among_scheduled_texts() -> None:
    """No request to a gateway that needs company is for one, and all good numbers are sent."""

    async def picky(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if any(one.index == 3 for one in batch):
            error = refused(healable=False, blame="recipient")
            return [failed(one, error) for one in batch]
        return [accepted(one, "a", message_id="1") for one in batch]

    choosy = Batching(max_batch=9, max_scheduled=9, min_scheduled=2)
    a = gateway("a", picky, batching=choosy)
    router = Failover(a)
    messages = [Message(f"+63917000000{digit}", "Hi", schedule_at=LATER) for digit in range(4)]
    outcomes = await router.submit([router.prepare(one, n) for n, one in enumerate(messages)])

    assert [*["accepted"] * 3, "not_sent"] == [outcome.state for outcome in outcomes]
    assert 2 <= min(texts_of(a))
    assert isinstance(outcomes[3], NotSent)
    assert not outcomes[3].error.healable


async def test_a_schedule_that_no_member_can_take() -> None:
    """Where all need company, a single scheduled text is not sent, and says why."""
    choosy = Batching(max_batch=9, max_scheduled=9, min_scheduled=2)
    router = Failover(gateway("a", batching=choosy), gateway("b", batching=choosy))
    when = LATER + timedelta(days=1)
    (outcome,) = await router.submit([router.prepare(Message(NUMBER, "Hi", schedule_at=when))])

    assert isinstance(outcome, NotSent)
    assert "a schedules no fewer than 2" in str(outcome.error)


async def test_cancelled_after_a_part_was_sent() -> None:
    """A cancellation while one text waits and another was accepted tells of the latter."""

    async def half(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [accepted(batch[0], "a", message_id="1"), failed(batch[1], limited(90))]

    router = Failover(gateway("a", half, batching=Batching(max_batch=2)))
    task = asyncio.create_task(send(router, NUMBER, "+639170000000"))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task

    assert was_in_flight(caught.value)
