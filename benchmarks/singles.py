"""Single sends to a local gateway, 100 in flight and no latency: what a send costs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from benchmarks import contenders
from benchmarks._ceiling import server_ceiling
from benchmarks._measure import Figure, Run, fan_out, gateway, race


CONCURRENCY = 100
CEILING = "the server's own ceiling"


async def measure(messages: int, rounds: int) -> dict[str, Figure]:
    """Return CPU time per message and rate of each contender, and what the server could do."""
    with gateway() as base_url:
        async with AsyncExitStack() as stack:
            runs: dict[str, Run] = {}
            for name, contender in contenders.installed().items():
                send = await stack.enter_async_context(contender(base_url, CONCURRENCY))
                runs[name] = _run(send)
            figures = await race(runs, messages=messages, rounds=rounds)
        figures[CEILING] = await server_ceiling(base_url, messages * 5, CONCURRENCY)
        return figures


def _run(send: contenders.Send) -> Run:
    async def run(count: int) -> None:
        await fan_out(send, count, CONCURRENCY)

    return run


def rows(figures: dict[str, Figure]) -> list[tuple[str, ...]]:
    """Return the table's rows: contender, CPU, rate, ratio to bare httpx."""
    bare = figures[contenders.BARE_HTTPX].cpu_us
    return [
        (
            name,
            f"{figure.cpu_us:.0f} µs",
            f"{figure.rate:,.0f}/s",
            "" if name == CEILING else f"{bare / figure.cpu_us:.1f} x",
        )
        for name, figure in figures.items()
    ]


HEAD = ("contender", "CPU per message", "rate", "less CPU than bare httpx")


if __name__ == "__main__":
    for row in rows(asyncio.run(measure(messages=2000, rounds=5))):
        print("  ".join(f"{cell:>28}" for cell in row))
