"""Measuring: CPU time per message and rate, medians over interleaved rounds."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager

from attrs import frozen


@frozen
class Figure:
    """What one contender needs.

    Args:
        cpu_us: CPU time of this process per message, in microseconds.
        rate: Messages a second.
    """

    cpu_us: float
    rate: float


Run = Callable[[int], Awaitable[None]]
"""Sends so many messages."""


@contextmanager
def gateway(latency: float = 0.0) -> Generator[str]:
    """Run the local gateway as a process of its own, on another core where there is one."""
    command = [sys.executable, "-m", "benchmarks.server", "--latency", str(latency)]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = int(process.stdout.readline())
        with _pinned_apart(process.pid):
            try:
                yield f"http://127.0.0.1:{port}"
            finally:
                process.stdin.close()
                process.wait(timeout=10)


@contextmanager
def _pinned_apart(pid: int) -> Generator[None]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) < 2:
        yield
        return
    os.sched_setaffinity(pid, {cores[-1]})
    os.sched_setaffinity(0, {cores[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


async def race(
    contenders: Mapping[str, Run], *, messages: int, rounds: int, warm_up: int = 200
) -> dict[str, Figure]:
    """Let contenders take turns, and return the median of each.

    Taking turns spreads whatever else the machine does evenly over all of them.
    """
    for contender in contenders.values():
        await contender(warm_up)
    seen: dict[str, list[Figure]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            cpu, wall = time.process_time(), time.perf_counter()
            await contender(messages)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            seen[name].append(Figure(cpu / messages * 1e6, messages / wall))
    return {
        name: Figure(
            statistics.median(figure.cpu_us for figure in figures),
            statistics.median(figure.rate for figure in figures),
        )
        for name, figures in seen.items()
    }


async def fan_out(send: Callable[[int], Awaitable[object]], count: int, concurrency: int) -> None:
    """Make `count` calls with `concurrency` workers on one iterator."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await send(number)

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
