"""Texts that leave at certain hours of the day only."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from support.core.clock import VirtualClock
from support.core.fakes import NUMBER, FakeProvider, Wire, different_texts
from support.journal.journaling import ACCEPTED, PostingProvider, numbers_of, states_in
from support.outbox.looking import until

from iprog_async import (
    Allow,
    ConfigurationError,
    Counts,
    HttpPool,
    InvalidMessageError,
    Journal,
    Message,
    Outgoing,
    Rate,
    Refuse,
    SendLaterError,
    SmsClient,
    UnsupportedError,
)
from iprog_async._policies.send_between import SendBetween
from iprog_async.adapter import Batching, Capabilities, Gateway
from iprog_async.testing import InstantClock


MANILA = ZoneInfo("Asia/Manila")
HOURS = "08:00-20:00"
NEVER = [("+18005550123", "time zones, and it is never 10:00-12:00 in all of them")]


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    """Return a time in Manila."""
    return datetime(2026, 6, day, hour, minute, tzinfo=MANILA)


def client_at(now: datetime, provider: Any = None, **settings: Any) -> SmsClient[Any]:
    """Return a client whose clock begins there."""
    pool = HttpPool(clock=InstantClock(now.astimezone(UTC)))
    return SmsClient(provider or FakeProvider(), pool=pool, **settings)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(8), None),
        (at(19, 58), None),
        (at(19, 59), at(8, day=2)),
        (at(20), at(8, day=2)),
        (at(2), at(8)),
        (at(7, 59), at(8)),
    ],
)
async def test_a_single_text_is_sent_within_the_hours(
    now: datetime, until: datetime | None
) -> None:
    """Outside of them, and in their last minute, it is not sent, and the error says when."""
    async with client_at(now, send_between=HOURS) as client:
        if until is None:
            await client.send(NUMBER, "Hi")
            return
        with pytest.raises(SendLaterError) as caught:
            await client.send(NUMBER, "Hi")

    assert until == caught.value.until
    assert f"{until:%Y-%m-%d %H:%M}+08:00" in str(caught.value)
    assert caught.value.healable


async def test_the_hours_are_those_of_the_number() -> None:
    """At ten in Manila it is night in Kampala; with zone= one clock holds for all."""
    sent: list[str] = []
    for settings in ({}, {"zone": "Asia/Manila"}):
        provider = FakeProvider()
        async with client_at(at(10), provider, send_between=HOURS, **settings) as client:
            for number in (NUMBER, "+256701234567"):
                try:
                    await client.send(number, "Hi")
                except SendLaterError:
                    continue
        sent.append(" ".join(batch[0].e164 for batch in provider.sent))

    assert [NUMBER, f"{NUMBER} +256701234567"] == sent


@pytest.mark.parametrize(("number", "words"), [("+88312345678", "nobody knows"), *NEVER])
def test_a_number_of_no_zone_is_not_sent_a_text(number: str, words: str) -> None:
    """Nobody knows whether it sleeps; with zone= it goes."""
    text = Outgoing(number=number, message=Message(number, "Hi"), segments=1, now=at(10))
    refused = SendBetween.of_words("10:00-12:00", None, "wait").decide(text)

    assert isinstance(refused, Refuse)
    assert isinstance(refused.error, InvalidMessageError)
    assert words in str(refused.error)
    assert "give zone=" in str(refused.error)
    assert isinstance(SendBetween.of_words(HOURS, "Asia/Manila", "wait").decide(text), Allow)


async def test_a_gateway_that_schedules_can_have_it_for_the_morning() -> None:
    """With when_quiet="schedule" a single text is handed to it, for when the hours begin."""
    provider = FakeProvider()
    async with client_at(at(22), provider, send_between=HOURS, when_quiet="schedule") as client:
        await client.send(NUMBER, "Hi")

    ((prepared,),) = provider.sent
    assert at(8, day=2) == prepared.message.schedule_at


async def test_a_gateway_without_scheduling_has_it_wait() -> None:
    """The error says when, as without it."""

    class Plain(FakeProvider):
        capabilities = Capabilities(title="Plain", scheduling="none")

    async with client_at(at(22), Plain(), send_between=HOURS, when_quiet="schedule") as client:
        with pytest.raises(SendLaterError):
            await client.send(NUMBER, "Hi")
        with pytest.raises(UnsupportedError):
            await client.send(NUMBER, "Hi", schedule_at=at(9, day=2))


async def test_a_gateway_that_schedules_no_single_text_has_it_wait() -> None:
    """It is not refused for good: with a key it goes in the morning."""
    provider = FakeProvider(limits=Batching(max_batch=100, max_scheduled=100, min_scheduled=2))
    async with client_at(at(22), provider, send_between=HOURS, when_quiet="schedule") as client:
        with pytest.raises(SendLaterError) as caught:
            await client.send(NUMBER, "Hi")

    assert (at(8, day=2), []) == (caught.value.until, provider.sent)


@pytest.mark.parametrize(
    ("when", "goes"), [(at(9, day=2), True), (at(21, day=2), False), (at(19, 59, day=2), False)]
)
async def test_a_text_that_is_scheduled_is_judged_by_its_time(when: datetime, goes: bool) -> None:
    """It may be handed over at night, for the day, and not the other way round."""
    async with client_at(at(23), send_between=HOURS) as client:
        if goes:
            assert (await client.send(NUMBER, "Hi", schedule_at=when)).message_id == "id-0"
            return
        with pytest.raises(SendLaterError, match="outside of 08:00-20:00") as caught:
            await client.send(NUMBER, "Hi", schedule_at=when)
    assert at(8, day=3) == caught.value.until


@pytest.mark.parametrize(
    "settings",
    [
        {"send_between": "8-20"},
        {"send_between": "08:00-08:01"},
        {"send_between": "23:59-24:00"},
        {"send_between": HOURS, "zone": "Manila"},
        {"zone": "Asia/Manila"},
        {"send_between": HOURS, "when_quiet": "drop"},
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any]) -> None:
    """They are refused at once."""
    with pytest.raises(ConfigurationError):
        SmsClient(FakeProvider(), **settings)


class _Gateway:
    """A gateway that takes a text every twenty seconds, and notes when it came.

    Args:
        clock: The time there.
    """

    def __init__(self, clock: InstantClock | VirtualClock) -> None:
        self.clock = clock
        self.sent: list[tuple[datetime, str]] = []
        self.wire = Wire(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        now = self.clock.now().astimezone(MANILA)
        self.sent += [(now, number) for number in numbers_of(request)]
        if isinstance(self.clock, VirtualClock):
            self.clock.jump(20)
        else:
            self.clock.advance(20)
        return ACCEPTED

    def client(self, provider: PostingProvider | None = None) -> SmsClient[Any]:
        """Return a client of its."""
        pool = HttpPool(http=self.wire.http, clock=self.clock)
        return SmsClient(provider or PostingProvider(), pool=pool, send_between=HOURS)

    @property
    def at_night(self) -> list[datetime]:
        """When texts came that should not have."""
        return [time for time, _ in self.sent if not 8 <= time.hour < 20]


async def _go_on(gateway: _Gateway, path: Path | str, rows: list[Message]) -> Counts:
    """Run what a journal has begun to its end."""
    with Journal.open(path) as journal:
        async with (
            gateway.client() as client,
            client.send_many(rows, journal=journal, concurrency=2) as run,
        ):
            return await run.drain()


async def test_a_run_that_is_begun_in_the_evening_goes_on_in_the_morning(
    path: Path | str,
) -> None:
    """Begun at 19:58, stopped in the night, resumed at once: nothing leaves from 20:00 to 08:00."""
    clock = VirtualClock()
    # It begins at 8:00 in Manila.
    clock.jump(timedelta(hours=11, minutes=58).total_seconds())
    gateway = _Gateway(clock)
    rows = different_texts(12)
    with Journal.open(path) as journal:
        async with (
            gateway.client() as client,
            client.send_many(rows, journal=journal, concurrency=2) as run,
        ):
            reading = asyncio.create_task(run.drain())
            await until(lambda: clock.now().astimezone(MANILA).minute == 59 and not run.in_flight)
            # What waits has no claim, so that this is as a kill leaves it.
            run.stop()
            await reading
    before = len(gateway.sent)
    assert 0 < before < 12
    assert ["accepted"] * before == states_in(path)

    clock.jump(3 * 3600)
    gateway.clock = InstantClock(clock.now())
    counts = await _go_on(gateway, path, rows)

    assert (12, before) == (counts.accepted, counts.resumed)
    assert 12 == len({number for _, number in gateway.sent}) == len(gateway.sent)
    assert [] == gateway.at_night


async def test_a_run_that_is_killed_at_night_goes_on_in_the_morning(tmp_path: Path) -> None:
    """What is on the disk while rows wait is enough: each gets one text, and none at night."""
    clock = VirtualClock()
    clock.jump(timedelta(hours=11, minutes=58).total_seconds())
    gateway = _Gateway(clock)
    rows = different_texts(12)
    running, killed = tmp_path / "running", tmp_path / "killed"
    running.mkdir()
    with Journal.open(running / "j.db") as journal:
        async with (
            gateway.client() as client,
            client.send_many(rows, journal=journal, concurrency=2) as run,
        ):
            reading = asyncio.create_task(run.drain())
            await until(lambda: clock.now().astimezone(MANILA).minute == 59 and not run.in_flight)
            # What was accepted a moment ago would be unknown, as after any kill.
            await until(lambda: {"accepted"} == set(states_in(running / "j.db")))
            # As a kill leaves it: neither stopped nor closed.
            shutil.copytree(running, killed)
            run.stop()
            await reading
    before = len(gateway.sent)

    clock.jump(3 * 3600)
    gateway.clock = InstantClock(clock.now())
    counts = await _go_on(gateway, killed / "j.db", rows)

    assert (12, before) == (counts.accepted, counts.resumed)
    assert 12 == len({number for _, number in gateway.sent}) == len(gateway.sent)
    assert [] == gateway.at_night


async def test_what_waits_for_the_rate_does_not_leave_at_night() -> None:
    """Retries, pauses and rates carry no text beyond the hours: it is judged as it leaves."""
    gateway = _Gateway(InstantClock(at(19, 50).astimezone(UTC)))
    slow = Gateway("fake", "http://gateway.test", ("s3cret",), rate=Rate(1, 180.0))
    async with (
        gateway.client(PostingProvider(gateway=slow)) as client,
        client.send_many(different_texts(10), concurrency=10) as run,
    ):
        counts = await run.drain()

    assert 10 == counts.accepted
    assert [] == gateway.at_night
    assert 1 < len({time.date() for time, _ in gateway.sent})


async def test_a_preview_tells_how_many_rows_wait() -> None:
    """And when the first of them go on; nothing is sent, and nothing counted."""
    rows = [*different_texts(3), Message("+256701234567", "Hi")]
    async with client_at(at(21), send_between=HOURS, per_number="1/day") as client:
        plans = [await client.plan_many(rows) for _ in range(2)]

    assert [3, 3] == [plan.waiting for plan in plans]
    assert 4 == plans[0].recipients
    assert at(8, day=2) == plans[0].waits_until
