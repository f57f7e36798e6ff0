"""What two messages differ in counts only if the gateway can be told it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from support.core.fakes import NUMBER, FakeProvider, to_many

from iprog_async import (
    ConfigurationError,
    DuplicateMessageError,
    Failover,
    Message,
    NotSent,
    Routed,
    SmsClient,
)
from iprog_async.adapter import Batching, Capabilities
from iprog_async_providers.infopromo import UltimateSmsHttpProvider, UltimateSmsProvider
from iprog_async_providers.iprog import IprogOptions, IprogProvider
from iprog_async_providers.ugsms import UgsmsV1Provider, UgsmsV2Provider


EIGHT = datetime(2999, 5, 17, 8, 0, tzinfo=UTC)
SECONDS = timedelta(seconds=1)

_HOST: dict[str, Any] = {
    "base_url": "https://host.example",
    "sender_id": " Acme ",
    "timezone": "Africa/Lagos",
}
MINUTES = [
    IprogProvider("token"),
    UltimateSmsProvider("token", **_HOST),
    UltimateSmsHttpProvider("token", **_HOST),
    Failover(IprogProvider("token"), region="PH"),
]
SENDERS = [
    UltimateSmsProvider("token", **_HOST),
    UltimateSmsHttpProvider("token", **_HOST),
    UgsmsV1Provider("name", "password", sender_id="Acme ", number_format="international"),
    UgsmsV2Provider("key", sender_id="\u00a0Acme", number_format="international"),
]


class ByTheMinute(FakeProvider):
    """A gateway that keeps whole minutes, and schedules no fewer than two texts."""

    capabilities = Capabilities(
        title="Minutes", scheduling="native", schedule_step=timedelta(minutes=1)
    )


LIMITS = Batching(max_batch=100, max_scheduled=100, min_scheduled=2)


@pytest.mark.parametrize("provider", MINUTES, ids=lambda provider: provider.name)
def test_times_that_travel_alike_are_one(provider: Any) -> None:
    """Seconds and zones that the gateway is not told make no other message."""
    tokyo = (EIGHT - 30 * SECONDS).astimezone(ZoneInfo("Asia/Tokyo"))
    times = [EIGHT, EIGHT - SECONDS, tokyo, EIGHT - timedelta(microseconds=1)]
    wires = {
        provider.prepare(Message(NUMBER, "Hi", schedule_at=time)).wire.schedule_at for time in times
    }

    assert {EIGHT} == wires


@pytest.mark.parametrize("provider", MINUTES, ids=lambda provider: provider.name)
def test_no_text_leaves_too_early(provider: Any) -> None:
    """A time within a minute is the next whole one."""
    after = Message(NUMBER, "Hi", schedule_at=EIGHT + timedelta(microseconds=1))

    assert EIGHT + 60 * SECONDS == provider.prepare(after).wire.schedule_at


def test_gateway_that_keeps_times_exactly_is_told_them() -> None:
    """Where nothing is said about steps, two times are two."""
    after = Message(NUMBER, "Hi", schedule_at=EIGHT + SECONDS)

    assert EIGHT + SECONDS == FakeProvider().prepare(after).wire.schedule_at


@pytest.mark.parametrize("provider", SENDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize("sender_id", [None, "Acme", " Acme", "Acme\t"])
def test_blanks_around_a_sender_id_do_not_travel(provider: Any, sender_id: str | None) -> None:
    """A sender ID is what is between the blanks, and the account's own goes without saying."""
    wire = provider.prepare(Message(NUMBER, "Hi", sender_id)).wire

    assert ("Acme", None) == (provider.sender_id, wire.sender_id)
    assert "Other" == provider.prepare(Message(NUMBER, "Hi", " Other ")).wire.sender_id


@pytest.mark.parametrize("sender_id", ["", " ", "a" * 12])
@pytest.mark.parametrize("provider", [UltimateSmsProvider, UgsmsV2Provider])
def test_sender_id_of_an_account_is_checked(provider: Any, sender_id: str) -> None:
    """What can't be a sender ID shows when the provider is made."""
    with pytest.raises(ConfigurationError, match="sender ID"):
        provider("token", base_url="https://host.example", sender_id=sender_id)


@pytest.mark.parametrize("options", [None, IprogOptions(), IprogOptions(1)])
def test_options_that_change_nothing_do_not_travel(options: IprogOptions | None) -> None:
    """Options that say what the adapter does anyway make no request of their own."""
    provider = IprogProvider("token", sms_provider=1)

    assert provider.prepare(Message(NUMBER, "Hi", options=options)).wire.options is None
    other = IprogOptions(2)
    assert other == provider.prepare(Message(NUMBER, "Hi", options=other)).wire.options


def test_members_that_come_later_keep_their_options() -> None:
    """A router does not take for equal what another of its members tells apart."""
    router = Failover(FakeProvider(), IprogProvider("token"), region="PH")
    given = IprogOptions(2)

    assert given == router.prepare(Message(NUMBER, "Hi", options=given)).wire.options


@pytest.mark.usefixtures("whole_batches")
@pytest.mark.parametrize("routed", [False, True])
async def test_texts_of_one_minute_travel_together(routed: bool) -> None:
    """A time that is taken anew for each message does not part fifty texts into fifty requests."""
    gateway = ByTheMinute(limits=LIMITS)
    provider = Routed(lambda _: "fake", gateway, region="PH") if routed else gateway
    messages = [
        evolve(message, schedule_at=EIGHT - timedelta(microseconds=place))
        for place, message in enumerate(to_many(50))
    ]

    async with SmsClient(provider) as client:
        plan = await client.plan_many(messages)
        async with client.send_many(messages) as run:
            counts = await run.drain()

    assert (50, 1) == (counts.accepted, plan.batches)
    assert [50] == [len(batch) for batch in gateway.sent]


async def test_same_text_twice_in_one_minute_is_sent_once() -> None:
    """Who is on the list twice gets one text, however the seconds of its time differ."""
    provider = ByTheMinute(limits=LIMITS)
    messages = [
        Message(NUMBER, "Hi", schedule_at=EIGHT - SECONDS),
        Message(NUMBER, "Hi", schedule_at=EIGHT),
        Message(NUMBER, "Hi", schedule_at=EIGHT + SECONDS),
    ]

    async with SmsClient(provider) as client, client.send_many(messages) as run:
        outcomes = {outcome.index: outcome async for outcome in run}

    second = outcomes[1]
    assert isinstance(second, NotSent)
    assert isinstance(second.error, DuplicateMessageError)
    assert {0, 2} == {prepared.index for batch in provider.sent for prepared in batch}


async def test_outcomes_hold_the_message_as_it_was_given() -> None:
    """What is made equal for the wire is the wire's business."""
    given = Message(NUMBER, "Hi", " Acme ", EIGHT - SECONDS)
    provider = ByTheMinute()

    async with SmsClient(provider) as client, client.send_many([given]) as run:
        outcomes = [outcome async for outcome in run]

    assert [given] == [outcome.message for outcome in outcomes]
