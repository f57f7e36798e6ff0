"""A text that is too old is not sent, and the record says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from support.outbox.looking import told, until
from support.outbox.sending import NUMBER, put, sending, states, texts
from support.policies.rules import rewriting

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
