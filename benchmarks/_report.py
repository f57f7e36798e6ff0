"""Keeping a run: the figures as JSON, a plot, and the tables of the README."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks._measure import Figure


HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PLOT = HERE / "singles.svg"
README = HERE.parent / "README.md"
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


def save(results: Mapping[str, Any], tables: str, singles: Mapping[str, Figure]) -> None:
    """Write the figures, the plot, and the README's tables."""
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    plot(singles)
    readme = README.read_text(encoding="utf-8")
    README.write_text(_BLOCK.sub(lambda m: f"{m[1]}{tables}\n{m[2]}", readme), encoding="utf-8")


def plot(singles: Mapping[str, Figure]) -> None:
    """Draw CPU time per message of each contender as an SVG."""
    mpl: Any = import_module("matplotlib")
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "iprog-async"  # the same figures give the same file
    mpl.rcParams["svg.fonttype"] = "none"
    pyplot: Any = import_module("matplotlib.pyplot")
    names = list(singles)[::-1]
    values = [singles[name].cpu_us for name in names]
    figure, axes = pyplot.subplots(figsize=(7, 3.2))
    colors = ["#2a7f62" if name.startswith("iprog-async") else "#9aa5ab" for name in names]
    bars = axes.barh(names, values, color=colors)
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.set_xlabel("CPU time per message, microseconds (less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    figure.savefig(PLOT, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
