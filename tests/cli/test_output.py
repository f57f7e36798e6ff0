"""How lines for people are laid out."""

from __future__ import annotations

import pytest

from iprog_async.cli._output import say_rows, wrapped


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("rows         3", ["rows         3"]),
        (
            "             line 2: too short",
            ["             line 2:", "             too", "             short"],
        ),
        ("WARNING      one two three", ["WARNING      one two", "             three"]),
        ("", [""]),
        ("a" * 30, ["a" * 20, " " * 13 + "a" * 7, " " * 13 + "a" * 3]),
    ],
)
def test_wrapped(line: str, expected: list[str]) -> None:
    """A line that is too long goes on below itself, and none is longer than the terminal."""
    assert expected == list(wrapped([line], 13, 20))


@pytest.mark.parametrize(("terminal", "lines"), [(True, 2), (False, 1)])
def test_rows(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    terminal: bool,
    lines: int,
) -> None:
    """Into a pipe a row stays one line, which programs can read."""
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)

    say_rows("WARNING      one two three", indent=13)

    assert lines == len(capsys.readouterr().out.splitlines())
