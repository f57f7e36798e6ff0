"""The rows of a run that could not leave in time, and those that could."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from attrs import evolve
from support.core.clock import soon
from support.core.fakes import (
    TOKEN,
    FakeProvider,
    Wire,
    different_texts,
    iprog_ok,
    prepared,
    to_many,
)
from support.journal.journaling import ACCEPTED, SLOW_DOWN, posting, run_over, sent_to
from support.not_after import kinds

from iprog_async import ConfigurationError, HttpPool, Journal, Message, Outcome, SmsClient
from iprog_async._sending.batching import plan_batches
from iprog_async.adapter import Batching
from iprog_async.testing import InstantClock
from iprog_async_providers import IprogProvider


async def test_the_end_of_a_run_has_a_zone() -> None:
    """A time without one is an hour off somewhere."""
    async with posting(Wire(ACCEPTED)) as client:
        with pytest.raises(ConfigurationError, match=r"not_after= 2999.* has no time zone"):
            client.send_many([], not_after=datetime(2999, 1, 1))


async def test_rows_of_a_run_expire_at_their_turn() -> None:
    """Those before the end are sent, those behind it are not, and each has an outcome."""
    wire = Wire(iprog_ok)
    provider = IprogProvider(TOKEN, rate="1/100s")
    async with SmsClient(provider, pool=wire.pool) as client:
        outcomes = await run_over(client, different_texts(5), concurrency=1, not_after=soon(150))

    assert ["accepted"] * 2 + ["ExpiredError"] * 3 == kinds(outcomes)
    assert 2 == len(wire.requests)


async def test_a_pause_that_is_too_long_for_one_holds_for_all() -> None:
    """The rows behind the one that was asked to wait bother the gateway no more."""
    wire = Wire(SLOW_DOWN)
    async with posting(wire) as client:
        outcomes = await run_over(client, different_texts(5), concurrency=1, not_after=soon(4))

    assert ["ExpiredError"] * 5 == kinds(outcomes)
    assert 1 == len(wire.requests)


async def test_a_message_has_an_end_of_its_own() -> None:
    """It holds instead of that of the run."""
    first, second, third = to_many(3)
    early, late = evolve(first, not_after=soon(-1)), evolve(second, not_after=soon(99))
    async with posting(Wire(ACCEPTED)) as client:
        outcomes = await run_over(client, [early, late, third], not_after=soon(0))

    assert ["ExpiredError", "accepted", "ExpiredError"] == kinds(outcomes)


def test_what_travels_together_ends_together() -> None:
    """A request leaves as a whole, so texts that end in another minute have one of their own."""
    ends = [None, soon(1), soon(61), soon(59.9), None]
    texts = [
        prepared(index, f"+6391700000{index:02}", not_after=end) for index, end in enumerate(ends)
    ]
    batches = plan_batches(texts, Batching(max_batch=100, mixed_texts=True)).batches

    assert [[0, 4], [1, 3], [2]] == [[each.index for each in batch] for batch in batches]


async def test_ends_made_for_each_message_are_no_reason_for_a_request_of_its_own() -> None:
    """The first end of a request is that of all its texts."""
    messages = [
        Message(f"0917000{number:04d}", "Hi", not_after=soon(30 + number / 1000))
        for number in range(50)
    ]
    clock = InstantClock(soon(30.01))
    provider = FakeProvider(limits=Batching(max_batch=100))
    late = SmsClient(provider, pool=HttpPool(clock=clock))
    outcomes = await run_over(late, messages)

    assert ["ExpiredError"] * 11 + ["accepted"] * 39 == kinds(outcomes)
    assert {39} == {sum(len(batch) for batch in provider.sent)}


async def test_a_run_goes_on_with_what_expired_if_it_is_given_more_time(tmp_path: Path) -> None:
    """The journal has it as not sent, and nobody gets a text twice."""
    wire = Wire(ACCEPTED)
    runs: list[list[str]] = []
    for end in (soon(-1), soon(60), soon(-1)):
        with Journal.open(tmp_path / "j.db") as journal:
            messages = [evolve(each, not_after=end) for each in to_many(3)[:2]]
            outcomes = await run_over(
                posting(wire), [*messages, to_many(3)[2]], journal=journal, one_per_number=True
            )
            runs.append(kinds(outcomes))

    assert [["ExpiredError"] * 2 + ["accepted"], ["accepted"] * 3, ["accepted"] * 3] == runs
    assert [each.to for each in to_many(3)] == sorted(sent_to(wire))


async def test_a_preview_leaves_out_what_is_too_late() -> None:
    """It is counted with what can't be sent, by its reason."""
    left_out: list[Outcome] = []
    async with posting(Wire(ACCEPTED)) as client:
        plan = await client.plan_many(to_many(2), not_after=soon(0), left_out=left_out.append)

    assert (0, 2, 2) == (plan.recipients, plan.invalid, plan.expired)
    assert ["ExpiredError"] * 2 == kinds(left_out)
