"""How many people may become unknown, and how small a run begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

import pytest
from attrs import evolve
from support.core.clock import settle
from support.core.fakes import (
    LATER,
    FakeProvider,
    Sending,
    accept,
    different_texts,
    lose,
    refusing,
    to_many,
)

from iprog_async import BulkRun, Message, Outcome, OutcomeUnknownError, RunHaltedError, SmsClient
from iprog_async.adapter import Batching, PreparedMessage


WIDE = Batching(max_batch=100, max_scheduled=100)


async def run_over(
    provider: FakeProvider,
    messages: Sequence[Message],
    *,
    concurrency: int = 100,
    halt_after_unknown: int = 20,
) -> BulkRun:
    """Send, and return the run when it is over."""
    async with (
        SmsClient(provider) as client,
        client.send_many(
            messages, concurrency=concurrency, halt_after_unknown=halt_after_unknown
        ) as run,
    ):
        with suppress(RunHaltedError):
            await run.drain()
    return run


def sizes(provider: FakeProvider) -> list[int]:
    """Return how many people each request was for."""
    return [len(batch) for batch in provider.sent]


def _lose_all(*_: int) -> Sending:
    return lose


def sending(choose: Callable[[int, int], Sending]) -> Sending:
    """Return what answers each request as told by its place and its size, after a while."""
    place = 0

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        nonlocal place
        place += 1
        chosen = choose(place, len(batch))
        await asyncio.sleep(0)
        return await chosen(batch)

    return send


@pytest.mark.parametrize("concurrency", [1, 2, 7, 100])
@pytest.mark.parametrize("most", [1, 2, 19, 20, 33])
@pytest.mark.parametrize("max_batch", [1, 2, 100])
async def test_lost_answers_make_no_more_people_unknown_than_allowed(
    concurrency: int, most: int, max_batch: int
) -> None:
    """A gateway that answers nothing gets texts for so many people, and the run says how many."""
    send = sending(_lose_all)
    provider = FakeProvider(limits=Batching(max_batch=max_batch), send=send)

    run = await run_over(provider, to_many(1000), concurrency=concurrency, halt_after_unknown=most)

    assert most == run.counts.unknown == sum(sizes(provider))
    assert isinstance(run.halted, OutcomeUnknownError)


async def test_a_run_begins_small_and_goes_on_with_whole_batches() -> None:
    """One to one recipient and one to two show that the gateway answers."""
    provider = FakeProvider(limits=WIDE)

    await run_over(provider, to_many(303), concurrency=1)

    assert [1, 2, 97, 100, 100, 3] == sizes(provider)


async def test_requests_at_once_begin_small_together() -> None:
    """Before the first answer the requests of a run double, up to the people that it may lose."""
    answer = asyncio.Event()

    async def wait(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        await answer.wait()
        return await accept(batch)

    provider = FakeProvider(limits=WIDE, send=wait)
    running = asyncio.create_task(run_over(provider, to_many(1000)))
    while sum(sizes(provider)) < 20:  # noqa: ASYNC110 - the run itself tells nobody
        await asyncio.sleep(0)
    await settle()
    first = sizes(provider)
    answer.set()
    run = await running

    assert [1, 2, 4, 8, 5] == first
    assert (1000, 100) == (run.counts.accepted, max(sizes(provider)))


async def test_an_unknown_outcome_makes_a_run_careful_again() -> None:
    """After a lost request come small ones, until they are accepted."""
    send = sending(lambda place, _: lose if place == 4 else accept)
    provider = FakeProvider(limits=WIDE, send=send)

    run = await run_over(provider, to_many(500), concurrency=1)

    assert [1, 2, 97, 100, 1, 2, 97, 100, 100] == sizes(provider)
    assert (400, 100, None) == (run.counts.accepted, run.counts.unknown, run.halted)


async def test_every_third_request_lost_halts_nothing() -> None:
    """What is accepted in between shows that the gateway answers."""
    send = sending(lambda place, _: accept if place % 3 else lose)
    provider = FakeProvider(send=send)

    run = await run_over(provider, different_texts(300), concurrency=1)

    assert (200, 100, None) == (run.counts.accepted, run.counts.unknown, run.halted)


@pytest.mark.parametrize("concurrency", [1, 7, 100])
async def test_a_gateway_that_loses_requests_to_several_is_found_out(concurrency: int) -> None:
    """That it answers requests to one says nothing about the others."""
    send = sending(lambda _, size: lose if size > 1 else accept)
    provider = FakeProvider(limits=WIDE, send=send)

    run = await run_over(provider, to_many(1000), concurrency=concurrency)

    assert run.counts.unknown in (19, 20)
    assert isinstance(run.halted, OutcomeUnknownError)


@pytest.mark.parametrize("concurrency", [1, 7, 100])
async def test_a_refusal_shows_nothing(concurrency: int) -> None:
    """A gateway that answers only what it refuses loses no more texts than one that is silent."""
    send = sending(lambda place, _: refusing() if place % 2 else lose)
    provider = FakeProvider(limits=WIDE, send=send)

    run = await run_over(provider, to_many(1000), concurrency=concurrency)

    assert 20 == run.counts.unknown


@pytest.mark.parametrize("concurrency", [1, 3, 100])
async def test_scheduled_texts_go_in_pairs_at_least(concurrency: int) -> None:
    """Small requests are no smaller than the gateway takes, and leave none behind that is."""
    limits = Batching(max_batch=1, max_scheduled=100, min_scheduled=2)
    messages = [evolve(message, schedule_at=LATER) for message in to_many(299)]
    lost, taken = (FakeProvider(limits=limits, send=send) for send in (lose, accept))

    halted = await run_over(lost, messages, concurrency=concurrency)
    done = await run_over(taken, messages, concurrency=concurrency)

    assert (20, 299) == (halted.counts.unknown, done.counts.accepted)
    assert 2 == min(sizes(lost) + sizes(taken))


@pytest.mark.parametrize(("people", "requests"), [(0, []), (1, [1]), (2, [1, 1]), (3, [1, 2])])
async def test_runs_of_a_few(people: int, requests: list[int]) -> None:
    """Nobody is left out where there is hardly anybody."""
    provider = FakeProvider(limits=WIDE)

    run = await run_over(provider, to_many(people))

    assert (requests, people) == (sizes(provider), run.counts.accepted)


async def test_a_halted_run_says_how_many_may_have_been_texted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The error, and one record without a number of anybody, have the count."""
    provider = FakeProvider(limits=WIDE, send=lose)
    async with SmsClient(provider) as client, client.send_many(to_many(100)) as run:
        with pytest.raises(RunHaltedError, match="20 of its texts may have been sent") as caught:
            await run.drain()

    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert 20 == caught.value.unknown
    assert [
        "fake: the run stopped by itself (OutcomeUnknownError); 20 of its texts may have been "
        "sent, or may not"
    ] == told


async def test_few_scheduled_texts_are_enough_that_one_bad_number_costs_nobody_else() -> None:
    """Of two that must travel together both keep a refusal, so that a run begins with three."""
    provider = FakeProvider(limits=evolve(WIDE, min_scheduled=2))
    await run_over(provider, [evolve(message, schedule_at=LATER) for message in to_many(7)])

    assert sizes(provider) == [3, 4]


async def test_a_bound_of_two_still_lets_two_scheduled_texts_leave() -> None:
    """What may become unknown counts for more than what one bad number may cost."""
    provider = FakeProvider(limits=evolve(WIDE, min_scheduled=2))
    messages = [evolve(message, schedule_at=LATER) for message in to_many(7)]
    await run_over(provider, messages, halt_after_unknown=2)

    assert sizes(provider)[0] == 2
