"""Enqueuing for programs that have a connection of their own, and no journal open."""

from __future__ import annotations

from datetime import timedelta

from iprog_async._core.messages import Message
from iprog_async._journal.enqueuing.enqueue import Enqueued, Target
from iprog_async._journal.postgres.address import DEFAULT_SCHEMA


async def enqueue(
    message: Message,
    *,
    connection: object,
    region: str | None = None,
    max_age: timedelta | None = None,
    campaign: str = "",
    schema: str = DEFAULT_SCHEMA,
) -> Enqueued:
    """Put a text into the outbox like `Journal.enqueue`, without a journal that is open here.

    Args:
        message: As for `Journal.enqueue`.
        connection: As for `Journal.enqueue`.
        region: As for `Journal.enqueue`.
        max_age: As for `Journal.enqueue`.
        campaign: That of the journal that the sender has.
        schema: The schema in which the journal is.

    Raises:
        SmsError: As for `Journal.enqueue`. Nothing was enqueued.
    """
    return await Target(schema, campaign).enqueue(message, connection, region, max_age)


def enqueue_sync(
    message: Message,
    *,
    connection: object,
    region: str | None = None,
    max_age: timedelta | None = None,
    campaign: str = "",
    schema: str = DEFAULT_SCHEMA,
) -> Enqueued:
    """Put a text into the outbox like `Journal.enqueue_sync`, without a journal that is open here.

    Args:
        message: As for `Journal.enqueue`.
        connection: As for `Journal.enqueue_sync`.
        region: As for `Journal.enqueue`.
        max_age: As for `Journal.enqueue`.
        campaign: That of the journal that the sender has.
        schema: The schema in which the journal is.

    Raises:
        SmsError: As for `Journal.enqueue`. Nothing was enqueued.
    """
    return Target(schema, campaign).enqueue_sync(message, connection, region, max_age)
