"""Texts in a journal that a gateway accepted, and following them to their final status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from iprog_async import (
    DeliveryStatus,
    FollowUp,
    HttpPool,
    Journal,
    Outcome,
    SmsClient,
    SmsError,
)
from iprog_async.adapter import Batching, PreparedMessage, accepted
from iprog_async.testing import InstantClock
from support.core.fakes import FakeProvider, to_many
from support.journal.journaling import Place, rows_in, run_over
from support.journal.listing import AskedProvider, Item


DELIVERED = DeliveryStatus("delivered", "Delivered")
FAILED = DeliveryStatus("failed", "Undelivered")
SENT = DeliveryStatus("sent", "Enroute")
PENDING = DeliveryStatus("pending", "queued")


async def accept(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Accept texts, each with an id that its number gives."""
    return [accepted(one, "fake", message_id=f"u{one.to}") for one in batch]


async def leave(path: Place, count: int, send: Any = accept, text: str = "Hi") -> None:
    """Leave a journal with so many accepted texts."""
    with Journal.open(path) as journal:
        provider = FakeProvider(send=send, limits=Batching(max_batch=100))
        await run_over(SmsClient(provider), to_many(count, text), journal=journal)


async def follow(
    path: Place, provider: Any, clock: InstantClock | None = None, **options: Any
) -> FollowUp:
    """Follow a journal as a process of its own would."""
    # No request comes to a connection.
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    pool = HttpPool(http=http, clock=clock or InstantClock())
    return await SmsClient(provider, pool=pool).follow(path, **options)


def listed(count: int, status: DeliveryStatus = DELIVERED) -> list[Item]:
    """Return what a gateway lists of texts to many, the newest first."""
    numbers = [message.to[1:] for message in to_many(count)]
    return [Item(f"u{number}", number, status) for number in reversed(numbers)]


def ids_of(count: int) -> list[str]:
    """Return the ids of texts to many, the oldest first."""
    return [f"u{message.to[1:]}" for message in to_many(count)]


def saying(count: int, *answers: DeliveryStatus | SmsError) -> AskedProvider:
    """Return a gateway that says the same of each of the texts to many, answer after answer."""
    return AskedProvider(statuses={uid: list(answers) for uid in ids_of(count)})


def statuses_in(path: Place) -> list[str]:
    """Return what a journal says of its texts, in order."""
    return [status for (status,) in rows_in(path, "status")]
