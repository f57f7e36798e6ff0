"""A text that is too old is not sent, and the record says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.outbox.looking import told, until
from support.outbox.sending import NUMBER, put, sending, states, texts
from support.policies.rules import rewriting
from support.postgres.addresses import with_query

from iprog_async import Journal, Message, SmsClient
from iprog_async.outbox import OutboxSender
from iprog_async.testing import SmsOutbox


async def test_text_that_is_too_old_is_not_sent(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """A code of yesterday is on record as not sent, and one that is not too old is sent."""
    old, young = texts(2)
    await put(address, journal, old, young, max_age=timedelta(minutes=5))
    told(address, "UPDATE {outbox} SET expires_at = now() - interval '1 s' WHERE key = 'order-0'")
    async with sending(gateway, journal):
        await until(lambda: states(address)() == [("done", None)] * 2)
    entry = await journal.outcome_of(old.to, "order-0")

    assert [young.text] == [message.text for message in gateway.messages]
    assert entry is not None
    assert ("not_sent", True) == (entry.state, "expired before it could be sent" in entry.detail)


async def test_age_of_a_scheduled_text_limits_its_request_alone(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The gateway keeps it for much longer, and policies that rewrite it change nothing of that."""
    when = datetime(2999, 12, 24, 8, 0, tzinfo=UTC)
    rule = rewriting("{} STOP to end".format)
    await put(
        address,
        journal,
        Message(NUMBER, "Hi", schedule_at=when, key="a"),
        max_age=timedelta(minutes=5),
    )
    async with (
        SmsClient(gateway.provider, journal=journal, policies=[rule]) as client,
        OutboxSender(client, poll=3600.0),
    ):
        await until(lambda: gateway.messages)

    assert ("Hi STOP to end", when) == (gateway.last.text, gateway.last.schedule_at)


async def test_text_that_was_sent_is_not_called_too_old(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """Where a sender died after sending, the journal's word counts, whatever the time is."""
    async with SmsClient(gateway.provider, journal=journal) as client:
        await client.send(NUMBER, "Hi", key="a")
    await put(address, journal, Message(NUMBER, "Hi", key="a"), max_age=timedelta(minutes=5))
    told(address, "UPDATE {outbox} SET expires_at = now() - interval '1 s'")
    async with sending(gateway, journal):
        await until(lambda: states(address)() == [("done", None)])
    entry = await journal.outcome_of(NUMBER, "a")
    assert (1, "accepted") == (len(gateway.messages), entry and entry.state)


ODD_TIMES = [
    "expires_at = '9999-12-31 23:59:59.999999+00'",
    "expires_at = '294000-01-01'",
    "expires_at = 'infinity'",
    "expires_at = '4700-01-01 BC'",
    "schedule_at = '9999-12-31 23:59:59.999999+00'",
    "schedule_at = 'infinity'",
    "schedule_at = '-infinity'",
]


async def test_time_that_nobody_can_reckon_with_stops_no_other_text(
    address: str, gateway: SmsOutbox
) -> None:
    """Whatever times a row has that no `datetime` holds, it comes to its end like the others."""
    count = len(ODD_TIMES) + 1
    ahead = with_query(address, options="-cTimeZone=Asia/Manila")
    with Journal.open(ahead) as journal:
        await put(address, journal, *texts(count))
        for number, odd in enumerate(ODD_TIMES):
            told(address, f"UPDATE {{outbox}} SET {odd} WHERE key = 'order-{number}'")  # noqa: S608 - ours
        async with sending(gateway, journal):
            await until(lambda: states(address)() == [("done", None)] * count)
    assert f"Hi {count - 1}" in {message.text for message in gateway.messages}


@pytest.mark.parametrize(
    ("message", "max_age"),
    [
        (Message(NUMBER, "Hi", key="a", not_after=datetime.max.replace(tzinfo=UTC)), None),
        (Message(NUMBER, "Hi", key="a"), timedelta.max),
    ],
    ids=["not_after", "max_age"],
)
async def test_text_that_is_never_too_old_is_sent(
    address: str, journal: Journal, gateway: SmsOutbox, message: Message, max_age: timedelta | None
) -> None:
    """The longest time that can be said is as good as none."""
    await put(address, journal, message, max_age=max_age)
    async with sending(gateway, journal):
        await until(lambda: gateway.messages)
