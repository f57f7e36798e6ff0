"""What policies have to do with the time by which a text has to leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from support.core.clock import soon
from support.core.fakes import NUMBER, FakeProvider, Wire, to_many
from support.journal.journaling import ACCEPTED, SLOW_DOWN, posting, run_over, sent_to
from support.not_after import kinds, send
from support.policies.rules import Counting, Noting, always, changing

from iprog_async import (
    Allow,
    ExpiredError,
    HttpPool,
    InvalidMessageError,
    Message,
    SendLaterError,
    SmsClient,
    WaitUntil,
)
from iprog_async.testing import InstantClock


async def test_a_policy_that_has_a_text_wait_for_too_long_lets_it_expire() -> None:
    """At once, with the policy's reason; one that waits less long is sent when it is time."""
    rule = Noting(always(WaitUntil(soon(60), "night")), "sleep")
    async with posting(Wire(ACCEPTED), policies=[rule]) as client:
        with pytest.raises(ExpiredError, match=r"policy sleep has this text wait .*\(night\)"):
            await client.send(NUMBER, "Hi", not_after=soon(60))
        with pytest.raises(SendLaterError):
            await client.send(NUMBER, "Hi", not_after=soon(61))
        outcomes = await run_over(client, to_many(2), not_after=soon(60))

    assert ["ExpiredError"] * 2 == kinds(outcomes)


async def test_rows_that_wait_for_the_morning_expire_or_go_on() -> None:
    """By the hours of `send_between`; the gateway is not told to send one later than its end."""
    evening = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    morning = evening + timedelta(hours=11, minutes=30)
    kept = [morning, morning + timedelta(minutes=1)]
    messages = [evolve(each, not_after=end) for each, end in zip(to_many(2), kept, strict=True)]
    provider, clock = FakeProvider(), InstantClock(evening)
    async with (
        HttpPool(clock=clock) as pool,
        SmsClient(provider, pool=pool, send_between="08:00-20:00", when_quiet="schedule") as client,
    ):
        with pytest.raises(ExpiredError, match="send_between"):
            await client.send(NUMBER, "Hi", not_after=morning - timedelta(minutes=1))
        plan = await client.plan_many(messages)
        outcomes = await run_over(client, messages)

    assert (1, 1) == (plan.waiting, plan.invalid)
    assert ["ExpiredError", "accepted"] == kinds(outcomes)
    assert morning <= clock.now()


async def test_what_expired_is_given_back_to_whoever_counts() -> None:
    """It was not sent, so that it costs none of a limit."""
    policy = Counting()
    await send(posting(Wire(SLOW_DOWN), policies=[policy]), not_after=soon(3))

    assert [(NUMBER, "not_sent")] == policy.settled


async def test_a_policy_can_give_a_text_its_end() -> None:
    """By rewriting the message; it holds while the text waits for the gateway."""
    rule = changing(lambda message: evolve(message, not_after=soon(3)))
    error = await send(posting(Wire(SLOW_DOWN), policies=[rule]))

    assert isinstance(error, ExpiredError)


async def test_texts_that_a_policy_sends_have_no_end() -> None:
    """They are no part of the send that it is asked about."""
    wire = Wire(SLOW_DOWN, ACCEPTED)
    other = posting(wire)

    async def telling(_: object) -> Allow:
        await other.send("+639180000000", "One more")
        return Allow()

    async with other:
        error = await send(posting(wire, policies=[telling]), not_after=soon(4))

    assert isinstance(error, ExpiredError)
    assert ["+639180000000"] * 2 == sent_to(wire)


async def test_a_policy_that_writes_a_message_anew_keeps_its_end() -> None:
    """It says nothing about until when the text is wanted."""
    rule = changing(lambda message: Message(message.to, f"{message.text}. STOP to end"))
    wire = Wire(SLOW_DOWN, ACCEPTED)
    async with posting(wire, policies=[rule]) as client:
        with pytest.raises(ExpiredError):
            await client.send(NUMBER, "Hi", not_after=soon(3, wire.clock))

    assert 1 == len(wire.requests)


async def test_a_policy_that_schedules_a_text_beyond_its_end_is_refused() -> None:
    """As if the caller had said so; the text is not sent."""
    wire = Wire(ACCEPTED)
    rule = changing(lambda message: evolve(message, schedule_at=soon(60, wire.clock)))
    async with posting(wire, policies=[rule]) as client:
        with pytest.raises(InvalidMessageError, match="is later than not_after"):
            await client.send(NUMBER, "Hi", not_after=soon(3, wire.clock))

    assert [] == wire.requests
