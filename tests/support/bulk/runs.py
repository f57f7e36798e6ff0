"""Runs over providers that need no gateway, and what came of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from iprog_async import AuthenticationError, BulkRun, Outcome, SmsClient
from iprog_async.adapter import PreparedMessage, failed
from support.core.fakes import FakeProvider


@asynccontextmanager
async def running(
    provider: FakeProvider, messages: Any, max_connections: int = 100, **settings: Any
) -> AsyncGenerator[BulkRun, None]:
    """Run over messages with a client of its own."""
    async with (
        SmsClient(provider, max_connections=max_connections) as client,
        client.send_many(messages, **settings) as run,
    ):
        yield run


async def read(run: BulkRun, outcomes: list[Outcome]) -> None:
    """Collect the outcomes of a run that ends in an error."""
    async for outcome in run:
        outcomes.append(outcome)


async def run_all(
    provider: FakeProvider, messages: Any, **settings: Any
) -> tuple[list[Outcome], BulkRun]:
    """Send messages and return the outcomes, by index, with the run."""
    outcomes: list[Outcome] = []
    async with running(provider, messages, **settings) as run:
        await read(run, outcomes)
    return sorted(outcomes, key=lambda outcome: outcome.index), run


async def broke(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Refuse the account."""
    error = AuthenticationError("wrong token", provider="fake")
    return [failed(prepared, error) for prepared in batch]
