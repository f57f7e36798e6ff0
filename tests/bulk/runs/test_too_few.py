"""Scheduled texts that are too few for a request of their gateway, which takes two or more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve
from support.bulk.runs import run_all
from support.core.fakes import FakeProvider, accept, to_many

from iprog_async import (
    Allow,
    Decision,
    HttpPool,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    Outgoing,
    Refuse,
    SmsClient,
    WaitUntil,
)
from iprog_async._bulk import preparation
from iprog_async.adapter import Batching, PreparedMessage
from iprog_async.testing import InstantClock
from iprog_async_providers.infopromo import UltimateSmsProvider


LATER = datetime(2999, 5, 17, 8, 0, tzinfo=UTC)
LIMITS = Batching(max_batch=100, max_scheduled=100, min_scheduled=2)


def scheduled(count: int) -> list[Message]:
    """Return messages of one text, for one time, for distinct numbers."""
    return [evolve(message, schedule_at=LATER) for message in to_many(count)]


async def at_least_two(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Accept what is scheduled for two or more."""
    if len(batch) == 1:
        raise InvalidMessageError("schedule two or more")
    return await accept(batch)


def gateway() -> FakeProvider:
    """Return a gateway that schedules no single text."""
    return FakeProvider(limits=LIMITS, send=at_least_two)


async def test_who_is_left_of_a_pair_is_sent_with_others_of_a_later_run(tmp_path: Path) -> None:
    """That the other one was not to be texted is no refusal of this one for good."""
    pair, third = scheduled(3)[:2], scheduled(3)[2]
    path = tmp_path / "june.db"

    outcomes, _ = await run_all(gateway(), pair, suppress=[pair[1].to], journal=path)
    healable = [outcome.error.healable for outcome in outcomes if isinstance(outcome, NotSent)]
    again, _ = await run_all(gateway(), [pair[0], third], journal=path)

    assert [True, False] == healable
    assert ["accepted", "accepted"] == [outcome.state for outcome in again]


async def test_a_real_gateway_says_why_it_takes_no_single_text() -> None:
    """The words are the adapter's, also where a later run may send it."""
    provider = UltimateSmsProvider(
        "token", base_url="https://host.example", timezone="UTC", sender_id="Acme"
    )
    async with (
        SmsClient(provider) as client,
        client.send_many(scheduled(1)) as run,
    ):
        (outcome,) = [outcome async for outcome in run]

    assert isinstance(outcome, NotSent)
    assert outcome.error.healable
    assert "allow_unscheduled_single=True" in str(outcome.error)


@pytest.mark.parametrize("held", ["for good", "for a moment"])
async def test_who_is_left_of_a_few_travels_with_others_that_wait(held: str) -> None:
    """A run begins with three of them, of whom a policy holds back two; the third is not lost."""
    first = [message.to for message in to_many(2)]
    asked: list[str] = []

    def policy(text: Outgoing) -> Decision:
        asked.append(text.number)
        if text.number not in first or (held == "for a moment" and asked.count(text.number) > 1):
            return Allow()
        return Refuse("STOP") if held == "for good" else WaitUntil(text.now)

    provider = gateway()
    async with (
        HttpPool(clock=InstantClock()) as pool,
        SmsClient(provider, pool=pool, policies=[policy]) as client,
        client.send_many(scheduled(8), concurrency=1) as run,
    ):
        states = {outcome.message.to: outcome.state async for outcome in run}

    last = "not_sent" if held == "for good" else "accepted"
    assert ["accepted"] * 6 + [last] * 2 == [states[m.to] for m in reversed(scheduled(8))]
    assert 1 < min(len(batch) for batch in provider.sent)


async def test_a_source_that_pauses_leaves_no_text_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that waits for others to travel with comes to its outcome before the source ends."""
    monkeypatch.setattr(preparation, "_CARRIED_FOR", 0.01)
    told = asyncio.Event()

    async def source() -> AsyncIterator[Message]:
        yield scheduled(1)[0]
        await told.wait()
        for message in scheduled(3)[1:]:
            yield message

    async with (
        SmsClient(gateway()) as client,
        client.send_many(source(), linger=0.001) as run,
    ):
        states: list[str] = []
        async for outcome in run:
            states.append(outcome.state)
            told.set()

    assert ["not_sent", "accepted", "accepted"] == states
