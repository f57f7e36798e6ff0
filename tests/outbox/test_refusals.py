"""What a sender does not send is on record with the reason, and keeps nobody waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.outbox.looking import rows, told, until
from support.outbox.sending import NUMBER, put, sending, states, texts

from iprog_async import (
    Journal,
    JournalUnknownError,
    Message,
    Refuse,
    RejectedError,
    SmsClient,
    SmsError,
    Suppressions,
    WaitUntil,
)
from iprog_async._journal.keys import contended
from iprog_async.outbox import OutboxSender
from iprog_async.testing import SmsOutbox


async def test_what_a_policy_refuses_is_on_record_as_not_sent(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """For good: its text is erased, and whoever looks it up learns why."""
    client = SmsClient(gateway.provider, journal=journal, policies=[lambda _: Refuse("STOP")])
    async with client, OutboxSender(client, poll=3600.0):
        await put(address, journal, Message(NUMBER, "Hi", key="a"))
        await until(lambda: states(address)() == [("done", None)])
    entry = await journal.outcome_of(NUMBER, "a")

    assert [] == gateway.messages
    assert entry is not None
    assert "not_sent" == entry.state
    assert "STOP" in entry.detail


async def test_what_a_policy_has_wait_waits_until_then(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """It is put back with its time, and nothing is on record of it."""
    morning = datetime.now(UTC) + timedelta(hours=30)
    client = SmsClient(gateway.provider, journal=journal, policies=[lambda _: WaitUntil(morning)])
    async with client, OutboxSender(client, poll=3600.0) as sender:
        await put(address, journal, Message(NUMBER, "Hi", key="a"))
        await until(lambda: rows(address, "takes > 0 AND due_at > now() + interval '1 h'")[0][0])
        assert sender.paused_by is None
    entry = await journal.outcome_of(NUMBER, "a")

    ((due,),) = rows(address, "due_at")
    assert abs(due - morning) < timedelta(minutes=5)
    assert [("waiting", "Hi")] == states(address)()
    assert entry is not None
    assert "waiting" == entry.state


async def test_one_bad_text_keeps_nobody_waiting(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """What can't be sent, or is refused for good, is on record with its reason."""
    good, bad, refused = texts(3)
    past = Message(bad.to, bad.text, schedule_at=datetime(2001, 1, 1, tzinfo=UTC), key=bad.key)
    gateway.refuse(RejectedError("spam", provider="outbox"), to=refused.to)
    async with sending(gateway, journal):
        await put(address, journal, past, refused, good)
        await until(lambda: states(address)() == [("done", None)] * 3)
    found = [await journal.outcome_of(text.to, text.key or "") for text in (good, bad, refused)]

    assert ["accepted", "not_sent", "not_sent"] == [entry and entry.state for entry in found]
    assert [True, True] == [
        entry is not None and word in entry.detail
        for entry, word in zip(found[1:], ("is in the past", "spam"), strict=True)
    ]
    assert [good.text] == [message.text for message in gateway.messages]


async def test_text_that_the_adapter_refuses_is_on_record(address: str, journal: Journal) -> None:
    """What only the provider can see, before any network, ends the row like any refusal."""
    gateway = SmsOutbox()
    long_ago = "UPDATE {outbox} SET sender_id = 'much too long a name'"
    await put(address, journal, Message(NUMBER, "Hi", key="a"))
    told(address, long_ago)
    async with sending(gateway, journal):
        await until(lambda: states(address)() == [("done", None)])
    entry = await journal.outcome_of(NUMBER, "a")
    assert entry is not None
    assert ("not_sent", True, []) == (entry.state, "sender ID" in entry.detail, gateway.messages)


async def test_number_that_said_stop_is_not_texted(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """A text for a suppressed number ends unsent, whenever it was enqueued; the others go out."""
    stopped, other = texts(2)
    with Suppressions.open(address) as suppressions:
        await suppressions.add(stopped.to, why="STOP")
        await put(address, journal, stopped, other)
        async with (
            SmsClient(gateway.provider, journal=journal, suppressions=suppressions) as client,
            OutboxSender(client, poll=3600.0, pause=3600.0),
        ):
            await until(lambda: states(address)() == [("done", None)] * 2)
        await suppressions.remove(stopped.to)
    assert [other.text] == [message.text for message in gateway.messages]


async def test_text_that_is_refused_for_now_waits_alone(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The others go out meanwhile; after a day of tries it is ended."""
    now, later = texts(2)
    gateway.refuse(RejectedError("busy", provider="outbox", healable=True), times=2, to=later.to)
    async with sending(gateway, journal, lease=7200.0) as sender:
        await put(address, journal, later, now)
        await until(lambda: gateway.messages)
        waits = "state = 'waiting' AND takes = 1 AND due_at < now() + interval '1 hour'"
        await until(lambda: (True,) in rows(address, waits))
        told(address, "UPDATE {outbox} SET due_at = now(), enqueued_at = now() - interval '2 days'")
        sender.resume()
        await until(lambda: states(address)() == [("done", None)] * 2)
    entry = await journal.outcome_of(later.to, later.key or "")
    assert [now.text] == [message.text for message in gateway.messages]
    assert ("not_sent", 2) == (entry and entry.state, len(gateway.refused))


async def test_text_in_doubt_stays_so_after_a_day_of_tries(
    address: str, journal: Journal, gateway: SmsOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may have sent it, and it is nobody's proof that it was not."""
    (text,) = texts(1)
    doubt = JournalUnknownError("?", provider="", reason="?")
    doubt.not_resent = contended(text.to)

    async def send(_: object) -> SmsError:
        return doubt

    async with sending(gateway, journal, lease=7200.0) as sender:
        monkeypatch.setattr(sender._texts, "send", send)  # pyright: ignore[reportPrivateUsage] - what it comes to
        await put(address, journal, text)
        await until(lambda: rows(address, "state = 'waiting' AND takes = 1") == [(True,)])
        told(address, "UPDATE {outbox} SET due_at = now(), enqueued_at = now() - interval '2 days'")
        sender.resume()
        await until(lambda: states(address)() == [("unknown", text.text)])
    assert [] == gateway.messages
