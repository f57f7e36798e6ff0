"""A router's batch of which somebody else had one text, while the other one was sent."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from support.core.fakes import Wire
from support.journal.journaling import (
    ACCEPTED,
    Place,
    PostingProvider,
    posting,
    rows_in,
    run_over,
    sent_to,
)

from iprog_async import Journal, JournalConflictError, Message, NotSent, Routed, SmsClient
from iprog_async.adapter import Batching


FIRST, TAKEN, OURS = "+639180000001", "+639170000002", "+639180000003"
_NEVER = 20
"""Seconds that end a test which would wait for ever."""

ORDERS = pytest.mark.parametrize("people", [(TAKEN, OURS), (OURS, TAKEN)], ids=["first", "second"])

pytestmark = pytest.mark.usefixtures("whole_batches")


def routed(wire: Wire) -> SmsClient[Any]:
    """Return a client of a router that sends to the one who is taken by another gateway."""
    members = [PostingProvider(name=name, limits=Batching(max_batch=10)) for name in ("a", "b")]
    router = Routed(lambda number: "a" if number == TAKEN else "b", *members)
    return SmsClient(router, pool=wire.pool)


@ORDERS
async def test_what_somebody_else_had_is_told_as_the_journal_has_it(
    people: tuple[str, str], path: Place
) -> None:
    """Wherever it is in the batch, it is looked up again, and the other one is sent once."""
    with Journal.open(path) as journal, Journal.open(path) as other:

        async def happen(_: httpx.Request) -> httpx.Response:
            await posting(Wire(ACCEPTED), other).send(TAKEN, "Hi", key="order-1")
            return ACCEPTED

        wire = Wire(happen, ACCEPTED)
        messages = [Message(FIRST, "Hello"), *(Message(number, "Hi") for number in people)]
        outcomes = await run_over(routed(wire), messages, journal=journal, concurrency=1)

    ended = {outcome.message.to: outcome for outcome in outcomes}
    assert isinstance(taken := ended[TAKEN], NotSent)
    assert isinstance(taken.error, JournalConflictError)
    assert ("accepted", [FIRST, OURS]) == (ended[OURS].state, sent_to(wire))


@ORDERS
async def test_nobody_waits_for_what_somebody_else_is_sending(
    people: tuple[str, str], path: Place
) -> None:
    """The other one of the batch is told, counted and on record before that one's end."""
    at_gateway, go_on = asyncio.Event(), asyncio.Event()

    async def take_long(_: httpx.Request) -> httpx.Response:
        at_gateway.set()
        await go_on.wait()
        return ACCEPTED

    with Journal.open(path) as journal, Journal.open(path) as other:
        async with posting(Wire(take_long), other) as client, asyncio.TaskGroup() as theirs:

            async def happen(_: httpx.Request) -> httpx.Response:
                theirs.create_task(client.send(TAKEN, "Hi", key="order-1"))
                await at_gateway.wait()
                return ACCEPTED

            wire = Wire(happen, ACCEPTED)
            messages = [Message(FIRST, "Hello"), *(Message(number, "Hi") for number in people)]
            async with (
                routed(wire).send_many(messages, journal=journal, concurrency=1) as run,
                asyncio.timeout(_NEVER),
            ):
                told = [(await anext(aiter(run))).message.to for _ in range(2)]
                accepted, states = run.counts.accepted, dict(rows_in(path, "number, state"))
                go_on.set()
                told += [outcome.message.to async for outcome in run]

    assert ([FIRST, OURS, TAKEN], 2) == (told, accepted)
    assert {FIRST: "accepted", OURS: "accepted", TAKEN: "claimed"} == states
