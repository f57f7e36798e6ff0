"""A router's batch of which somebody else had one text, while the other one was sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from support.core.fakes import Wire
from support.journal.journaling import (
    ACCEPTED,
    Place,
    PostingProvider,
    posting,
    run_over,
    sent_to,
)

from iprog_async import Journal, JournalConflictError, Message, NotSent, Routed, SmsClient
from iprog_async.adapter import Batching


FIRST, TAKEN, OURS = "+639180000001", "+639170000002", "+639180000003"
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
