"""An opening that meets trouble at any of its steps ends in an error of the library."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal.sqlite import open_marker


OPENINGS: dict[str, Callable[[Path], Any]] = {
    "to write": Journal.open,
    "to read": JournalReader.open,
}
_MOST_STEPS = 200


class _Steps:
    """Lets so many calls of some functions pass, and has the next one fail.

    Args:
        trouble: What it fails with.
    """

    def __init__(self, trouble: Exception) -> None:
        self.left = 0
        self.thread = 0
        self._trouble = trouble

    @staticmethod
    def always(trouble: Exception) -> Callable[..., Any]:
        """Return a function that fails."""

        def call(*_: Any) -> Any:
            raise trouble

        return call

    def failing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that fails when it is its turn."""

        def call(*args: Any, **settings: Any) -> Any:
            if threading.get_ident() == self.thread:
                self.left -= 1
                if self.left == 0:
                    raise self._trouble
            return real(*args, **settings)

        return call


def _problem(steps: _Steps, step: int, path: Path, how: str) -> str | None:
    """Return what an opening says whose step has failed, whether it came to it or not.

    Returns:
        Its words; nothing if that does no harm; `None` if it has fewer steps.
    """
    steps.left, steps.thread = step, threading.get_ident()
    try:
        opened = OPENINGS[how](path)
    except JournalError as exc:
        return str(exc)
    finally:
        steps.thread = 0
    opened.close()
    return None if steps.left > 0 else ""


def _opens_after_each(steps: _Steps, how: str, paths: Iterator[Path]) -> None:
    """Let an opening fail at each of its steps, and see that it says so and fails no later one."""
    said: list[str] = []
    for path in paths:
        problem = _problem(steps, len(said) + 1, path, how)
        if problem is None:
            break
        said.append(problem)
        OPENINGS[how](path).close()
    assert any(said)
    assert len(said) < _MOST_STEPS
    assert all("can't" in words and "disk" in words for words in said if words)


@pytest.mark.parametrize(
    ("how", "name"),
    [("to write", "open"), ("to write", "access"), ("to write", "stat"), ("to read", "stat")],
)
def test_the_system_lets_us_do_no_more(
    name: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step it is, it is told by a `JournalError`, and the file opens afterwards."""
    path = tmp_path / "j.db"
    Journal.open(path).close()
    steps = _Steps(OSError(errno.ENOSPC, "No space left on the disk"))
    monkeypatch.setattr(os, name, steps.failing(getattr(os, name)))
    _opens_after_each(steps, how, repeat(path, _MOST_STEPS))


@pytest.mark.slow
@pytest.mark.parametrize("how", OPENINGS)
@pytest.mark.parametrize("is_new", [True, False])
def test_the_database_lets_us_do_no_more(
    how: str, is_new: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where SQLite meets it, at whichever statement."""
    trouble = sqlite3.OperationalError("database or disk is full")
    trouble.sqlite_errorcode = sqlite3.SQLITE_FULL
    steps = _Steps(trouble)

    class Failing(sqlite3.Connection):
        execute = steps.failing(sqlite3.Connection.execute)
        executescript = steps.failing(sqlite3.Connection.executescript)
        executemany = steps.failing(sqlite3.Connection.executemany)

    real = sqlite3.connect

    def connect(*args: Any, **settings: Any) -> Any:
        return real(*args, factory=Failing, **settings)

    monkeypatch.setattr(sqlite3, "connect", connect)

    def paths() -> Iterator[Path]:
        for number in range(_MOST_STEPS):
            path = tmp_path / f"{number}.db"
            if not is_new or how == "to read":
                Journal.open(path).close()
            yield path

    _opens_after_each(steps, how, paths())


def test_an_opening_that_fails_as_it_marks_the_file_leaves_nothing_to_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the log says then that the journal is open, and nothing of it is lost."""
    path = tmp_path / "j.db"
    Journal.open(path).close()
    full = sqlite3.OperationalError("disk is full")
    with monkeypatch.context() as context:
        context.setattr(open_marker, "_copy_to_main_file", _Steps.always(full))
        with pytest.raises(JournalError, match="disk is full"):
            Journal.open(path)
    Journal.open(path).close()
