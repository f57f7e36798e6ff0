"""The plots of docs/benchmarks.md: one for each question, for light and dark pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from attrs import frozen


IMAGES = Path(__file__).parent.parent / "docs" / "images"

Theme = Literal["light", "dark"]
# What is written; our two colors, and the others' two.
_INK: dict[Theme, tuple[str, tuple[str, str], tuple[str, str]]] = {
    "light": ("#1f2328", ("#2a7f62", "#8cc7b1"), ("#77828a", "#b9c1c6")),
    "dark": ("#e6edf3", ("#4cc39a", "#2f6f59"), ("#8b959e", "#4c555c")),
}
_DASHES = ("-", "--", ":", "-.")


@frozen
class Plot:
    """One question, and its answer in figures.

    Args:
        name: Of its files.
        alt: What it shows, for those who do not see it.
        axis: What the figures are.
        labels: Whose figures they are; or, of lines, where they were measured.
        series: One or two rows of figures for bars, or one for each line.
    """

    name: str
    alt: str
    axis: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float]]

    @property
    def markdown(self) -> str:
        """What shows it on a page."""
        dark = f"images/{self.name}-dark.svg"
        return (
            "<picture>\n"
            f'  <source media="(prefers-color-scheme: dark)" srcset="{dark}">\n'
            f'  <img alt="{self.alt}" src="images/{self.name}.svg">\n'
            "</picture>"
        )


def draw(plot: Plot, *, lines: bool = False) -> None:
    """Write a plot as SVGs without a background."""
    for theme in _INK:
        pyplot = _pyplot(_INK[theme][0])
        paint: Callable[[Any, Plot, Theme], None] = _lines if lines else _bars
        figure, axes = pyplot.subplots(figsize=(7, 1.2 + 0.4 * max(len(plot.labels), 5)))
        paint(axes, plot, theme)
        axes.spines[["top", "right"]].set_visible(False)
        if len(plot.series) > 1:
            beside = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)} if lines else {}
            axes.legend(frameon=False, **beside)
        dark = "-dark" if theme == "dark" else ""
        path = IMAGES / f"{plot.name}{dark}.svg"
        figure.savefig(path, bbox_inches="tight", transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _pyplot(ink: str) -> Any:
    mpl: Any = import_module("matplotlib")
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "iprog-async"  # the same figures give the same file
    mpl.rcParams["svg.fonttype"] = "none"
    for what in ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"):
        mpl.rcParams[what] = ink
    return import_module("matplotlib.pyplot")


def _is_ours(label: str) -> bool:
    return label.startswith(("iprog-async", "single sends", "`send_many`", "one ", "two "))


def _bars(axes: Any, plot: Plot, theme: Theme) -> None:
    _, ours, others = _INK[theme]
    names = [label.replace("`", "") for label in plot.labels]
    height = 0.8 / len(plot.series)
    for number, (series, values) in enumerate(plot.series.items()):
        places = [
            place + (number - (len(plot.series) - 1) / 2) * height for place in range(len(names))
        ]
        colors = [(ours if _is_ours(label) else others)[number] for label in plot.labels]
        bars = axes.barh(places, values, height, color=colors, label=series)
        axes.bar_label(bars, fmt="%.3g" if max(values) < 100 else "%.0f", padding=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(plot.axis)
    axes.margins(x=0.12)


def _lines(axes: Any, plot: Plot, theme: Theme) -> None:
    _, ours, others = _INK[theme]
    dashes = {True: iter(_DASHES), False: iter(_DASHES)}
    for name, values in plot.series.items():
        is_ours = _is_ours(name)
        color, dash = (ours if is_ours else others)[0], next(dashes[is_ours])
        axes.plot(plot.labels, values, dash, marker="o", color=color, label=name.replace("`", ""))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("requests in flight")
    axes.set_ylabel(plot.axis)
