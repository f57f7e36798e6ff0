"""How lines for people are laid out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from iprog_async.cli._terminal.output import Column, echo, print_error, say_rows, say_table, wrapped


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


_HOSTILE = "a\x1b]0;owned\x07\x1b[2J\r\x9b1m\u202eb"


@pytest.mark.parametrize(
    "write",
    [
        lambda: echo(_HOSTILE),
        lambda: print_error(_HOSTILE),
        lambda: say_table([Column("Key")], [[_HOSTILE]]),
    ],
)
def test_no_escapes(capsys: pytest.CaptureFixture[str], write: Callable[[], None]) -> None:
    """What a gateway or a file holds can't steer the terminal, whichever way it is written."""
    write()
    written = "".join(capsys.readouterr())

    assert [] == [sign for sign in "\x1b\x07\r\x9b\u202e" if sign in written]
    assert "a\ufffd]0;owned" in written


def test_options_are_not_broken() -> None:
    """A line breaks between words, and not inside of an option or a name with a dash."""
    assert ["use", "--resend-unknown"] == list(wrapped(["use --resend-unknown"], 0, 16))


@pytest.mark.parametrize(
    ("terminal", "words", "expected"),
    [
        (True, "one two three four", "one two\nthree four"),
        (True, "one two: iprog-async doctor", "one two: iprog-async doctor"),
        (True, "one two: pip install three", "one two: pip install three"),
        (False, "one two three four", "one two three four"),
    ],
)
def test_complaint_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    terminal: bool,
    words: str,
    expected: str,
) -> None:
    """A long complaint breaks between words, but not in a pipe, nor where it holds a command."""
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal, raising=False)
    print_error(words)
    assert f"iprog-async: {expected}\n" == capsys.readouterr().err
