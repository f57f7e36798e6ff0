"""Bulk runs: latency against the ideal, batches, a million messages, and the journal's price."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from attrs import asdict, frozen

from benchmarks._gateway import gateway
from benchmarks._measure import Figure, Run, Timings, race
from benchmarks.contenders import open_client, sdk_asyncio, sdk_bulk, text
from benchmarks.server import TOKEN
from iprog_async import Failover, HttpPool, Journal, Message, SmsClient
from iprog_async_providers import IprogProvider


SINGLE = "single sends"
BULK = "`send_many`"
JOURNAL = "`send_many`, with a journal (SQLite)"


def _different_texts(count: int) -> Iterator[Message]:
    return (Message(f"0917{n:07d}", text(n)) for n in range(count))


@frozen
class Latency:
    """How near a run comes to what the latency alone allows.

    Args:
        rate: Messages a second.
        ideal: Requests in flight divided by the latency.
    """

    rate: float
    ideal: float


async def latency(messages: int, in_flight: int = 500, seconds: float = 0.2) -> Latency:
    """Send over a gateway that takes a fifth of a second for each answer."""
    with gateway(seconds) as where:
        async with open_client(where, in_flight) as sms:
            run = sms.send_many(_different_texts(in_flight), concurrency=in_flight)
            async with run:
                await run.drain()  # opens the connections
            run = sms.send_many(_different_texts(messages), concurrency=in_flight)
            started = time.perf_counter()
            async with run:
                counts = await run.drain()
            wall = time.perf_counter() - started
            assert counts.accepted == messages
    return Latency(messages / wall, in_flight / seconds)


async def one_text(recipients: int, rounds: int) -> Figure:
    """Send one text to many, a hundred in a request; figures are per recipient."""
    messages = [Message(f"63917{n:07d}", "We open at nine.") for n in range(recipients)]
    with gateway() as where:
        async with open_client(where) as sms:

            async def send(count: int, _: Timings) -> None:
                async with sms.send_many(messages[:count], concurrency=20) as run:
                    assert (await run.drain()).accepted == count

            seen = await race({"one text": send}, messages=recipients, rounds=rounds)
            return seen["one text"]


@frozen
class Stream:
    """A long run with duplicates, in a process of its own.

    Args:
        messages: How many there were.
        duplicates: How many of them were duplicates, all found.
        seconds: How long it took.
        growth_mb: By how much the process's peak memory grew during the run, in MB.
    """

    messages: int
    duplicates: int
    seconds: float
    growth_mb: float


def stream(messages: int) -> Stream:
    """Run the million in a fresh process, whose peak memory is the run's own."""
    command = [sys.executable, "-m", "benchmarks.bulk", str(messages)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return Stream(**json.loads(done.stdout))


async def _stream_here(messages: int) -> Stream:
    with gateway() as where:
        async with open_client(where) as sms:
            async with sms.send_many(_different_texts(1000), concurrency=100) as run:
                await run.drain()
            before, started = _peak_mb(), time.perf_counter()
            # Every tenth message repeats one from far back, beyond any window.
            rows = (
                Message(f"63917{n % (messages - messages // 10):07d}", "We open at nine.")
                for n in range(messages)
            )
            async with sms.send_many(rows, concurrency=20) as run:
                counts = await run.drain()
            wall = time.perf_counter() - started
    assert counts.not_sent == messages // 10
    assert counts.total == messages
    return Stream(messages, counts.not_sent, wall, _peak_mb() - before)


def _peak_mb() -> float:
    """Return the most memory this process has held; Linux's rusage would count its parent's."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


async def journal(messages: int, rounds: int) -> dict[str, Figure]:
    """Send different texts: one by one, with `send_many`, and that with a new journal."""
    async with AsyncExitStack() as stack:
        where = stack.enter_context(gateway())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sms = await stack.enter_async_context(open_client(where))
        used = iter(range(1_000_000))

        async def on(count: int, _: Timings) -> None:
            with Journal.open(folder / f"{next(used)}.db") as kept:
                async with sms.send_many(_different_texts(count), journal=kept) as run:
                    assert (await run.drain()).accepted == count

        runs: dict[str, Run] = {
            SINGLE: await stack.enter_async_context(sdk_asyncio(where, 100)),
            BULK: await stack.enter_async_context(sdk_bulk(where, 100)),
            JOURNAL: on,
        }
        return await race(runs, messages=messages, rounds=rounds)


def journal_rows(seen: Mapping[str, Figure]) -> list[tuple[str, ...]]:
    """Return the table's rows, each with its ratio to the one before."""
    ratios = [
        "",
        f"{seen[BULK].cpu_us / seen[SINGLE].cpu_us:.2f} x single sends",
        f"{seen[JOURNAL].cpu_us / seen[BULK].cpu_us:.2f} x without it",
    ]
    return [
        (name, f"{figure.cpu_us:.0f} µs", ratio, f"{figure.rate:,.0f}/s")
        for (name, figure), ratio in zip(seen.items(), ratios, strict=True)
    ]


async def gather(count: int) -> dict[str, int]:
    """Return how many of `gather`ed sends on one client are accepted, with each engine."""
    accepted: dict[str, int] = {}
    with gateway() as where:
        for engine in ("httpx", "asyncio"):
            provider = IprogProvider(TOKEN, base_url=where.base_url)
            async with HttpPool(engine=engine) as pool, SmsClient(provider, pool=pool) as sms:
                sends = (sms.send(f"0917{n:07d}", "Hello") for n in range(count))
                ended = await asyncio.gather(*sends, return_exceptions=True)
                accepted[engine] = sum(not isinstance(end, BaseException) for end in ended)
    return accepted


async def failover(messages: int, rounds: int) -> dict[str, Figure]:
    """Send through a living gateway alone, and behind one that refuses every connection."""
    with socket.create_server(("127.0.0.1", 0)) as closing:
        dead = f"http://127.0.0.1:{closing.getsockname()[1]}"
    with gateway() as where:
        living = IprogProvider(TOKEN, base_url=where.base_url, name="living")
        first_is_dead = Failover(
            IprogProvider(TOKEN, base_url=dead, name="dead"), living, region="PH"
        )
        async with (
            SmsClient(living, engine="asyncio") as alone,
            SmsClient(first_is_dead, engine="asyncio") as behind,
        ):

            async def send_alone(count: int, _: Timings) -> None:
                async with alone.send_many(_different_texts(count)) as run:
                    assert (await run.drain()).accepted == count

            async def send_behind(count: int, _: Timings) -> None:
                async with behind.send_many(_different_texts(count)) as run:
                    assert (await run.drain()).accepted == count

            runs: dict[str, Run] = {"alone": send_alone, "behind a dead gateway": send_behind}
            return await race(runs, messages=messages, rounds=rounds)


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_stream_here(int(sys.argv[1]))))))
