"""A sender sends what was committed, each text once, and says on record what it did not send."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from support.outbox.connections import plain
from support.outbox.looking import rows, told, until
from support.policies.rules import rewriting

from iprog_async import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    InsufficientCreditError,
    Journal,
    Message,
    RateLimitError,
    Refuse,
    RejectedError,
    SmsClient,
    Suppressions,
    WaitUntil,
)
from iprog_async.outbox import OutboxSender
from iprog_async.sandbox import Sandbox
from iprog_async.testing import SmsOutbox


NUMBER = "+639171234567"


@pytest.fixture
def gateway() -> SmsOutbox:
    """Return a gateway in memory."""
    return SmsOutbox()


@pytest.fixture
def journal(address: str) -> Iterator[Journal]:
    """Return the journal of the sender."""
    with Journal.open(address) as opened:
        yield opened


@asynccontextmanager
async def sending(
    gateway: SmsOutbox, journal: Journal, **settings: Any
) -> AsyncGenerator[OutboxSender]:
    """Give a sender at work, which looks only when it is told."""
    settings = {"poll": 3600.0, "pause": 3600.0} | settings
    async with (
        SmsClient(gateway.provider, journal=journal) as client,
        OutboxSender(client, **settings) as sender,
    ):
        yield sender


async def put(address: str, journal: Journal, *messages: Message, **options: Any) -> None:
    """Enqueue texts in one transaction, and commit."""
    async with await psycopg.AsyncConnection.connect(plain(address)) as connection:
        for message in messages:
            await journal.enqueue(message, connection=connection, **options)


def texts(count: int) -> list[Message]:
    """Return texts for as many people."""
    return [Message(f"+63917{n:07d}", f"Hi {n}", key=f"order-{n}") for n in range(count)]


def states(address: str) -> Callable[[], list[Any]]:
    """Return what looks up states and texts."""
    return lambda: rows(address, "state, text")


async def test_what_is_committed_is_sent(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """It goes out without anybody asking, its text is erased, the journal has its outcome."""
    async with sending(gateway, journal):
        await put(address, journal, *texts(3))
        await until(lambda: len(gateway.messages) == 3)
    entry = await journal.outcome_of("+639170000001", "order-1")

    assert ["Hi 0", "Hi 1", "Hi 2"] == sorted(message.text for message in gateway.messages)
    assert [("done", None)] * 3 == states(address)()
    assert entry is not None
    assert ("accepted", "outbox") == (entry.state, entry.provider)


async def test_what_was_committed_before_it_began_is_sent_oldest_first(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """With one text at a time they go in the order in which they were enqueued."""
    await put(address, journal, *texts(5))
    async with sending(gateway, journal, concurrency=1):
        await until(lambda: len(gateway.messages) == 5)
    assert [f"Hi {n}" for n in range(5)] == [message.text for message in gateway.messages]


async def test_rolled_back_text_is_never_sent(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """What was rolled back is not sent, and what was committed after it is."""
    async with sending(gateway, journal):
        async with await psycopg.AsyncConnection.connect(plain(address)) as connection:
            await journal.enqueue(Message(NUMBER, "Never", key="a"), connection=connection)
            await connection.rollback()
        await put(address, journal, Message(NUMBER, "Hi", key="a"))
        await until(lambda: gateway.messages)
    assert ["Hi"] == [message.text for message in gateway.messages]


async def test_all_of_a_message_travels(address: str, journal: Journal, gateway: SmsOutbox) -> None:
    """The gateway gets the sender ID and the time, too."""
    when = datetime(2999, 12, 24, 8, 0, tzinfo=UTC)
    async with sending(gateway, journal):
        await put(address, journal, Message(NUMBER, "Hi", "SHOP", when, "a"))
        await until(lambda: gateway.messages)
    message = gateway.last
    assert ("SHOP", when) == (message.sender_id, message.schedule_at)


async def test_text_that_the_journal_has_is_not_sent_again(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """A key that was sent directly before is the same text: the row is done."""
    async with SmsClient(gateway.provider, journal=journal) as client:
        await client.send(NUMBER, "Hi", key="a")
    async with sending(gateway, journal):
        await put(address, journal, Message(NUMBER, "Hi", key="a"))
        await until(lambda: states(address)() == [("done", None)])
    assert 1 == len(gateway.messages)


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


async def test_the_clients_sender_id_is_enough(
    address: str, journal: Journal, sms_sandbox: Sandbox
) -> None:
    """A gateway that sends nothing without one gets that of the client."""
    gateway = sms_sandbox.address("infopromo").replace("sender_id=Sandbox&", "")
    client = SmsClient.from_url(gateway, journal=journal, sender_id="ACME")
    async with client, OutboxSender(client, poll=3600.0):
        await put(address, journal, Message(NUMBER, "Hi", key="a"))
        await until(lambda: states(address)() == [("done", None)])
    assert ["ACME"] == [text.sender_id for text in sms_sandbox.inbox]


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


async def test_unknown_text_is_ended_and_never_sent_again(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """It is on record as unknown, and its text is erased as soon as nobody can be at it."""
    gateway.lose()
    async with sending(gateway, journal) as sender:
        await put(address, journal, Message(NUMBER, "Hi", key="a"))
        await until(lambda: rows(address, "state") != [("waiting",)])
        sender.resume()
        await put(address, journal, Message(NUMBER, "Ho", key="b"))
        await until(lambda: len(gateway.messages) == 2)
    async with sending(gateway, journal):
        # A sender that begins looks after what is in doubt.
        await until(lambda: states(address)() == [("done", None)] * 2)
    entry = await journal.outcome_of(NUMBER, "a")
    assert (2, "unknown") == (len(gateway.messages), entry and entry.state)


async def test_text_that_was_thought_unknown_and_was_given_back_is_sent(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """A process that was stopped may wake up and release its claim: then the text waits again."""
    await put(address, journal, Message(NUMBER, "Hi", key="a"))
    told(address, "UPDATE {outbox} SET state = 'unknown'")
    gateway.refuse(ConnectionFailedError, times=1)
    async with SmsClient(gateway.provider, journal=journal) as client:
        with pytest.raises(ConnectionFailedError):
            await client.send(NUMBER, "Hi", key="a")
    async with sending(gateway, journal):
        await until(lambda: states(address)() == [("done", None)])
    assert ["Hi"] == [message.text for message in gateway.messages]


async def test_empty_account_stops_it_until_it_is_told(
    address: str, journal: Journal, gateway: SmsOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost: all texts wait, one line says why, and `resume` goes on with all of them."""
    gateway.credit = 0
    async with sending(gateway, journal, concurrency=4) as sender:
        await put(address, journal, *texts(20))
        await until(lambda: sender.paused_by)
        await until(lambda: {takes for (takes,) in rows(address, "takes")} == {0, 1})
        waiting = {state for (state,) in rows(address, "state")}
        cause = sender.paused_by
        gateway.credit = 1000
        sender.resume()
        await until(lambda: len(gateway.messages) == 20)
        await until(lambda: sender.paused_by is None)

    assert ({"waiting"}, InsufficientCreditError) == (waiting, type(cause))
    assert 4 >= len(gateway.refused)
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert 1 == len(errors)
    assert "credit and credentials" in errors[0]
    assert NUMBER[:7] not in errors[0]


@pytest.mark.parametrize("rows_when_analysed", [0, 1, 2, 20])
async def test_takes_no_more_than_it_has_room_for_whatever_the_planner_knows(
    address: str, journal: Journal, gateway: SmsOutbox, rows_when_analysed: int
) -> None:
    """An empty account costs `concurrency` refusals, with every plan that statistics lead to."""
    gateway.credit = 0
    await put(address, journal, *texts(20)[:rows_when_analysed])
    told(address, "ANALYZE {outbox}")
    await put(address, journal, *texts(20)[rows_when_analysed:])
    async with sending(gateway, journal, concurrency=4) as sender:
        await until(lambda: sender.paused_by)
        await until(lambda: sum(_returned(address)) == len(gateway.refused))
    assert 4 == sum(takes for (takes,) in rows(address, "takes"))


async def test_gateway_that_asks_for_a_pause_is_tried_with_one_text(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """While it lasts all texts wait, and after it one of them goes ahead of the others."""
    slower = RateLimitError("slower", provider="outbox", retry_after=3600)
    gateway.refuse(slower, times=5)
    async with sending(gateway, journal, concurrency=4) as sender:
        await put(address, journal, *texts(10))
        for refused in (4, 5):
            await until(lambda: sum(_returned(address)) == refused)  # noqa: B023 - called at once
            assert refused == len(gateway.refused)
            sender.resume()
        await until(lambda: len(gateway.messages) == 10)
    assert 15 == sum(takes for (takes,) in rows(address, "takes"))


def _returned(address: str) -> Iterator[int]:
    """Yield how often each row was taken that nobody has in hand."""
    for takes, is_due in rows(address, "takes, due_at <= now()"):
        yield takes if is_due else 0


async def test_unreachable_gateway_loses_nothing(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The texts wait until it is back."""
    gateway.refuse(ConnectionFailedError, times=2)
    async with sending(gateway, journal, concurrency=1) as sender:
        await put(address, journal, *texts(3))

        def all_are_sent() -> bool:
            sender.resume()
            return len(gateway.messages) == 3

        await until(all_are_sent)
    assert 2 == len(gateway.refused)


async def test_text_that_expired_does_not_say_that_the_gateway_is_back(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The pause is over only when the gateway has answered."""
    slower = RateLimitError("slower", provider="outbox", retry_after=3600)
    gateway.refuse(slower, times=1)
    first, second = texts(2)
    async with sending(gateway, journal) as sender:
        await put(address, journal, first, max_age=timedelta(minutes=5))
        await until(lambda: sum(_returned(address)) == 1)
        told(address, "UPDATE {outbox} SET expires_at = now() - interval '1 s'")
        sender.resume()
        await until(lambda: rows(address, "state") == [("done",)])
        cause = sender.paused_by
        await put(address, journal, second)
        await until(lambda: gateway.messages)
        await until(lambda: sender.paused_by is None)

    assert isinstance(cause, RateLimitError)


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


async def test_two_senders_share_the_work(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """Each text is sent by one of them, whoever gets it."""
    other = SmsOutbox()
    with Journal.open(address) as another:
        async with sending(gateway, journal, concurrency=2), sending(other, another, concurrency=2):
            await put(address, journal, *texts(40))
            await until(lambda: len(gateway.messages) + len(other.messages) == 40)
    sent = [message.to for message in gateway.messages + other.messages]
    assert 40 == len(set(sent)) == len(sent)


async def test_row_of_a_sender_that_died_is_taken_again(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """When its lease is over the text is anybody's, and what it did before is in the journal."""
    await put(address, journal, *texts(2))
    told(address, "UPDATE {outbox} SET takes = 1, due_at = now() + interval '1 hour'")
    async with SmsClient(gateway.provider, journal=journal) as client:
        await client.send("+639170000000", "Hi 0", key="order-0")
    async with sending(gateway, journal) as sender:
        await asyncio.sleep(0)
        told(address, "UPDATE {outbox} SET due_at = now()")
        sender.resume()
        await until(lambda: states(address)() == [("done", None)] * 2)
    assert ["Hi 0", "Hi 1"] == [message.text for message in gateway.messages]


async def test_stopped_sender_leaves_the_rest_to_others(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """What it had in hand came to its outcome, and nothing else was touched."""
    async with SmsClient(gateway.provider, journal=journal) as client:
        sender = OutboxSender(client, concurrency=1)
        running = asyncio.create_task(sender.run())
        await put(address, journal, *texts(30))
        await until(lambda: len(gateway.messages) >= 3)
        sender.stop()
        await running
    done = [state for (state,) in rows(address, "state")].count("done")
    untouched = [takes for (takes,) in rows(address, "takes")].count(0)
    assert (len(gateway.messages), 30) == (done, done + untouched)


async def test_closed_client_ends_it(address: str, journal: Journal, gateway: SmsOutbox) -> None:
    """It can't go on, and says so; the text waits for another sender."""
    client = SmsClient(gateway.provider, journal=journal)
    await client.aclose()
    await put(address, journal, *texts(1))
    with pytest.raises(ClientClosedError):
        await OutboxSender(client).run()
    assert [("waiting", "Hi 0")] == states(address)()


async def test_lost_connection_is_made_again(
    address: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """When the server ends all its connections, the texts that come after are sent, too."""
    async with sending(gateway, journal, poll=0.1):
        await put(address, journal, *texts(1))
        await until(lambda: len(gateway.messages) == 1)
        told(
            address,
            # What others say to the server has another schema; who listens listens again.
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND (query LIKE 'LISTEN %' OR strpos(query, split_part('{outbox}', '.', 1)) > 0)",
        )
        await put(address, journal, *texts(2))
        await until(lambda: len(gateway.messages) == 2)
    assert ["Hi 0", "Hi 1"] == [message.text for message in gateway.messages]


async def test_outcome_of_what_waits_and_of_what_is_not_there(
    address: str, journal: Journal
) -> None:
    """A text that is enqueued waits; of one that nobody enqueued nothing is known."""
    await put(address, journal, Message(NUMBER, "Hi", key="a"))
    waiting = await journal.outcome_of("0917 123 4567", "a", region="PH")
    assert waiting is not None
    assert (NUMBER, "a", "waiting") == (waiting.number, waiting.key, waiting.state)
    assert None is await journal.outcome_of(NUMBER, "b")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"poll": 0}, "poll"),
        ({"lease": -1}, "lease"),
        ({"pause": "long"}, "pause"),
    ],
)
async def test_settings_out_of_range_are_refused(
    settings: dict[str, Any], words: str, journal: Journal, gateway: SmsOutbox
) -> None:
    """The error names the setting."""
    async with SmsClient(gateway.provider, journal=journal) as client:
        with pytest.raises(ConfigurationError, match=words):
            OutboxSender(client, **settings)


async def test_client_without_journal_is_refused(gateway: SmsOutbox) -> None:
    """Nothing would keep a text from going out twice."""
    async with SmsClient(gateway.provider) as client:
        with pytest.raises(ConfigurationError, match="needs a client with a journal"):
            OutboxSender(client)
