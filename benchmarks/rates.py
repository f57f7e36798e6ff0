"""A rate that processes share: `python -m benchmarks.rates`.

Four processes send as fast as they may through one account; the gateway, which is in this process,
notes when each request arrives. A rate is kept in a file, and where there is PostgreSQL in its
journal. What counts is the fullest window, which may never hold more than the rate allows, and how
much of the rate was used. On a busy machine the higher rate is not reached for want of CPU time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks._measure import has_postgres
from benchmarks._report import print_table
from benchmarks.contenders import text
from benchmarks.server import TOKEN
from iprog_async import Journal, RetryPolicy, SmsClient
from iprog_async.testing import RawGateway, RawRequest, Reply
from iprog_async_providers import IprogProvider


PROCESSES = 4
_AT_ONCE = 25
_ACCEPTED = Reply.of_json({"status": 200, "message_id": "iSms-1", "sms_rate": "1"})


@frozen
class SharedRate:
    """A rate, and for how many of its windows it is measured."""

    calls: int
    seconds: float
    windows: int

    def __str__(self) -> str:
        return f"{self.calls}/{self.seconds:g}s"


RATES = (SharedRate(1000, 1.0, 6), SharedRate(60, 10.0, 2))
"""One that is leased in bulk, and one whose every window is counted."""
A_SHORT_ONE = (SharedRate(100, 1.0, 2),)


@frozen
class Used:
    """What came of a rate that processes shared.

    Args:
        fullest: The most requests that arrived in any one window.
        part: The part of the rate that was used.
    """

    fullest: int
    part: float


async def send(place: str, base_url: str, rate: str) -> None:
    """Send as fast as one of the processes may, until a line comes in."""
    loop = asyncio.get_running_loop()
    provider = IprogProvider(TOKEN, base_url=base_url, rate=rate)
    numbers = count()
    retry = RetryPolicy(attempts=5)
    journal = await asyncio.to_thread(Journal.open, place)
    async with SmsClient(provider, engine="asyncio", journal=journal, retry=retry) as sms:
        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)

        async def one_after_the_other() -> None:
            for number in numbers:
                await sms.send(f"+63917{number:07d}", text(number))

        sending = [asyncio.create_task(one_after_the_other()) for _ in range(_AT_ONCE)]
        await loop.run_in_executor(None, sys.stdin.readline)
        for task in sending:
            task.cancel()
        ended = await asyncio.gather(*sending, return_exceptions=True)
    await asyncio.to_thread(journal.close)
    for error in ended:
        if not isinstance(error, asyncio.CancelledError):
            raise RuntimeError("a process stopped sending") from error


async def measure(place: str, rate: SharedRate) -> Used:
    """Return how much of a rate is used that is kept at a place.

    Args:
        place: A file, or the address of a journal.
        rate: The rate.
    """
    arrivals: list[float] = []
    loop = asyncio.get_running_loop()

    def note(_: RawRequest) -> Reply:
        arrivals.append(loop.time())
        return _ACCEPTED

    async with RawGateway(note) as gateway:
        command = (sys.executable, "-m", "benchmarks.rates", "--send", place, gateway.base_url)
        processes = [
            await asyncio.create_subprocess_exec(*command, str(rate), stdin=PIPE, stdout=PIPE)
            for _ in range(PROCESSES)
        ]
        try:
            await asyncio.gather(*(_say(process, wait=True) for process in processes))
            await gateway.until(lambda _: bool(arrivals))
            # What arrives as the last window ends is sent a moment before.
            await asyncio.sleep(rate.seconds * rate.windows + 0.3)
            await asyncio.gather(*(_say(process) for process in processes))
            codes = [await process.wait() for process in processes]
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    if any(codes):
        raise RuntimeError("a process failed; what it said is above")
    return used(sorted(arrivals), rate)


async def _say(process: Process, *, wait: bool = False) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    if wait:
        await process.stdout.readline()
    process.stdin.write(b"\n")
    await process.stdin.drain()


def used(arrivals: Sequence[float], rate: SharedRate) -> Used:
    """Return what was used of a rate, by when each request arrived, in order."""
    first = fullest = 0
    for last, arrived in enumerate(arrivals, 1):
        while arrivals[first] <= arrived - rate.seconds:
            first += 1
        fullest = max(fullest, last - first)
    end = arrivals[0] + rate.seconds * rate.windows
    in_time = sum(arrived < end for arrived in arrivals)
    return Used(fullest, in_time / (rate.calls * rate.windows))


@contextmanager
def places() -> Generator[dict[str, str]]:
    """Return where a rate can be kept, by name."""
    with TemporaryDirectory() as name:
        found = {"SQLite": str(Path(name) / "journal.db")}
        if not has_postgres():
            yield found
            return
        from benchmarks.fleet import database  # it needs the extra `postgres`
        from iprog_async._journal.postgres.address import PostgresAddress
        from iprog_async._journal.postgres.migrations import migrate

        with database(Path(name)) as address:
            migrate(PostgresAddress.parse(address))
            yield found | {"PostgreSQL": address}


def measure_all(rates: Sequence[SharedRate]) -> dict[str, Used]:
    """Measure each rate in each place; a rate is another account's, by its credentials."""
    with places() as found:
        return {
            f"{rate}, {name}": asyncio.run(measure(place, rate))
            for rate in rates
            for name, place in found.items()
        }


HEAD = ("rate, kept in", "the fullest window", "used")


def rows(seen: dict[str, Used]) -> list[tuple[str, str, str]]:
    """Return the table's rows."""
    return [(name, f"{it.fullest:,}", f"{it.part:.1%}") for name, it in seen.items()]


def main() -> None:
    """Measure what was asked for, and print it; or be one of the processes that send."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--send", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.send:
        asyncio.run(send(*asked.send))
    else:
        print_table(HEAD, rows(measure_all(RATES)))


if __name__ == "__main__":
    main()
