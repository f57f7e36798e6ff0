from __future__ import annotations

import pytest

from iprog_async import Counts
from iprog_async.cli._progress import Bar, Lines, Silence, open_progress


COUNTS = Counts(accepted=40, not_sent=8, unknown=2)


@pytest.mark.parametrize(
    ("terminal", "as_json", "expected"),
    [(True, False, Bar), (True, True, Bar), (False, False, Lines), (False, True, Silence)],
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


def test_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a pipe goes a line every few seconds, with the speed and the time that is left."""
    now = [0.0]
    monkeypatch.setattr("iprog_async.cli._progress.time.monotonic", lambda: now[0])
    lines = Lines(7300)
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
    monkeypatch.setattr("iprog_async.cli._progress.time.monotonic", lambda: now[0])
    lines = Lines(50 + 36_610)
    now[0] = 50.0
    lines.update(COUNTS)
    assert "1/s, 10:10:10 left" in capsys.readouterr().out


def test_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The bar goes to stderr, and its last state is what was counted last."""
    monkeypatch.setenv("COLUMNS", "160")
    now = [0.0]
    monkeypatch.setattr("iprog_async.cli._progress.time.monotonic", lambda: now[0])
    bar = Bar(50)
    now[0] = 1.0
    bar.update(Counts(accepted=1))
    bar.close(COUNTS)

    written = capsys.readouterr()
    assert ("", True, True) == (
        written.out,
        "50/50" in written.err,
        "accepted 40, not sent 8, unknown 2" in written.err,
    )
