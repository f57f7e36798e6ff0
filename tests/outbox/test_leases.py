"""Several senders share an outbox: each text is in the hands of one, until it is over or dies."""

from __future__ import annotations

import asyncio

from support.outbox.looking import rows, told, until
from support.outbox.sending import put, sending, states, texts

from iprog_async import Journal, SmsClient
from iprog_async.outbox import OutboxSender
from iprog_async.testing import SmsOutbox


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
