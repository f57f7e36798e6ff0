"""All benchmarks, one after the other: `python -m benchmarks [--quick] [--save]`."""

from __future__ import annotations

import argparse
import asyncio

from attrs import asdict

from benchmarks import bulk, contenders, import_time, own_cost, rates, singles
from benchmarks._measure import has_postgres, machine
from benchmarks._plots import Plot
from benchmarks._report import Report, Rows, as_data


_CPU = "CPU time per message, microseconds (less is better)"
# At a thousand in flight bare httpx needs minutes.
_AT_ONCE = (
    contenders.SDK_FAST,
    contenders.SDK_BULK,
    contenders.SDK_DEFAULT,
    contenders.BARE_AIOHTTP,
    contenders.TWILIO,
)


async def _single_sends(report: Report, few: int, rounds: int) -> None:
    seen = await singles.measure(1000 // few, rounds)
    title = f"Different texts, {singles.CONCURRENCY} in flight, a local gateway without latency"
    report.add("singles", title, singles.HEAD, singles.rows(seen), as_data(seen))
    names = [name for name in seen["TLS"] if name != singles.CEILING]
    by_wire = {wire: [of[name].cpu_us for name in names] for wire, of in seen.items()}
    alt = "CPU time per message of each contender, plain and over TLS"
    report.plot(Plot("singles", alt, _CPU, names, by_wire))
    timed = [name for name in names if seen["TLS"][name].p50_ms]
    waits = {
        "p50": [seen["TLS"][name].p50_ms for name in timed],
        "p99": [seen["TLS"][name].p99_ms for name in timed],
    }
    alt = "How long a send takes over TLS, of each contender: p50 and p99"
    axis = f"milliseconds for a send, TLS, {singles.CONCURRENCY} in flight (less is better)"
    report.plot(Plot("waiting", alt, axis, timed, waits))


async def _at_once(report: Report, few: int, rounds: int) -> None:
    wanted = {1: 300, 10: 500, 100: 1000, 1000: 8000}
    # With less than two for each request in flight there is nothing to be told.
    levels = {level: count // few for level, count in wanted.items() if 2 * level <= count // few}
    seen = await singles.at_once(_AT_ONCE, levels, rounds)
    head = ("CPU per message, TLS", *(f"{level:,} in flight" for level in levels))
    title = "The same over TLS, by how many requests are in flight"
    report.add("at_once", title, head, singles.level_rows(seen), as_data(seen))
    names = list(next(iter(seen.values())))
    by_name = {name: [of[name].cpu_us for of in seen.values()] for name in names}
    alt = "CPU time per message over TLS, by how many requests are in flight"
    labels = [f"{level:,}" for level in levels]
    report.plot(
        Plot("at-once", alt, "microseconds of CPU per message", labels, by_name), lines=True
    )


async def _bulk(report: Report, few: int, rounds: int) -> None:
    seen = await bulk.journal(5000 // few, rounds)
    title = "Different texts: single sends, a run, a run with a journal"
    of_each = ("", "CPU per message", "ratio", "rate")
    report.add("journal", title, of_each, bulk.journal_rows(seen), as_data(seen))
    alt = "CPU time per message of single sends, a run, and a run with a journal"
    cpu = {"": [figure.cpu_us for figure in seen.values()]}
    report.plot(Plot("journal", alt, _CPU, list(seen), cpu))

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


async def _rest(report: Report, few: int, rounds: int) -> None:
    together = await bulk.gather(5000 // few)
    table: Rows = [(engine, f"{accepted:,}") for engine, accepted in together.items()]
    title = f"`asyncio.gather` of {5000 // few:,} sends on one client"
    report.add("gather", title, ("engine", "accepted"), table, together)

    routed = await bulk.failover(3000 // few, rounds)
    table = [(name, f"{f.cpu_us:.0f} µs", f"{f.rate:,.0f}/s") for name, f in routed.items()]
    title = "Failover: a gateway alone, and behind one that refuses every connection"
    report.add("failover", title, ("", "CPU per message", "rate"), table, as_data(routed))

    own = await own_cost.measure(2000 // few, rounds)
    table = [(name, f"{figure.cpu_us:.0f} µs") for name, figure in own.items()]
    title = "A send over a transport that answers at once"
    report.add("own_cost", title, ("", "CPU per message"), table, as_data(own))


async def _run(report: Report, few: int, rounds: int) -> None:
    await _single_sends(report, few, rounds)
    await _at_once(report, few, rounds)
    await _bulk(report, few, rounds)
    await _rest(report, few, rounds)


def _fleet(report: Report, messages: int) -> None:
    """Measure a fleet where there is a database for it."""
    if not has_postgres():
        return
    from benchmarks import fleet  # it needs the extra `postgres`

    seen = fleet.measure(messages)
    report.add("fleet", "A fleet", fleet.HEAD, fleet.rows(seen), asdict(seen))
    axis = f"messages a second, a gateway of {fleet.LATENCY * 1000:.0f} ms (more is better)"
    rates = {"": [seen.one, seen.two]}
    report.plot(Plot("fleet", "What workers send", axis, ["one worker", "two workers"], rates))


def _rates(report: Report, *, quick: bool) -> None:
    seen = rates.measure_all(rates.A_SHORT_ONE if quick else rates.RATES)
    title = f"A rate that {rates.PROCESSES} processes share"
    report.add(
        "rates",
        title,
        rates.HEAD,
        rates.rows(seen),
        {name: asdict(it) for name, it in seen.items()},
    )


def main() -> None:
    """Run everything, print the tables, and keep them if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few messages: only shows it works")
    parser.add_argument("--part", type=int, default=1, help="send one message in so many")
    parser.add_argument(
        "--save", action="store_true", help="write results, plots and docs/benchmarks.md"
    )
    arguments = parser.parse_args()
    missing = contenders.missing()
    if missing:
        print(f'without {", ".join(missing)}; all contenders: pip install -e ".[bench]"')
    print(machine())
    report = Report()
    few, rounds = (20, 1) if arguments.quick else (arguments.part, 5)
    asyncio.run(_run(report, few, rounds))
    _fleet(report, messages=20_000 // few)
    _rates(report, quick=arguments.quick)
    imports = import_time.measure(rounds=1 if arguments.quick else 7)
    table = import_time.rows(imports)
    report.add("import_time", "Import time", ("module", "time", "against httpx"), table, imports)
    if arguments.save:
        report.save()


if __name__ == "__main__":
    main()
