"""What policies do to the texts of a fleet's workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.core.fakes import FakeProvider
from support.fleet.sending import (
    CAMPAIGN,
    client_of,
    counts_of,
    gateway,
    people,
    rows,
    until_ended,
    working,
)
from support.waiting import LONG

from iprog_async import (
    Allow,
    ConfigurationError,
    Decision,
    HttpPool,
    Message,
    Outgoing,
    Refuse,
    SmsClient,
    Suppressions,
    WaitUntil,
)
from iprog_async._core.clock import SystemClock
from iprog_async.fleet import enqueue_many
from iprog_async.testing import InstantClock, SmsOutbox
from iprog_async_providers import IprogProvider


# Each waits for the queue to be looked at, and one for its policy, in real seconds.
pytestmark = pytest.mark.slow


async def test_workers_obey_the_policies_of_their_client(postgres_journal: str) -> None:
    """Who is refused gets nothing, who has to wait gets it later, and both once asked for it."""
    asked: dict[str, int] = {}

    def rule(text: Outgoing) -> Decision:
        asked[text.number] = asked.get(text.number, 0) + 1
        if text.number.endswith("1"):
            return Refuse("STOP")
        if text.number.endswith("2") and asked[text.number] == 1:
            return WaitUntil(text.now + timedelta(seconds=1))
        return Allow()

    with gateway() as counting:
        async with client_of(counting.base_url) as loader:
            await enqueue_many(loader, people(10), journal=postgres_journal, campaign=CAMPAIGN)
        provider = IprogProvider("fleet-test-token", base_url=counting.base_url)
        async with (
            SmsClient(provider, engine="asyncio", policies=[rule]) as sms,
            working(sms, postgres_journal),
        ):
            await until_ended(postgres_journal)

    assert (9, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert {"accepted": 9} == {
        state: count for state, count in (await counts_of(postgres_journal)).items() if count
    }
    assert 2 == asked["+639170000002"]


@pytest.mark.parametrize("given", ["by the client", "by the call"])
async def test_workers_keep_the_hours_of_a_campaign(postgres_journal: str, given: str) -> None:
    """Those that it was loaded with, though the worker's own client knows of none."""
    night = datetime(2026, 6, 1, 20, 30, tzinfo=ZoneInfo("Asia/Manila"))
    hours: dict[str, Any] = {"send_between": "08:00-20:00", "zone": "Asia/Manila"}
    nothing: dict[str, Any] = {}
    of_client, of_call = (hours, nothing) if given == "by the client" else (nothing, hours)
    clock = InstantClock(night.astimezone(UTC))
    with gateway() as counting:
        provider = IprogProvider("fleet-test-token", base_url=counting.base_url)
        async with SmsClient(provider, **of_client) as loader:
            await enqueue_many(
                loader, people(3), journal=postgres_journal, campaign=CAMPAIGN, **of_call
            )
        async with (
            HttpPool(engine="asyncio", clock=clock) as pool,
            SmsClient(provider, pool=pool) as sms,
            working(sms, postgres_journal),
        ):
            await until_ended(postgres_journal)

    assert (3, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert night + timedelta(hours=11.5) <= clock.now()


class ClockFrom(SystemClock):
    """The real clock, set to another time.

    Args:
        start: What it shows now.
    """

    def __init__(self, start: datetime) -> None:
        self._ahead = start - super().now()

    def now(self) -> datetime:
        """Return the time that it shows."""
        return super().now() + self._ahead


@asynccontextmanager
async def working_at(start: datetime, outbox: SmsOutbox, journal: str) -> AsyncGenerator[None]:
    """Let a worker that takes few texts at a time work at some time of the day."""
    async with (
        HttpPool(clock=ClockFrom(start)) as pool,
        SmsClient(outbox.provider, pool=pool) as sms,
        working(sms, journal, concurrency=1),
    ):
        yield


async def test_a_campaign_that_waits_for_its_hours_holds_up_no_other(postgres_journal: str) -> None:
    """Its chunks are back in the queue until then, and everybody gets the text once."""
    night = datetime(2026, 6, 1, 3, 0, tzinfo=ZoneInfo("Asia/Manila")).astimezone(UTC)
    hours: dict[str, Any] = {"send_between": "08:00-20:00", "zone": "Asia/Manila"}
    outbox = SmsOutbox()
    where: dict[str, Any] = {"journal": postgres_journal, "chunk_size": 100}
    # Its clock is not the database's, so that it is not trusted for the whole night.
    later = (
        "SELECT count(*) FROM {schema}.procrastinate_jobs "
        "WHERE scheduled_at BETWEEN now() + interval '30 min' AND now() + interval '1 hour'"
    )
    async with SmsClient(outbox.provider) as loader:
        await enqueue_many(loader, people(300), campaign=CAMPAIGN, **where, **hours)
        async with working_at(night, outbox, postgres_journal), asyncio.timeout(LONG):
            while rows(postgres_journal, later) != [(3,)]:  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.05)
            await enqueue_many(loader, people(5, "Urgent {}"), campaign="urgent", **where)
            await until_ended(postgres_journal, "urgent")
    assert {f"Urgent {n}" for n in range(5)} == {message.text for message in outbox.messages}

    # The triggers of the queue name no schema.
    due = (
        "WITH path AS (SELECT set_config('search_path', '{schema}', false)) "
        "UPDATE {schema}.procrastinate_jobs SET scheduled_at = now() FROM path RETURNING 1"
    )
    assert [(1,)] * 3 == rows(postgres_journal, due)
    outbox.clear()
    async with working_at(night + timedelta(hours=6), outbox, postgres_journal):
        await until_ended(postgres_journal)
    assert 300 == len({message.to for message in outbox.messages}) == len(outbox.messages)


@pytest.mark.parametrize("of_worker", ["nothing", "a list", "a limit"])
async def test_a_campaign_sleeps_until_its_hours(of_worker: str, postgres_journal: str) -> None:
    """Nobody reads it before, where it is the campaign that has it wait, and not a worker."""
    opens, closes = (datetime.now(UTC) + timedelta(hours=hours) for hours in (4, 6))
    hours: dict[str, Any] = {"send_between": f"{opens:%H:%M}-{closes:%H:%M}", "zone": "UTC"}
    outbox = SmsOutbox()
    where: dict[str, Any] = {"journal": postgres_journal, "campaign": CAMPAIGN}
    resting = (
        "SELECT scheduled_at - now() FROM {schema}.procrastinate_jobs WHERE scheduled_at > now()"
    )
    with Suppressions.open(postgres_journal) as stopped:
        settings: dict[str, dict[str, Any]] = {
            "nothing": {},
            "a list": {"suppressions": stopped},
            "a limit": {"per_number": "1/day"},
        }
        async with SmsClient(outbox.provider, **settings[of_worker]) as sms:
            await enqueue_many(sms, people(3), **where, **hours)
            async with working(sms, postgres_journal), asyncio.timeout(LONG):
                while not (left := rows(postgres_journal, resting)):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0.05)

    ((rest,),) = left
    assert [] == outbox.messages
    assert (rest > timedelta(hours=3.5)) is (of_worker != "a limit")


@pytest.mark.parametrize("given", ["by the client", "by the call"])
async def test_a_time_at_night_is_moved_by_the_workers_too(
    given: str, postgres_journal: str
) -> None:
    """With when_quiet="schedule" the gateway gets it for the morning, as from a run."""
    zone = ZoneInfo("Asia/Manila")
    noon, night, morning = (datetime(2026, 6, day, hour, tzinfo=zone) for day, hour in TIMES)
    hours: dict[str, Any] = {"send_between": "08:00-20:00", "zone": "Asia/Manila"}
    of_client: dict[str, Any] = {**hours, "when_quiet": "schedule"}
    of_call: dict[str, Any] = {} if given == "by the client" else hours
    provider = FakeProvider()
    async with (
        HttpPool(clock=InstantClock(noon.astimezone(UTC))) as pool,
        SmsClient(provider, pool=pool, **of_client) as loader,
        SmsClient(provider, pool=pool) as sms,
    ):
        where: dict[str, Any] = {"journal": postgres_journal, "campaign": CAMPAIGN}
        texts = [Message("+639171234567", "Hi", schedule_at=night)]
        report = await enqueue_many(loader, texts, **where, **of_call)
        async with working(sms, postgres_journal):
            await until_ended(postgres_journal)

    assert 1 == report.enqueued
    assert [morning] == [batch[0].wire.schedule_at for batch in provider.sent]


TIMES = [(1, 12), (2, 3), (2, 8)]
"""A noon, a night and a morning: day and hour."""


async def test_hours_that_make_no_sense_are_refused(postgres_journal: str) -> None:
    """Before anything is loaded."""
    async with SmsClient(IprogProvider("fleet-test-token")) as loader:
        mistakes: list[dict[str, Any]] = [{"send_between": "8-20"}, {"zone": "Asia/Manila"}]
        for wrong in mistakes:
            with pytest.raises(ConfigurationError):
                await enqueue_many(loader, people(1), journal=postgres_journal, **wrong)


async def test_workers_count_in_the_database(postgres_journal: str) -> None:
    """All together: a second campaign meets what the first one has used up."""
    with gateway() as counting:
        provider = IprogProvider("fleet-test-token", base_url=counting.base_url)
        for campaign in ("june", "july"):
            async with SmsClient(provider, engine="asyncio", per_number="1/day") as sms:
                await enqueue_many(sms, people(5), journal=postgres_journal, campaign=campaign)
                async with working(sms, postgres_journal):
                    await until_ended(postgres_journal, campaign)

    assert (5, {1}) == (len(counting.texts), set(counting.texts.values()))
    assert [(5,)] == rows(postgres_journal, "SELECT count(*) FROM {schema}.counts")
