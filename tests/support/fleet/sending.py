"""Loading and sending in the test's own process, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from iprog_async import Journal, Message, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async.fleet import CampaignStatus, FleetCampaign, Worker
from iprog_async_providers import IprogProvider
from support.kill.gateway import CountingGateway
from support.waiting import LONG


CAMPAIGN = "june"


def people(count: int, text: str = "Hi {}") -> Iterator[Message]:
    """Return a message for each of so many people."""
    return (Message(f"0917{number:07d}", text.format(number)) for number in range(count))


def client_of(base_url: str, **settings: Any) -> SmsClient[IprogProvider]:
    """Return a client of a gateway, with further settings."""
    provider = IprogProvider("fleet-test-token", base_url=base_url)
    return SmsClient(provider, engine="asyncio", **settings)


@contextmanager
def gateway() -> Generator[CountingGateway]:
    """Start a gateway that takes every text, and counts them."""
    with CountingGateway(latency=0.001) as started:
        yield started


@asynccontextmanager
async def working(
    sms: SmsClient[Any], journal: str, *, stalled_after: float = 1, **options: Any
) -> AsyncGenerator[Worker]:
    """Let a worker work for as long as a block takes, and end what is on its way."""
    worker = Worker(sms, journal, stalled_after=stalled_after, **options)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await running


async def until_ended(journal: str, campaign: str = CAMPAIGN) -> CampaignStatus:
    """Wait until a campaign has ended or is halted, and nobody is at it."""
    async with FleetCampaign(journal, campaign) as opened, asyncio.timeout(LONG):
        while True:
            status = await opened.status()
            if status.has_ended or (status.halted and not status.is_working):
                return status
            await asyncio.sleep(0.02)


async def counts_of(journal: str, campaign: str = CAMPAIGN) -> dict[str, int]:
    """Return what a journal has of a campaign."""
    opened = await asyncio.to_thread(Journal.open, journal, campaign=campaign)
    try:
        return await opened.counts()
    finally:
        await asyncio.to_thread(opened.close)


async def until_texts(counting: CountingGateway, count: int) -> None:
    """Wait until a gateway has so many texts."""
    async with asyncio.timeout(LONG):
        while counting.texts.total() < count:  # noqa: ASYNC110 - it counts in another thread
            await asyncio.sleep(0.001)


def rows(address: str, query: str) -> list[tuple[Any, ...]]:
    """Return what a query finds; `{schema}` stands for the journal's schema."""
    parsed = PostgresAddress.parse(address)
    with connect(parsed) as connection:
        return run(connection, query.format(schema=parsed.schema)).fetchall()
