"""All benchmarks, one after the other: `python -m benchmarks [--quick] [--save]`."""

from __future__ import annotations

import argparse
import asyncio
from datetime import date
from typing import Any

from attrs import asdict

from benchmarks import bulk, contenders, import_time, own_cost, singles
from benchmarks._measure import Figure, machine
from benchmarks._report import PICTURE, Rows, markdown_table, print_table, save


class Report:
    """Collects the tables of a run, and prints each as it comes."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {"machine": machine(), "date": date.today().isoformat()}
        self._parts = [f"Measured {self.results['date']} on {machine()}."]

    def add(self, key: str, title: str, head: tuple[str, ...], rows: Rows, data: Any) -> None:
        """Take one benchmark's figures."""
        print(f"\n{title}")
        print_table(head, rows)
        self.results[key] = data
        self._parts += [f"## {title}", markdown_table(head, rows)]

    def picture(self, markdown: str) -> None:
        """Put a picture below the last table."""
        self._parts.append(markdown)

    @property
    def markdown(self) -> str:
        """The whole run as Markdown."""
        return "\n\n".join(self._parts)


def _figures(figures: dict[str, Figure]) -> dict[str, Any]:
    return {name: asdict(figure) for name, figure in figures.items()}


async def _run(report: Report, *, quick: bool) -> dict[str, Figure]:
    few = 20 if quick else 1
    rounds = 1 if quick else 7
    single = await singles.measure(2000 // few, rounds)
    title = f"Single sends, {singles.CONCURRENCY} in flight, a local gateway without latency"
    report.add("singles", title, singles.HEAD, singles.rows(single), _figures(single))
    report.picture(PICTURE)

    late = await bulk.latency(50_000 // few)
    shown = (f"{late.rate:,.0f}/s", f"{late.ideal:,.0f}/s", f"{late.rate / late.ideal:.1%}")
    title = "A gateway that takes 200 ms, 500 requests in flight"
    report.add("latency", title, ("rate", "ideal", "reached"), [shown], asdict(late))

    batch = await bulk.one_text(100_000 // few, rounds)
    per_recipient = (f"{batch.cpu_us:.1f} µs", f"{batch.rate:,.0f}/s")
    title = f"One text to {100_000 // few:,} recipients, 100 in a request"
    report.add(
        "one_text", title, ("CPU per recipient", "recipients"), [per_recipient], asdict(batch)
    )

    long = bulk.stream(1_000_000 // few)
    row = (f"{long.duplicates:,}", f"{long.seconds:.1f} s", f"{long.growth_mb:.0f} MB")
    title = f"A stream of {long.messages:,} messages, every tenth a duplicate"
    head = ("duplicates found", "time", "growth of peak memory")
    report.add("stream", title, head, [row], asdict(long))

    kept = await bulk.journal(10_000 // few, rounds)
    ratio = kept["journal on"].cpu_us / kept["journal off"].cpu_us
    table: Rows = [(name, f"{f.cpu_us:.0f} µs", f"{f.rate:,.0f}/s") for name, f in kept.items()]
    title = f"Single sends without and with a journal: {ratio:.2f} times the CPU time"
    report.add("journal", title, ("", "CPU per message", "rate"), table, _figures(kept))

    together = await bulk.gather(5000 // few)
    table = [(engine, f"{accepted:,}") for engine, accepted in together.items()]
    title = f"`asyncio.gather` of {5000 // few:,} sends on one client"
    report.add("gather", title, ("engine", "accepted"), table, together)

    routed = await bulk.failover(3000 // few, rounds)
    table = [(name, f"{f.cpu_us:.0f} µs", f"{f.rate:,.0f}/s") for name, f in routed.items()]
    title = "Failover: a gateway alone, and behind one that refuses every connection"
    report.add("failover", title, ("", "CPU per message", "rate"), table, _figures(routed))

    own = await own_cost.measure(2000 // few, rounds)
    table = [(name, f"{figure.cpu_us:.0f} µs") for name, figure in own.items()]
    title = "A send over a transport that answers at once"
    report.add("own_cost", title, ("", "CPU per message"), table, _figures(own))
    return single


def main() -> None:
    """Run everything, print the tables, and keep them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few messages: only shows it works")
    parser.add_argument(
        "--save", action="store_true", help="write results, plots and docs/benchmarks.md"
    )
    arguments = parser.parse_args()
    missing = contenders.missing()
    if missing:
        print(f'without {", ".join(missing)}; all contenders: pip install -e ".[bench]"')
    report = Report()
    print(report.results["machine"])
    single = asyncio.run(_run(report, quick=arguments.quick))
    imports = import_time.measure(rounds=1 if arguments.quick else 11)
    table = import_time.rows(imports)
    report.add("import_time", "Import time", ("module", "time", "against httpx"), table, imports)
    if arguments.save:
        single.pop(singles.CEILING)
        save(report.results, report.markdown, single)


if __name__ == "__main__":
    main()
