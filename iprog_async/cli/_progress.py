"""How far a run has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from iprog_async._bulk import Counts
from iprog_async.cli._output import say


if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_FRAMES = 0.1


class Progress(Protocol):
    """Shows how far a run has come."""

    def update(self, counts: Counts) -> None:
        """Show the counts, if the last ones were shown long enough."""
        ...

    def close(self, counts: Counts) -> None:
        """Show the last counts."""
        ...


def open_progress(total: int, *, as_json: bool) -> Progress:
    """Return what suits the terminal, or a pipe.

    Args:
        total: How many messages there are.
        as_json: Whether stdout belongs to the one JSON document.
    """
    if sys.stderr.isatty():
        return Bar(total)
    return Silence() if as_json else Lines(total)


class Silence:
    """Shows nothing."""

    def update(self, counts: Counts) -> None:
        """Do nothing."""

    def close(self, counts: Counts) -> None:
        """Do nothing."""


class Pacer:
    """Tells when it is time to show something again, and how fast a run is.

    Args:
        seconds: The least time between two shows.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started = self._shown = time.monotonic()

    def is_time(self) -> bool:
        """Return whether it is time; if so, the next time comes later."""
        now = time.monotonic()
        if now - self._shown < self._seconds:
            return False
        self._shown = now
        return True

    def rate(self, count: int) -> float:
        """Return how many of so many came in a second."""
        return count / max(time.monotonic() - self._started, 0.001)


class Lines:
    """Writes a line every few seconds.

    Args:
        total: How many messages there are.
        seconds: The time between two lines.
    """

    def __init__(self, total: int, seconds: float = _SECONDS_BETWEEN_LINES) -> None:
        self._total = total
        self._pacer = Pacer(seconds)

    def update(self, counts: Counts) -> None:
        """Write a line, if it is time."""
        if not self._pacer.is_time():
            return
        rate = self._pacer.rate(counts.total)
        left = (self._total - counts.total) / max(rate, 0.001)
        say(
            f"{counts.total} of {self._total}, {rate:.0f}/s, {_time(left)} left: {words_of(counts)}"
        )

    def close(self, counts: Counts) -> None:
        """Write nothing more: the summary follows."""


class Bar:
    """Draws a bar on stderr.

    Args:
        total: How many messages there are.
    """

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._pacer = Pacer(_SECONDS_BETWEEN_FRAMES)
        self._bar: RichProgress = RichProgress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[words]}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=total, rate="0", words="")
        self._bar.start()

    def update(self, counts: Counts) -> None:
        """Draw the bar, if it is time."""
        if self._pacer.is_time():
            self._draw(counts)

    def close(self, counts: Counts) -> None:
        """Draw the bar for the last time."""
        self._draw(counts)
        self._bar.stop()

    def _draw(self, counts: Counts) -> None:
        fields: dict[str, Any] = {
            "rate": f"{self._pacer.rate(counts.total):.0f}",
            "words": words_of(counts),
        }
        self._bar.update(self._task, completed=counts.total, **fields)


def words_of(counts: Counts) -> str:
    """Return counts in words."""
    return f"accepted {counts.accepted}, not sent {counts.not_sent}, unknown {counts.unknown}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
