"""The end of one text is nobody else's, and two that clocks show alike are two."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from support.core.clock import soon
from support.core.fakes import NUMBER, FakeProvider, Wire, prepared, to_many
from support.journal.journaling import ACCEPTED, SLOW_DOWN, posting, run_over, sent_to
from support.not_after import kinds
from support.policies.rules import always

from iprog_async import (
    AttemptEnded,
    ExpiredError,
    InvalidMessageError,
    Journal,
    Message,
    NotSent,
    Observer,
    Outcome,
    RateLimitError,
    SendEnded,
    SendLaterError,
    SmsClient,
    SubmissionEnded,
    WaitUntil,
)
from iprog_async._core.messages import check_not_after
from iprog_async._core.observers import is_submitting
from iprog_async._http.send_context import SendContext, active_send
from iprog_async._sending.batching import plan_batches
from iprog_async.adapter import Batching, PreparedMessage, failed


OTHER = "+639180000000"
# In Berlin clocks show half past two twice that night.
EARLY = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
LATE = EARLY.replace(fold=1)


async def test_the_deadline_is_named_where_it_is_nearer() -> None:
    """The account's pause is longer than the deadline, and is not made longer by a text."""
    wire = Wire(ACCEPTED)
    async with posting(wire, deadline=0.3) as client:
        pace = wire.pool.pace(client.provider.gateway)
        pace.pause(0.6)
        with pytest.raises(RateLimitError, match="a pause, which lasts"):
            await client.send(NUMBER, "Hi", not_after=soon(0.9, wire.clock))

        assert 0.6 == pytest.approx(pace.remaining_pause())
    assert [] == wire.requests


async def test_a_caller_who_gives_more_time_does_not_expire_with_another(tmp_path: Path) -> None:
    """Both ask for the text of one key; the one whose end comes first is told so."""
    wire = Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(wire, journal) as client:
            wire.pool.pace(client.provider.gateway).pause(10)
            ends = [soon(5, wire.clock), soon(60, wire.clock), None]
            sends = [client.send(NUMBER, "Hi", key="1", not_after=end) for end in ends]
            first, *others = await asyncio.gather(*sends, return_exceptions=True)

    assert isinstance(first, ExpiredError)
    assert ["fake:id-1"] * 2 == [getattr(receipt, "ref", receipt) for receipt in others]
    assert 1 == len(wire.requests)


@pytest.mark.usefixtures("whole_batches")
async def test_who_has_more_time_does_not_expire_with_the_others_of_a_request() -> None:
    """Ends of one minute travel together; past the first ones, the others go without them."""
    wire = Wire(ACCEPTED)
    ends = [soon(seconds, wire.clock) for seconds in (4, 50, 6, 50)]
    people = [evolve(each, not_after=end) for each, end in zip(to_many(4), ends, strict=True)]
    async with posting(wire) as client:
        wire.pool.pace(client.provider.gateway).pause(10)
        outcomes = await run_over(client, people)

    assert [ends[0], None, ends[2], None] == [
        one.error.not_after
        if isinstance(one, NotSent) and isinstance(one.error, ExpiredError)
        else None
        for one in outcomes
    ]
    assert [people[1].to, people[3].to] == sorted(sent_to(wire))


@pytest.mark.usefixtures("whole_batches")
async def test_an_adapter_that_needs_time_may_refuse_for_an_end_before_all_of_them() -> None:
    """What it refused is not sent, and not asked again: no other part of the request is late."""

    async def refuse(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        error = ExpiredError(soon(-300), "the gateway needs five minutes")
        return [failed(each, error) for each in batch]

    provider = FakeProvider(limits=Batching(max_batch=10), send=refuse)
    async with SmsClient(provider, pool=Wire(ACCEPTED).pool) as client:
        outcomes = await run_over(client, to_many(3), not_after=soon(60))

    assert (["ExpiredError"] * 3, 1) == (kinds(outcomes), len(provider.sent))


@pytest.mark.usefixtures("whole_batches")
async def test_an_adapter_may_name_an_end_without_a_zone() -> None:
    """It is read in UTC: whoever has more time is asked about again, and nobody else."""
    until = soon(60)

    async def refuse(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        error = ExpiredError(until.astimezone(UTC).replace(tzinfo=None), "the gateway is slow")
        return [failed(each, error) for each in batch]

    provider = FakeProvider(limits=Batching(max_batch=10), send=refuse)
    people = [evolve(each, not_after=until) for each in to_many(3)]
    people[1] = evolve(people[1], not_after=until + timedelta(seconds=1))
    async with SmsClient(provider, pool=Wire(ACCEPTED).pool) as client:
        outcomes = await run_over(client, people)

    assert ["ExpiredError"] * 3 == kinds(outcomes)
    assert [3, 1] == [len(batch) for batch in provider.sent]


class Alerting(Observer):
    """Sends a text of its own once a request has ended."""

    def __init__(self, client: SmsClient[Any]) -> None:
        self._client = client
        self.alerts: list[asyncio.Task[Any]] = []

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Send it."""
        self.alerts.append(asyncio.create_task(self._client.send(OTHER, "Look")))


async def test_a_text_of_an_observer_has_no_end() -> None:
    """It waits for a gateway for longer than the text has that it was told of."""
    wire = Wire(ACCEPTED, SLOW_DOWN, ACCEPTED)
    async with posting(wire) as other:
        observer = Alerting(other)
        async with posting(wire, observers=[observer]) as client:
            await client.send(NUMBER, "Hi", not_after=soon(4, wire.clock))
        await asyncio.gather(*observer.alerts)

    assert [NUMBER, OTHER, OTHER] == sent_to(wire)


class Looking(Observer):
    """Notes of which send it is a part whenever it is told of something."""

    def __init__(self) -> None:
        self.seen: list[tuple[SendContext, bool]] = []

    def _look(self) -> None:
        self.seen.append((active_send.get(), is_submitting()))

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Look."""
        self._look()

    def submission_ended(self, event: SubmissionEnded) -> None:
        """Look."""
        self._look()

    def send_ended(self, event: SendEnded) -> None:
        """Look."""
        self._look()


async def test_an_observer_is_part_of_no_send(tmp_path: Path) -> None:
    """Its tasks would take along the claim, the end and the run of the text that it is told of."""
    observer, wire = Looking(), Wire(ACCEPTED)
    with Journal.open(tmp_path / "j.db") as journal:
        async with posting(wire, journal, observers=[observer]) as client:
            await run_over(client, to_many(1), not_after=soon(60, wire.clock))
            await client.send(NUMBER, "Hi", key="1", not_after=soon(60, wire.clock))

    assert [(SendContext(), False)] * 6 == observer.seen


def test_two_ends_that_a_clock_shows_alike_are_two() -> None:
    """Texts with the later one travel by themselves."""
    texts = [
        prepared(0, NUMBER, not_after=LATE),
        prepared(1, OTHER, not_after=EARLY),
        prepared(2, "+639190000000", not_after=EARLY.astimezone(UTC)),
    ]
    batches = plan_batches(texts, Batching(max_batch=100, mixed_texts=True)).batches

    assert [[0], [1, 2]] == [[each.index for each in batch] for batch in batches]


def test_a_schedule_is_later_than_an_end_that_the_clock_shows_alike() -> None:
    """It is an hour later, and the other way round it is in time."""
    check_not_after(Message(NUMBER, "Hi", schedule_at=EARLY, not_after=LATE))
    with pytest.raises(InvalidMessageError, match=r"\+01:00 is later than not_after .*\+02:00"):
        check_not_after(Message(NUMBER, "Hi", schedule_at=LATE, not_after=EARLY))


async def test_a_policy_that_waits_for_the_second_of_two_like_times_is_too_late() -> None:
    """For a text that ends at the first one; one that ends at the second can wait for the first."""
    async with posting(Wire(ACCEPTED), policies=[always(WaitUntil(LATE))]) as client:
        with pytest.raises(ExpiredError):
            await client.send(NUMBER, "Hi", not_after=EARLY)
    async with posting(Wire(ACCEPTED), policies=[always(WaitUntil(EARLY))]) as client:
        with pytest.raises(SendLaterError):
            await client.send(NUMBER, "Hi", not_after=LATE)
