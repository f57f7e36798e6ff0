"""Times that no gateway can keep are refused, alike by the library and the command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from support.core.fakes import LATER, NUMBER, FakeProvider, to_many

from iprog_async import (
    Allow,
    ConfigurationError,
    Failover,
    HttpPool,
    InvalidMessageError,
    Journal,
    Message,
    NotSent,
    SmsClient,
    WaitUntil,
)
from iprog_async._bulk.options import BulkOptions
from iprog_async._core.messages import check_not_after
from iprog_async._core.schedules import check_aware
from iprog_async.cli._options.times import WallClock
from iprog_async.cli._options.when import clock_of
from iprog_async.fleet._settings import JobSettings
from iprog_async.testing import InstantClock
from iprog_async_providers.infopromo import UltimateSmsHttpProvider, UltimateSmsProvider
from iprog_async_providers.infopromo._options import wall_time
from iprog_async_providers.iprog import IprogProvider


AMSTERDAM = ZoneInfo("Europe/Amsterdam")
MANILA = ZoneInfo("Asia/Manila")
TWICE = datetime(2027, 10, 31, 2, 30, tzinfo=AMSTERDAM)
NEVER = datetime(2027, 3, 28, 2, 30, tzinfo=AMSTERDAM)
HOUR = timedelta(hours=1)

_HOST: dict[str, Any] = {
    "base_url": "https://host.example",
    "sender_id": "Acme",
    "timezone": "Europe/Amsterdam",
}
WALL_CLOCKS = [UltimateSmsProvider("token", **_HOST), UltimateSmsHttpProvider("token", **_HOST)]
NO_CLOCKS_CHANGED = [IprogProvider("token"), FakeProvider()]


def prepare(provider: Any, when: datetime) -> object:
    """Prepare a text for a time."""
    return provider.prepare(Message(NUMBER, "Hi", schedule_at=when))


TAKE_TIMES: dict[str, Callable[[Any], object]] = {
    "schedule_at": lambda when: prepare(FakeProvider(), when),
    "not_after": lambda when: check_not_after(Message(NUMBER, "Hi", not_after=when)),
    "start": lambda when: check_aware(when, "start"),
    "until=": lambda when: Allow(until=when),
    "time=": WaitUntil,
    "not_after=": lambda when: BulkOptions(not_after=when),
    "at=": lambda when: JobSettings(starts_at=when),
}


@pytest.mark.parametrize(
    ("when", "wrong"),
    [
        (datetime(2999, 1, 1), "2999-01-01T00:00:00 has no time zone"),
        ("noon", "'noon' is no datetime"),
    ],
)
@pytest.mark.parametrize("what", TAKE_TIMES)
def test_a_time_that_names_no_moment_is_refused_in_the_same_words(
    what: str, when: object, wrong: str
) -> None:
    """By its name, and with what to pass instead; the class says whether a text is at fault."""
    of_a_setting = what.endswith("=")
    with pytest.raises(ConfigurationError if of_a_setting else InvalidMessageError) as caught:
        TAKE_TIMES[what](when)

    assert str(caught.value).startswith(f"{what} {wrong}; pass an aware datetime, such as ")


@pytest.mark.parametrize("provider", WALL_CLOCKS, ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    "when",
    [
        TWICE,
        TWICE.replace(fold=1),
        TWICE.astimezone(UTC),
        TWICE.replace(fold=1).astimezone(MANILA),
        TWICE.replace(minute=0),
        TWICE.replace(minute=0) - timedelta(seconds=1),
        TWICE.replace(minute=59, fold=1),
    ],
)
def test_hour_that_comes_twice_is_refused_where_only_the_clock_is_told(
    provider: Any, when: datetime
) -> None:
    """A gateway that is told what a clock shows could send an hour early or late."""
    with pytest.raises(InvalidMessageError) as caught:
        prepare(provider, when)

    words = (
        f"schedule_at {when.isoformat()} is there twice in Europe/Amsterdam, where clocks go back"
    )
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith("choose another time")


@pytest.mark.parametrize("provider", [*WALL_CLOCKS, *NO_CLOCKS_CHANGED], ids=lambda one: one.name)
def test_hours_beside_are_taken(provider: Any) -> None:
    """What the clocks show once is one moment."""
    for when in (TWICE.replace(hour=1), TWICE.replace(hour=3), NEVER.replace(hour=3)):
        assert prepare(provider, when) is not None


@pytest.mark.parametrize("provider", NO_CLOCKS_CHANGED, ids=lambda provider: provider.name)
@pytest.mark.parametrize("fold", [0, 1])
def test_moment_is_taken_where_the_gateway_can_be_told_which(provider: Any, fold: int) -> None:
    """An aware time is one moment, and where it travels as one nothing is wrong with it."""
    assert prepare(provider, TWICE.replace(fold=fold)) is not None


@pytest.mark.parametrize(
    "provider",
    [*WALL_CLOCKS, *NO_CLOCKS_CHANGED, Failover(FakeProvider(), region="PH")],
    ids=lambda provider: provider.name,
)
def test_hour_that_never_comes_is_refused(provider: Any) -> None:
    """A time that no clock of its zone shows is a mistake, for every gateway."""
    words = "is never shown in Europe/Amsterdam, where clocks go forward; write 2027-03-28T03:30"
    with pytest.raises(InvalidMessageError, match=words):
        prepare(provider, NEVER)


@pytest.mark.parametrize("provider", WALL_CLOCKS, ids=lambda provider: provider.name)
def test_minute_that_ends_in_the_gap_is_the_next_that_there_is(provider: Any) -> None:
    """Rounding up follows the clocks: a second before two is three where they go forward."""
    when = NEVER.replace(hour=1, minute=59, second=59)
    wire = provider.prepare(Message(NUMBER, "Hi", schedule_at=when)).wire
    assert "2027-03-28 03:00" == wall_time(wire.schedule_at, "Europe/Amsterdam")


def test_command_proposes_nothing_that_the_gateway_can_not_be_told() -> None:
    """On the gateway's own clock an offset helps nobody; on another one it does."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    own = WallClock(AMSTERDAM, now, gateways=True)
    with pytest.raises(InvalidMessageError, match=r"is there twice .*; choose another time"):
        own.read("2027-10-31 02:30", "--at")
    with pytest.raises(InvalidMessageError, match=r"is there twice .*; write 2027"):
        WallClock(AMSTERDAM, now).read("2027-10-31 02:30", "--at")
    assert clock_of(WALL_CLOCKS[0], None).gateways
    assert clock_of(WALL_CLOCKS[0], "Europe/Amsterdam").gateways
    assert not clock_of(WALL_CLOCKS[0], "Asia/Manila").gateways


PAST = datetime(2026, 1, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize("when", [PAST, PAST + HOUR, datetime(2001, 1, 1, tzinfo=MANILA)])
async def test_time_that_is_over_is_refused(when: datetime) -> None:
    """One text, many, and a plan: none sends what was to be sent before."""
    provider = FakeProvider()
    message = Message(NUMBER, "Hi", schedule_at=when)
    async with SmsClient(provider) as client:
        with pytest.raises(InvalidMessageError, match="is in the past: it is "):
            await client.send(NUMBER, "Hi", schedule_at=when)
        plan = await client.plan_many([message, *to_many(1)])
        async with client.send_many([message, *to_many(1)]) as run:
            outcomes = [outcome async for outcome in run]

    assert (1, 1) == (plan.recipients, plan.invalid)
    assert ["accepted", "not_sent"] == sorted(outcome.state for outcome in outcomes)
    refused = [outcome for outcome in outcomes if isinstance(outcome, NotSent)]
    assert isinstance(refused[0].error, InvalidMessageError)
    assert 1 == len(provider.sent)


async def test_time_that_is_still_to_come_is_taken() -> None:
    """A minute from now is soon enough."""
    provider = FakeProvider()
    async with SmsClient(provider) as client:
        await client.send(NUMBER, "Hi", schedule_at=datetime.now(UTC) + timedelta(minutes=1))

    assert 1 == len(provider.sent)


async def test_what_was_scheduled_in_time_stays_so(tmp_path: Path) -> None:
    """A run that goes on after the time, and a key that is sent again, tell what was."""
    path = tmp_path / "june.db"
    soon = datetime.now(UTC) + HOUR
    message = Message(NUMBER, "Hi", schedule_at=soon, key="order 1")
    with Journal.open(path) as journal:
        async with SmsClient(FakeProvider(), journal=journal) as client:
            await client.send(NUMBER, "Ho", schedule_at=soon, key="order 2")
            async with client.send_many([message]) as run:
                await run.drain()
        provider = FakeProvider()
        async with client_two_hours_later(provider, journal) as client:
            receipt = await client.send(NUMBER, "Ho", schedule_at=soon, key="order 2")
            with pytest.raises(InvalidMessageError, match="is in the past"):
                await client.send(NUMBER, "Ho", schedule_at=soon, key="order 3")
            async with client.send_many([message]) as run:
                outcomes = [outcome async for outcome in run]

    assert (["accepted"], "fake", []) == (
        [outcome.state for outcome in outcomes],
        receipt.provider,
        provider.sent,
    )


def client_two_hours_later(provider: FakeProvider, journal: Journal) -> SmsClient[FakeProvider]:
    """Return a client whose clock is ahead."""
    clock = InstantClock(datetime.now(UTC) + 2 * HOUR)
    return SmsClient(provider, pool=HttpPool(clock=clock), journal=journal)


async def test_keys_of_what_was_refused_are_free(tmp_path: Path) -> None:
    """A text that was refused for its time is sent under its key at a better one."""
    provider = FakeProvider()
    with Journal.open(tmp_path / "june.db") as journal:
        async with SmsClient(provider, journal=journal) as client:
            for when in (PAST, LATER):
                message = Message(NUMBER, "Hi", schedule_at=when, key="order")
                async with client.send_many([message]) as run:
                    counts = await run.drain()

    assert (1, 1) == (counts.accepted, len(provider.sent))
