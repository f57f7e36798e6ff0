from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from support.core.fakes import NUMBER, FakeProvider, accept
from support.journal.journaling import Place

from iprog_async import Journal, Observer, Outcome, SmsClient
from iprog_async._core.observers import SendEnded
from iprog_async._http.send_context import was_in_flight
from iprog_async.adapter import PreparedMessage


class Told(Observer):
    """Keeps the states it is told of."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def send_ended(self, event: SendEnded) -> None:
        """Keep one."""
        self.states.append(event.state)


async def test_a_cancelled_send_with_a_key_goes_on(path: Place) -> None:
    """Its caller is told that it may be sent; observers, once, of what became of it."""
    left, answer = asyncio.Event(), asyncio.Event()

    async def slowly(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        left.set()
        await answer.wait()
        return await accept(batch)

    told = Told()
    with Journal.open(path) as journal:
        provider = FakeProvider(send=slowly)
        async with SmsClient(provider, journal=journal, observers=[told]) as sms:
            sending = asyncio.create_task(sms.send(NUMBER, "Hi", key="order-42"))
            await left.wait()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await sending
            before = list(told.states)
            answer.set()

        assert (True, [], ["accepted"]) == (was_in_flight(caught.value), before, told.states)
        assert 1 == len(provider.sent)
