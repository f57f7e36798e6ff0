"""How soon an outbox sends: `python -m benchmarks.outbox [--texts N]`.

From the commit of the program's own transaction to the request at the gateway, one text at a time.
It needs PostgreSQL, as the benchmark of the fleet does.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from benchmarks._report import print_table
from benchmarks.fleet import database
from iprog_async import Journal, Message, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.outbox import OutboxSender, enqueue_sync
from iprog_async.testing import RawGateway, RawRequest, Reply
from iprog_async_providers import IprogProvider


_ACCEPTED = Reply.of_json({"status": 200, "message_id": "iSms-1", "sms_rate": "1"})
_SECONDS_BETWEEN = 0.01


async def measure(address: str, texts: int) -> list[float]:
    """Return for each text how many seconds passed from its commit to its arrival."""
    arrived: asyncio.Queue[float] = asyncio.Queue()
    parsed = PostgresAddress.parse(address)

    def answer(_: RawRequest) -> Reply:
        arrived.put_nowait(time.perf_counter())
        return _ACCEPTED

    def commit(number: int) -> float:
        message = Message(f"+63917{number:07d}", f"Your code is {number}", key=str(number))
        with connection.transaction():
            enqueue_sync(message, connection=connection, schema=parsed.schema)
        return time.perf_counter()

    seconds: list[float] = []
    journal = await asyncio.to_thread(Journal.open, address)
    with psycopg.connect(str(parsed.conninfo), autocommit=True) as connection:
        async with RawGateway(answer) as gateway:
            provider = IprogProvider("benchmark-token", base_url=gateway.base_url, rate=None)
            async with (
                SmsClient(provider, engine="asyncio", journal=journal) as sms,
                OutboxSender(sms),
            ):
                for number in range(texts):
                    committed = await asyncio.to_thread(commit, number)
                    seconds.append(await arrived.get() - committed)
                    await asyncio.sleep(_SECONDS_BETWEEN)
    await asyncio.to_thread(journal.close)
    return seconds


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=1000, help="how many are committed")
    asked = parser.parse_args()
    with TemporaryDirectory() as name, database(Path(name)) as address:
        migrate(PostgresAddress.parse(address))
        seconds = asyncio.run(measure(address, asked.texts))
    parts = statistics.quantiles(seconds, n=100)
    row = ("outbox, one at a time", f"{parts[49] * 1000:.1f} ms", f"{parts[98] * 1000:.1f} ms")
    print_table(("from commit to gateway", "p50", "p99"), [row])


if __name__ == "__main__":
    main()
