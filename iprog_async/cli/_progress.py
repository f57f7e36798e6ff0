"""How far a run has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from iprog_async._counts import Counts
from iprog_async.cli._output import say


if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress as RichProgress

_SECONDS_BETWEEN_LINES = 5.0
_SECONDS_BETWEEN_FRAMES = 0.1
_BAR_WIDTH = 30


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


@contextmanager
def at_work(words: str) -> Generator[None]:
    """Show on a terminal that something goes on, which takes long for a large file.

    Args:
        words: What goes on.
    """
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.text import Text

    # Text and not str: square brackets in a file's name are no markup.
    with Console(stderr=True).status(Text(words)):
        yield


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

    def words(self, counts: Counts, total: int) -> str:
        """Return how fast a run is and how long it takes yet, in words.

        What an earlier run settled takes no time, and says nothing about what is left.
        """
        seconds = max(time.monotonic() - self._started, 0.001)
        rate = (counts.total - counts.resumed) / seconds
        if not rate:
            return "0/s"
        return f"{rate:.0f}/s, {_time((total - counts.total) / rate)} left"


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
        speed = self._pacer.words(counts, self._total)
        say(f"{counts.total} of {self._total}, {speed}: {words_of(counts)}")

    def close(self, counts: Counts) -> None:
        """Write nothing more: the summary follows."""


class Bar:
    """Draws a bar on stderr, and below it what came of the messages.

    Args:
        total: How many messages there are.
        console: Where it is drawn; stderr if `None`.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._total = total
        self._pacer = Pacer(_SECONDS_BETWEEN_FRAMES)
        console = console or Console(stderr=True)
        self._bar: RichProgress = RichProgress(
            BarColumn(_BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            console=console,
        )
        self._task = self._bar.add_task("", total=total, speed="")
        self._words = words_of(Counts())
        self._live = Live(get_renderable=self.render, console=console, auto_refresh=False)
        self._live.start()

    def update(self, counts: Counts) -> None:
        """Draw the bar, if it is time."""
        if self._pacer.is_time():
            self.draw(counts)

    def close(self, counts: Counts) -> None:
        """Draw the bar for the last time."""
        self.draw(counts)
        self._live.stop()

    def draw(self, counts: Counts) -> None:
        """Draw the bar now."""
        self._words = words_of(counts)
        speed = self._pacer.words(counts, self._total)
        self._bar.update(self._task, completed=counts.total, speed=speed)
        self._live.refresh()

    def render(self) -> RenderableType:
        """Return what is drawn."""
        from rich.console import Group

        # The last line is short: what the terminal echoes of a Ctrl-C must not begin another one.
        return Group(self._bar, self._words)


def words_of(counts: Counts) -> str:
    """Return counts in words."""
    return f"accepted {counts.accepted}, not sent {counts.not_sent}, unknown {counts.unknown}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
