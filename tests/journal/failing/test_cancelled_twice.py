"""Whoever is cancelled once more while a run or a client is closed leaves nothing taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from support.core.fakes import NUMBER, FakeProvider, Wire
from support.journal.journaling import ACCEPTED, Place, PostingProvider, posting, run_over

from iprog_async import Allow, Journal, JournalError, Message, Outcome, Outgoing, SmsClient
from iprog_async._bulk.outcome_stream import OutcomeStream
from iprog_async.adapter import Gateway


_NEVER = 20
"""Seconds that end a test which would wait for ever."""

MESSAGES = [Message(NUMBER, "Hi", key="a")]


class _Slow:
    """A policy that takes for ever to hear what became of a text."""

    def __init__(self) -> None:
        self.asked, self.told = asyncio.Event(), asyncio.Event()

    async def __call__(self, text: Outgoing) -> Allow:
        self.asked.set()
        return Allow()

    async def settle(self, text: Outgoing, outcome: Outcome) -> None:
        self.told.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("by_path", [False, True], ids=["a journal", "a path"])
async def test_a_run_lets_go_of_the_journal_and_its_keys(path: Place, *, by_path: bool) -> None:
    """The next run of the campaign begins, and sends what this one has not."""
    policy, wire = _Slow(), Wire(ACCEPTED)
    for _ in range(wire.pool.slots.size):
        await wire.pool.slots.acquire()
    client = SmsClient(PostingProvider(), pool=wire.pool, policies=[policy])
    with Journal.open(path) as journal, Journal.open(path) as other:
        sending = asyncio.create_task(
            run_over(client, MESSAGES, journal=path if by_path else journal)
        )
        for event in (policy.asked, policy.told):
            await event.wait()
            sending.cancel()
        await asyncio.wait([sending])
        assert (True, set()) == (sending.cancelled(), set(journal.under_way))
        # What was handed in is written, and then the file is free.
        await journal.counts()
        (outcome,) = await run_over(posting(Wire(ACCEPTED)), MESSAGES, journal=other)
    assert ("accepted", []) == (outcome.state, wire.requests)


async def test_a_reader_of_a_run_hears_of_its_end() -> None:
    """Although whoever closes it does not wait for what is not on record yet."""
    stream = OutcomeStream(1, on_lost=lambda _: None)
    recorded: asyncio.Future[JournalError | None] = asyncio.get_running_loop().create_future()
    stream.add([], recorded)
    closing = asyncio.create_task(stream.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait([closing])
    recorded.set_result(None)
    async with asyncio.timeout(_NEVER):
        assert not await stream.read_on()


async def test_a_client_closes_its_connections(path: Place) -> None:
    """Although whoever closes it does not wait for the text that is under way."""
    left = asyncio.Event()

    async def take_long(_: object) -> Sequence[Outcome]:
        left.set()
        await asyncio.Event().wait()
        return []

    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider(send=take_long), journal=journal)
        sending = asyncio.create_task(client.send(NUMBER, "Hi", key="a"))
        await left.wait()
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing, sending])
    assert closing.cancelled()
    assert client._pool.closed  # pyright: ignore[reportPrivateUsage] - its own, and closed with it


async def test_a_pool_closes_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Although whoever closes it does not wait for what it gives back to other processes."""
    pool, giving_back, closed = Wire(ACCEPTED).pool, asyncio.Event(), asyncio.Event()

    async def give_back() -> None:
        giving_back.set()
        await asyncio.Event().wait()

    async def close(_: object) -> None:
        closed.set()

    monkeypatch.setattr(pool.pace(Gateway("fake", "http://gateway.test", ())), "aclose", give_back)
    monkeypatch.setattr(type(pool.engine), "aclose", close)
    closing = asyncio.create_task(pool.aclose())
    await giving_back.wait()
    closing.cancel()
    await asyncio.wait([closing])
    assert (True, True) == (closing.cancelled(), closed.is_set())
