from __future__ import annotations

import io
from datetime import datetime
from types import SimpleNamespace

import pytest
from rich.console import Console

from iprog_async import BulkPlan, Counts
from iprog_async.cli._bulk.eta import Eta, least_left
from iprog_async.cli._bulk.progress import (
    LineProgress,
    NullProgress,
    ProgressBar,
    StoppingLines,
    StoppingStatus,
    at_work,
    open_progress,
    open_stopping,
)
from iprog_async_providers.iprog import IprogProvider


COUNTS = Counts(accepted=40, not_sent=8, unknown=2)


@pytest.mark.parametrize(
    ("terminal", "as_json", "expected"),
    [
        (True, False, ProgressBar),
        (True, True, ProgressBar),
        (False, False, LineProgress),
        (False, True, NullProgress),
    ],
)
def test_what_suits(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, as_json: bool, expected: type[object]
) -> None:
    """A terminal gets a bar, a pipe lines, and a JSON document nothing beside it."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    progress = open_progress(100, as_json=as_json)
    progress.update(COUNTS)
    progress.close(COUNTS)
    assert expected is type(progress)


def _run_by(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the progress have a clock of its own: other threads go by the usual one."""
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("iprog_async.cli._bulk.progress.time", clock)


def test_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a pipe goes a line every few seconds, with the speed and the time that is left."""
    now = [0.0]
    _run_by(now, monkeypatch)
    lines = LineProgress(7300)
    for now[0] in (1.0, 4.9, 5.0, 9.0, 10.0):
        lines.update(COUNTS)
    lines.close(COUNTS)

    assert [
        "50 of 7300, 10/s, 12:05 left: accepted 40, not sent 8, unknown 2",
        "50 of 7300, 5/s, 24:10 left: accepted 40, not sent 8, unknown 2",
    ] == capsys.readouterr().out.splitlines()


def test_hours(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A run of a day is told in hours."""
    now = [0.0]
    _run_by(now, monkeypatch)
    lines = LineProgress(50 + 36_610)
    now[0] = 50.0
    lines.update(COUNTS)
    assert "1/s, 10:10:10 left" in capsys.readouterr().out


def test_what_was_settled_before_is_no_speed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The speed is of what this run did; as long as that is nothing, no time is promised."""
    now = [0.0]
    _run_by(now, monkeypatch)
    lines = LineProgress(1100)
    for now[0], accepted in ((10.0, 1000), (20.0, 1020)):
        lines.update(Counts(accepted=accepted, resumed=1000))

    first, second = capsys.readouterr().out.splitlines()
    assert "1000 of 1100, 0/s: accepted 1000, not sent 0, unknown 0" == first
    assert second.startswith("1020 of 1100, 1/s, 1:20 left: ")


@pytest.mark.parametrize("columns", [80, 120])
def test_a_bar_leaves_room_for_what_is_typed(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """Of a large run, too, each line is so short that a Ctrl-C's echo begins no other one."""
    out = io.StringIO()
    bar = ProgressBar(1_000_000, Console(file=out, width=columns, force_terminal=True))
    bar.close(Counts(accepted=999_000, not_sent=900, unknown=99))

    picture = Console(file=io.StringIO(), width=columns)
    with picture.capture() as shown:
        picture.print(bar.render())
    lines = shown.get().rstrip().splitlines()
    assert 2 == len(lines)
    assert columns - 4 > max(len(line.rstrip()) for line in lines)


def test_at_work(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal is told what takes so long; a pipe is not."""
    with at_work("checking [bold]june.csv"):
        pass
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with at_work("checking [bold]june.csv"):
        pass

    assert 1 == capsys.readouterr().err.count("checking [bold]june.csv")


def test_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar goes to stderr, and its last state is what was counted last."""
    monkeypatch.setenv("COLUMNS", "160")
    now = [0.0]
    _run_by(now, monkeypatch)
    bar = ProgressBar(50)
    now[0] = 1.0
    bar.update(Counts(accepted=1))
    bar.close(COUNTS)

    written = capsys.readouterr()
    assert ("", True, True) == (
        written.out,
        "50/50" in written.err,
        "accepted 40, not sent 8, unknown 2" in written.err,
    )


def test_last_bar_promises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends early leaves a bar with its speed, and promises no end."""
    now = [0.0]
    _run_by(now, monkeypatch)
    picture = Console(file=io.StringIO(), width=80)
    bar = ProgressBar(500, Console(file=io.StringIO()))
    now[0] = 10.0
    with picture.capture() as midway:
        bar.draw(COUNTS)
        picture.print(bar.render())
    with picture.capture() as end:
        bar.close(COUNTS)
        picture.print(bar.render())

    assert ("50/500 5/s, 1:30 left", "50/500 5/s") == (_speed(midway.get()), _speed(end.get()))


def _speed(shown: str) -> str:
    return " ".join(shown.splitlines()[0].split()[1:])


@pytest.mark.parametrize(
    ("terminal", "as_json", "expected"),
    [(True, False, StoppingStatus), (False, False, StoppingLines), (False, True, NullProgress)],
)
def test_stopping_suits(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, as_json: bool, expected: type[object]
) -> None:
    """A run that stops is shown where it was shown before."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    progress = open_stopping(lambda: 1, as_json=as_json)
    progress.close(COUNTS)
    assert expected is type(progress)


def test_stopping_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """While a run stops, what counts is how many are on their way, and not how many there were."""
    now, left = [0.0], [61]
    _run_by(now, monkeypatch)
    lines = StoppingLines(lambda: left[0])
    for now[0], left[0] in ((4.0, 60), (5.0, 40), (10.0, 1), (15.0, 0)):
        lines.update(COUNTS)
    lines.close(COUNTS)

    assert [
        "stopping, 40 on their way",
        "stopping, 1 on its way",
        "stopping, none on their way",
    ] == capsys.readouterr().out.splitlines()


def test_stopping_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the number goes down in place."""
    now, left, out = [0.0], [61], io.StringIO()
    _run_by(now, monkeypatch)
    status = StoppingStatus(lambda: left[0], Console(file=out, width=80, force_terminal=True))
    now[0], left[0] = 1.0, 7
    status.update(COUNTS)
    status.close(COUNTS)

    assert "stopping, 7 on their way" in out.getvalue()


@pytest.mark.parametrize(
    ("least", "pause", "expected"),
    [
        (0.0, 0.0, "5/s, 0:10 left"),
        (2880.0, 0.0, "5/s, 48:00 left"),
        (2880.0, 90.0, "paused until 04:01:30"),
    ],
    ids=["by-its-speed", "by-the-rate", "paused"],
)
def test_what_the_rest_waits_for(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    least: float,
    pause: float,
    expected: str,
) -> None:
    """No less time is promised than the rate allows, and a pause is told with its end."""
    now = [0.0]
    _run_by(now, monkeypatch)
    monkeypatch.setattr("iprog_async.cli._bulk.progress._now", lambda: datetime(2026, 7, 1, 4))
    lines = LineProgress(100, eta=Eta(lambda _: least, lambda: pause))
    now[0] = 10.0
    lines.update(COUNTS)

    assert f"50 of 100, {expected}: " in capsys.readouterr().out


@pytest.mark.parametrize(("done", "expected"), [(0, 2940.0), (60, 2880.0), (2990, 0.0)])
def test_least_time_that_is_left(done: int, expected: float) -> None:
    """What is left takes at least as many windows as its requests fill, of 60 a minute."""
    provider = IprogProvider("token", rate="60/min")
    plan = BulkPlan(
        total=3000,
        recipients=3000,
        invalid=0,
        invalid_rows=(),
        duplicates=0,
        suppressed=0,
        conflicts=0,
        resumed=0,
        segments=3000,
        encodings={},
        batches=3000,
    )

    assert expected == least_left(plan, provider)(Counts(accepted=done))


def test_wiped_away() -> None:
    """A bar that gives way leaves nothing on the terminal that would tell old counts."""
    out = io.StringIO()
    bar = ProgressBar(50, Console(file=out, width=80, force_terminal=True))
    bar.draw(COUNTS)
    bar.give_way()

    # Up a line, and that line erased.
    assert out.getvalue().endswith("\x1b[1A\x1b[2K")
