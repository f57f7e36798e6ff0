"""A sender sends what was committed, each text once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from support.outbox.connections import plain
from support.outbox.looking import rows, told, until
from support.outbox.sending import NUMBER, put, sending, states, texts

from iprog_async import (
    ClientClosedError,
    ConfigurationError,
    ConnectionFailedError,
    Journal,
    Message,
    SmsClient,
)
from iprog_async.outbox import OutboxSender
from iprog_async.sandbox import Sandbox
from iprog_async.testing import SmsOutbox


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
