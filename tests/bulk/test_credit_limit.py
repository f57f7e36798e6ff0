from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve
from support.core.fakes import LATER, FakeProvider, accept, lose, refusing, to_many

from iprog_async import (
    ConfigurationError,
    CreditLimitError,
    Message,
    NotSent,
    Outcome,
    RunHaltedError,
    SmsClient,
)
from iprog_async.adapter import Batching, PreparedMessage


async def send(
    provider: FakeProvider, messages: Any, limit: int, **settings: Any
) -> tuple[list[Outcome], Exception | None]:
    """Send with a client of its own; return the outcomes and what halted the run."""
    outcomes: list[Outcome] = []
    async with (
        SmsClient(provider) as client,
        client.send_many(messages, max_credits=limit, **settings) as run,
    ):
        try:
            async for outcome in run:
                outcomes.append(outcome)
        except RunHaltedError:
            pass
        return outcomes, run.halted


def sent(provider: FakeProvider) -> int:
    """Return how many segments were handed to the gateway."""
    return sum(prepared.segments.count for batch in provider.sent for prepared in batch)


@pytest.mark.parametrize("concurrency", [1, 7, 100])
@pytest.mark.parametrize("limit", [1, 49, 50, 99, 100])
async def test_run_spends_all_of_its_credits_and_no_more(concurrency: int, limit: int) -> None:
    """Of a hundred texts exactly as many go out as are paid, however many go at once."""
    provider = FakeProvider(limits=Batching(max_batch=8))

    outcomes, halted = await send(provider, to_many(100), limit, concurrency=concurrency)

    assert (limit, 100) == (sent(provider), len(outcomes))
    assert (limit < 100) == isinstance(halted, CreditLimitError)


async def test_long_texts_cost_their_segments() -> None:
    """A text of two segments takes two of the credits; one that does not fit stops the run."""
    messages = [Message(f"+63917000000{place}", "x" * 161) for place in range(4)]
    provider = FakeProvider()

    outcomes, halted = await send(provider, messages, 5, concurrency=1)

    assert (4, 2) == (sent(provider), sum(isinstance(outcome, NotSent) for outcome in outcomes))
    assert isinstance(halted, CreditLimitError)
    assert (5, 4, "account", True) == (halted.limit, halted.spent, halted.blame, halted.healable)


async def test_what_was_not_sent_costs_nothing() -> None:
    """Credits of refused texts pay for later ones."""
    refused = {f"+63917{number:07}" for number in range(5)}

    async def refuse_some(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        await asyncio.sleep(0)
        return await (refusing() if batch[0].e164 in refused else accept)(batch)

    outcomes, halted = await send(FakeProvider(send=refuse_some), to_many(10), 5)

    assert (5, None) == (sum(outcome.state == "accepted" for outcome in outcomes), halted)


async def test_unknown_outcomes_cost_their_credits() -> None:
    """The gateway may have charged what nobody knows about."""
    provider = FakeProvider(send=lose)

    _, halted = await send(provider, to_many(10), 4)

    assert (4, True) == (sent(provider), isinstance(halted, CreditLimitError))


async def test_halved_batch_is_paid_once() -> None:
    """A batch that goes again in halves takes no second reservation."""

    async def refuse_whole(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return await (refusing(blame="recipient") if len(batch) > 1 else accept)(batch)

    provider = FakeProvider(limits=Batching(max_batch=4), send=refuse_whole)

    outcomes, halted = await send(provider, to_many(8), 8)

    assert ({"accepted"}, None) == ({outcome.state for outcome in outcomes}, halted)


@pytest.mark.parametrize(("limit", "expected"), [(1, 0), (2, 2), (3, 2), (4, 4)])
@pytest.mark.usefixtures("whole_batches")
async def test_scheduled_batch_is_not_cut_too_small(limit: int, expected: int) -> None:
    """Where fewer than travel together could be paid, none of them goes."""
    provider = FakeProvider(limits=Batching(max_scheduled=10, min_scheduled=2))
    messages = [evolve(message, schedule_at=LATER) for message in to_many(4)]

    await send(provider, messages, limit)

    assert expected == sent(provider)


async def test_lone_scheduled_message_that_can_be_paid() -> None:
    """A message that has no company at the end of the run is not held back for its credits."""
    provider = FakeProvider(limits=Batching(max_scheduled=10, min_scheduled=2))

    _, halted = await send(provider, [evolve(to_many(1)[0], schedule_at=LATER)], 1)

    assert (1, None) == (sent(provider), halted)


async def test_stop_while_waiting_for_credits() -> None:
    """A run that is stopped while credits may come back sends nothing more with them."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def refuse_late(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        asked.set()
        await go_on.wait()
        return await refusing()(batch)

    provider = FakeProvider(send=refuse_late)
    async with SmsClient(provider) as client, client.send_many(to_many(5), max_credits=1) as run:
        reading = asyncio.create_task(run.drain())
        await asked.wait()
        await asyncio.sleep(0.01)
        run.stop()
        go_on.set()
        counts = await reading

    assert (1, 1, None) == (len(provider.sent), counts.total, run.halted)


@pytest.mark.parametrize("limit", [0, -1])
async def test_limit_that_is_none(limit: int) -> None:
    """A run that may spend nothing is a mistake."""
    with pytest.raises(ConfigurationError, match="max_credits"):
        await send(FakeProvider(), to_many(1), limit)
