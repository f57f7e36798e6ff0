"""Texts to a local gateway without latency: what one costs, plain and over TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TypeAlias

from benchmarks import contenders
from benchmarks._ceiling import server_ceiling
from benchmarks._gateway import Gateway, gateway
from benchmarks._measure import Figure, Run, race


CONCURRENCY = 100
CEILING = "the server's own ceiling"
WIRES: tuple[str, str] = ("plain", "TLS")

ByWire: TypeAlias = dict[str, dict[str, Figure]]
"""Figures by wire and contender."""


async def measure(messages: int, rounds: int, concurrency: int = CONCURRENCY) -> ByWire:
    """Return the figures of each contender on both wires, and what the servers could do."""
    with gateway() as plain, gateway(tls=True) as encrypted:
        gateways = dict(zip(WIRES, (plain, encrypted), strict=True))
        figures = await _race(gateways, contenders.installed(), messages, rounds, concurrency)
        for wire, where in gateways.items():
            figures[wire][CEILING] = await server_ceiling(where, messages * 5, concurrency)
        return figures


async def at_once(
    names: Iterable[str], levels: Mapping[int, int], rounds: int
) -> dict[int, dict[str, Figure]]:
    """Return figures over TLS by how many requests are in flight.

    Args:
        names: The contenders, of which those that are not installed are left out.
        levels: For each number of requests in flight, how many messages.
        rounds: How often each has its turn.
    """
    chosen = {name: it for name, it in contenders.installed().items() if name in set(names)}
    seen: dict[int, dict[str, Figure]] = {}
    for concurrency, messages in levels.items():
        with gateway(tls=True) as where:
            of_level = await _race({"TLS": where}, chosen, messages, rounds, concurrency)
            seen[concurrency] = of_level["TLS"]
    return seen


async def _race(
    gateways: Mapping[str, Gateway],
    chosen: Mapping[str, contenders.Contender],
    messages: int,
    rounds: int,
    concurrency: int,
) -> ByWire:
    async with AsyncExitStack() as stack:
        runs: dict[tuple[str, str], Run] = {}
        for name, contender in chosen.items():
            for wire, where in gateways.items():
                run = await stack.enter_async_context(contender(where, concurrency))
                runs[wire, name] = run
        # The first messages open the connections.
        warm_up = max(messages // 10, concurrency)
        figures = await race(runs, messages=messages, rounds=rounds, warm_up=warm_up)
    by_wire: ByWire = {wire: {} for wire in gateways}
    for (wire, name), figure in figures.items():
        by_wire[wire][name] = figure
    return by_wire


HEAD = (
    "contender",
    *(f"{what}, {wire}" for wire in WIRES for what in ("CPU per message", "rate", "p50 / p99")),
)


def rows(figures: ByWire) -> list[tuple[str, ...]]:
    """Return the table's rows: CPU, rate and waiting of each contender on both wires."""
    return [
        (name, *(cell for wire in WIRES for cell in _cells(figures[wire][name])))
        for name in figures[WIRES[0]]
    ]


def _cells(figure: Figure) -> tuple[str, str, str]:
    waits = f"{figure.p50_ms:.1f} / {figure.p99_ms:.1f} ms" if figure.p50_ms else ""
    return f"{figure.cpu_us:.0f} µs", f"{figure.rate:,.0f}/s", waits


def level_rows(figures: Mapping[int, Mapping[str, Figure]]) -> list[tuple[str, ...]]:
    """Return the rows of a table by requests in flight: CPU, and p99 where it is known."""
    names = next(iter(figures.values()))
    return [(name, *(_level_cell(of[name]) for of in figures.values())) for name in names]


def _level_cell(figure: Figure) -> str:
    waits = f" (p99 {figure.p99_ms:.1f} ms)" if figure.p99_ms else ""
    return f"{figure.cpu_us:.0f} µs{waits}"


if __name__ == "__main__":
    for row in rows(asyncio.run(measure(messages=2000, rounds=5))):
        print("  ".join(f"{cell:>20}" for cell in row))
