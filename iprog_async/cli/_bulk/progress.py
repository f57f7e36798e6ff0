"""How far a run has come: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from iprog_async._bulk.progress import Counts
from iprog_async.cli._bulk.eta import UNKNOWN, Eta
from iprog_async.cli._terminal.output import echo


if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress as RichProgress
    from rich.status import Status

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


def open_progress(total: int, *, as_json: bool, eta: Eta = UNKNOWN) -> Progress:
    """Return what suits the terminal, or a pipe.

    Args:
        total: How many messages there are.
        as_json: Whether stdout belongs to the one JSON document.
        eta: What the rest waits for.
    """
    if sys.stderr.isatty():
        return ProgressBar(total, eta=eta)
    return NullProgress() if as_json else LineProgress(total, eta=eta)


def open_stopping(in_flight: Callable[[], int], *, as_json: bool) -> Progress:
    """Return what shows a run that sends nothing more.

    Args:
        in_flight: Tells how many messages have no outcome yet.
        as_json: Whether stdout belongs to the one JSON document.
    """
    if sys.stderr.isatty():
        return StoppingStatus(in_flight)
    return NullProgress() if as_json else StoppingLines(in_flight)


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


class NullProgress:
    """Shows nothing."""

    def update(self, counts: Counts) -> None:
        """Do nothing."""

    def close(self, counts: Counts) -> None:
        """Do nothing."""


class Speed:
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

    def words(self, counts: Counts, total: int, eta: Eta = UNKNOWN) -> str:
        """Return how fast a run is and how long it takes yet, or for what it waits, in words."""
        if pause := eta.pause():
            return f"paused until {_clock_in(pause)}"
        rate = self._rate(counts)
        if not rate:
            return f"{rate:.0f}/s"
        left = max((total - counts.total) / rate, eta.least_left(counts))
        return f"{rate:.0f}/s, {_time(left)} left"

    def last_words(self, counts: Counts) -> str:
        """Return how fast a run was, in words."""
        return f"{self._rate(counts):.0f}/s"

    def _rate(self, counts: Counts) -> float:
        # What an earlier run settled takes no time, and says nothing about what is left.
        seconds = max(time.monotonic() - self._started, 0.001)
        return (counts.total - counts.resumed) / seconds


class LineProgress:
    """Writes a line every few seconds.

    Args:
        total: How many messages there are.
        seconds: The time between two lines.
        eta: What the rest waits for.
    """

    def __init__(
        self, total: int, seconds: float = _SECONDS_BETWEEN_LINES, *, eta: Eta = UNKNOWN
    ) -> None:
        self._total = total
        self._eta = eta
        self._pacer = Speed(seconds)

    def update(self, counts: Counts) -> None:
        """Write a line, if it is time."""
        if not self._pacer.is_time():
            return
        speed = self._pacer.words(counts, self._total, self._eta)
        echo(f"{counts.total} of {self._total}, {speed}: {words_of(counts)}")

    def close(self, counts: Counts) -> None:
        """Write nothing more: the summary follows."""


class ProgressBar:
    """Draws a bar on stderr, and below it what came of the messages.

    Args:
        total: How many messages there are.
        console: Where it is drawn; stderr if `None`.
        eta: What the rest waits for.
    """

    def __init__(self, total: int, console: Console | None = None, *, eta: Eta = UNKNOWN) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as RichProgress

        self._total, self._eta = total, eta
        self._pacer = Speed(_SECONDS_BETWEEN_FRAMES)
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
        """Draw the bar for the last time; nothing is left, or nothing more is sent."""
        self._draw(counts, self._pacer.last_words(counts))
        self._live.stop()

    def give_way(self) -> None:
        """Leave the terminal to somebody else: a bar that stands still would tell old counts."""
        self._live.transient = True
        self._live.stop()

    def draw(self, counts: Counts) -> None:
        """Draw the bar now."""
        self._draw(counts, self._pacer.words(counts, self._total, self._eta))

    def _draw(self, counts: Counts, speed: str) -> None:
        self._words = words_of(counts)
        self._bar.update(self._task, completed=counts.total, speed=speed)
        self._live.refresh()

    def render(self) -> RenderableType:
        """Return what is drawn."""
        from rich.console import Group

        # The last line is short: what the terminal echoes of a Ctrl-C must not begin another one.
        return Group(self._bar, self._words)


class StoppingLines:
    """Writes every few seconds how many are still on their way.

    Args:
        in_flight: Tells how many.
    """

    def __init__(self, in_flight: Callable[[], int]) -> None:
        self._in_flight = in_flight
        self._pacer = Speed(_SECONDS_BETWEEN_LINES)

    def update(self, counts: Counts) -> None:
        """Write a line, if it is time."""
        if self._pacer.is_time():
            echo(stopping_words(self._in_flight()))

    def close(self, counts: Counts) -> None:
        """Write nothing more: the summary follows."""


class StoppingStatus:
    """Shows on stderr how many are still on their way.

    Args:
        in_flight: Tells how many.
        console: Where it is shown; stderr if `None`.
    """

    def __init__(self, in_flight: Callable[[], int], console: Console | None = None) -> None:
        from rich.console import Console

        self._in_flight = in_flight
        self._pacer = Speed(_SECONDS_BETWEEN_FRAMES)
        console = console or Console(stderr=True)
        self._status: Status = console.status(stopping_words(in_flight()))
        self._status.start()

    def update(self, counts: Counts) -> None:
        """Show the number, if it is time."""
        if self._pacer.is_time():
            self._status.update(stopping_words(self._in_flight()))

    def close(self, counts: Counts) -> None:
        """Show nothing more: the summary follows."""
        self._status.stop()


def stopping_words(in_flight: int) -> str:
    """Return in words how many are waited for."""
    return f"stopping, {in_flight or 'none'} on {'its' if in_flight == 1 else 'their'} way"


def words_of(counts: Counts) -> str:
    """Return counts in words, few enough for one line of a terminal."""
    failed = f" (failed {counts.failed})" if counts.failed else ""
    return (
        f"accepted {counts.accepted}{failed}, not sent {counts.not_sent}, unknown {counts.unknown}"
    )


def _clock_in(seconds: float) -> str:
    return f"{_now() + timedelta(seconds=seconds):%H:%M:%S}"


def _now() -> datetime:
    return datetime.now().astimezone()


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
