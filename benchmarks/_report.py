"""Keeping a run: the figures as JSON, and the tables and plots of the page about them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from attrs import asdict

from benchmarks._measure import Figure, machine
from benchmarks._plots import Plot, draw


HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
_BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)

Rows = Sequence[Sequence[str]]


def print_table(head: Sequence[str], rows: Rows) -> None:
    """Print a table with aligned columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def markdown_table(head: Sequence[str], rows: Rows) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


class Report:
    """Collects the tables and plots of a run, and prints each table as it comes."""

    def __init__(self) -> None:
        self._results: dict[str, Any] = {"machine": machine(), "date": date.today().isoformat()}
        self._parts = [f"Measured {self._results['date']} on {machine()}."]
        self._plots: list[tuple[Plot, bool]] = []

    def add(self, key: str, title: str, head: Sequence[str], rows: Rows, data: Any) -> None:
        """Take one benchmark's figures."""
        print(f"\n{title}")
        print_table(head, rows)
        self._results[key] = data
        self._parts += [f"## {title}", markdown_table(head, rows)]

    def plot(self, plot: Plot, *, lines: bool = False) -> None:
        """Put a plot below the last table."""
        self._plots.append((plot, lines))
        self._parts.append(plot.markdown)

    def save(self) -> None:
        """Write the figures, the plots, and the tables of the page about them."""
        RESULTS.write_text(json.dumps(self._results, indent=2) + "\n", encoding="utf-8")
        for plot, lines in self._plots:
            draw(plot, lines=lines)
        tables = "\n\n".join(self._parts)
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(_BLOCK.sub(lambda m: f"{m[1]}{tables}\n{m[2]}", page), encoding="utf-8")


def as_data(figures: Mapping[Any, Figure | Mapping[str, Figure]]) -> dict[str, Any]:
    """Return figures, in one table or several, for JSON."""
    return {
        str(name): asdict(it) if isinstance(it, Figure) else as_data(it)
        for name, it in figures.items()
    }
