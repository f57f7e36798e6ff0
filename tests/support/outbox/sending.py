"""A sender at work, and the texts that it is given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from iprog_async import Journal, Message, SmsClient
from iprog_async.outbox import OutboxSender
from iprog_async.testing import SmsOutbox
from support.outbox.connections import plain
from support.outbox.looking import rows


NUMBER = "+639171234567"


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


def returned(address: str) -> Iterator[int]:
    """Yield how often each row was taken that nobody has in hand."""
    for takes, is_due in rows(address, "takes, due_at <= now()"):
        yield takes if is_due else 0
