"""Keeping a run: the figures as JSON, a plot for light and dark pages, and the tables."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from benchmarks._measure import Figure


HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
DOCS = HERE.parent / "docs"
PAGE = DOCS / "benchmarks.md"
PLOTS = {"light": DOCS / "images" / "singles.svg", "dark": DOCS / "images" / "singles-dark.svg"}
PICTURE = """\
<picture>
  <source media="(prefers-color-scheme: dark)" srcset="images/singles-dark.svg">
  <img alt="CPU time per message of each contender" src="images/singles.svg">
</picture>"""
_BLOCK = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)

Rows = Sequence[Sequence[str]]
Theme = Literal["light", "dark"]

# What is written, our bars, the others' bars.
_INK: dict[Theme, tuple[str, str, str]] = {
    "light": ("#1f2328", "#2a7f62", "#9aa5ab"),
    "dark": ("#e6edf3", "#4cc39a", "#66707a"),
}


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
    """Write the figures, the plots, and the tables of the page about them."""
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for theme in _INK:
        plot(singles, theme)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(lambda m: f"{m[1]}{tables}\n{m[2]}", page), encoding="utf-8")


def plot(singles: Mapping[str, Figure], theme: Theme) -> None:
    """Draw CPU time per message of each contender as an SVG without a background."""
    ink, ours, others = _INK[theme]
    mpl: Any = import_module("matplotlib")
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "iprog-async"  # the same figures give the same file
    mpl.rcParams["svg.fonttype"] = "none"
    for what in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
        mpl.rcParams[what] = ink
    pyplot: Any = import_module("matplotlib.pyplot")
    names = list(singles)[::-1]
    values = [singles[name].cpu_us for name in names]
    figure, axes = pyplot.subplots(figsize=(7, 3.2))
    colors = [ours if name.startswith("iprog-async") else others for name in names]
    bars = axes.barh(names, values, color=colors)
    axes.bar_label(bars, fmt="%.0f", padding=3)
    axes.set_xlabel("CPU time per message, microseconds (less is better)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.12)
    figure.savefig(PLOTS[theme], bbox_inches="tight", transparent=True, metadata={"Date": None})
    pyplot.close(figure)
