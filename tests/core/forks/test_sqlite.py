"""A fork comes between two uses of an SQLite file, and the child has none of its locks."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.waiting import LONG

from iprog_async._core.forks import sqlite as sqlite_forks
from iprog_async._core.forks.sqlite import FileInUse


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    """Let what a child would do be undone, and a fork wait for nobody."""
    resumed = threading.Event()
    resumed.set()
    replaced: dict[str, object] = {
        "_in_use": {},
        "_lost": set(),
        "_of_parents": [],
        "_resumed": resumed,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(sqlite_forks, name, value)
    monkeypatch.setattr(sqlite_forks, "_LONGEST_WAIT", 0.0)


def _open(path: Path) -> FileInUse:
    file = FileInUse(str(path))
    file.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    file.connection.execute("CREATE TABLE t (x)")
    return file


@contextmanager
def _used(file: FileInUse) -> Generator[None]:
    """Use a file in another thread."""
    begun, over = threading.Event(), threading.Event()

    def use() -> None:
        with file:
            begun.set()
            over.wait(LONG)

    thread = threading.Thread(target=use)
    thread.start()
    begun.wait(LONG)
    try:
        yield
    finally:
        over.set()
        thread.join()


def _before() -> None:
    sqlite_forks._before_fork()  # pyright: ignore[reportPrivateUsage] - as the fork calls it


def _in_parent() -> None:
    sqlite_forks._after_fork_in_parent()  # pyright: ignore[reportPrivateUsage] - as the fork calls it


def _in_child() -> None:
    sqlite_forks._after_fork_in_child()  # pyright: ignore[reportPrivateUsage] - as the fork calls it


def test_the_parent_goes_on(tmp_path: Path) -> None:
    """What was stopped for a fork is used again after it, and what was in use all the time, too."""
    idle, busy = _open(tmp_path / "idle"), _open(tmp_path / "busy")
    with _used(busy):
        _before()
        _in_parent()
        with _used(idle):
            pass
    with busy:
        pass
    for file in (idle, busy):
        file.end()


def test_the_child_has_nothing_open(tmp_path: Path) -> None:
    """A child closes what nobody used, and opens it anew; what was in use it refuses."""
    idle, busy = _open(tmp_path / "idle"), _open(tmp_path / "busy")
    with _used(busy):
        _before()
        _in_child()
    assert idle.connection is not None
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        idle.connection.execute("SELECT 1")
    with pytest.raises(sqlite3.ProgrammingError, match="before a fork"), idle:
        pass
    FileInUse(str(tmp_path / "idle")).end()
    with pytest.raises(OSError, match="forked off while its parent was at the file"):
        FileInUse(str(tmp_path / "busy"))
    assert busy.connection is not None
    busy.connection.close()


def test_a_fork_within_a_transaction(tmp_path: Path) -> None:
    """Where a signal handler forks in the midst of a transaction, the child leaves that alone."""
    file = _open(tmp_path / "j")
    assert file.connection is not None
    with file:
        file.connection.execute("BEGIN IMMEDIATE")
        _before()
        _in_child()
        file.connection.execute("COMMIT")
    with pytest.raises(OSError, match="forked off while its parent was at the file"):
        FileInUse(str(tmp_path / "j"))
    file.connection.close()
