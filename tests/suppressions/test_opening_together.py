"""A list in an SQLite file that several processes, or threads, open at the same moment."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from iprog_async import SuppressionsError
from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._suppressions import sqlite_file
from iprog_async._suppressions.sqlite_file import APPLICATION, SqliteFile


_STATEMENTS = 11
"""With which a list is made, at least."""
_LOOK = "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id"


def opened(path: Path, meanwhile: Callable[[int], object]) -> SqliteFile:
    """Return a list that was opened while something happened before each of the statements.

    Args:
        path: The file.
        meanwhile: What happens, given the number of the statement.
    """
    statements = count(1)
    connect = sqlite3.connect

    def connect_watched(path: str, **settings: Any) -> sqlite3.Connection:
        patch.undo()
        connection: sqlite3.Connection = connect(path, **settings)
        connection.set_trace_callback(lambda _: meanwhile(next(statements)))
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect_watched)
        return SqliteFile(str(path), create=True)


def test_new_list_is_whole_or_not_there(tmp_path: Path) -> None:
    """Whoever looks while a list is made finds nothing, or all of it: never somebody else's."""
    path = tmp_path / "stop.db"
    seen: list[tuple[int, int]] = []
    statements: list[int] = []

    def look(now: int) -> None:
        statements.append(now)
        with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
            seen.extend(connection.execute(_LOOK))

    opened(path, look).close()

    assert _STATEMENTS <= len(statements)
    look(0)
    assert {(0, 0), (APPLICATION, 4)} == set(seen)


@pytest.mark.parametrize("statement", range(1, _STATEMENTS + 1))
def test_list_that_another_process_makes_meanwhile_is_ours(
    statement: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whatever moment of opening it another process makes the list, it is opened."""
    path = tmp_path / "stop.db"
    monkeypatch.setattr(sqlite_file, "_PATIENCE", 0.0)

    def make(now: int) -> None:
        if now == statement:
            # Where the file is in use, the other process would try again.
            with suppress(SuppressionsError):
                SqliteFile(str(path), create=True).close()

    file = opened(path, make)

    assert (APPLICATION, 4) == file.read(lambda connection: connection.execute(_LOOK).fetchone())
    file.close()


def test_list_that_another_thread_closes_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was about to use the file, when another thread gave it up, uses it all the same."""
    file = SqliteFile(str(tmp_path / "stop.db"), create=True)
    enter = FileInUse.__enter__

    def enter_late(in_use: FileInUse) -> None:
        monkeypatch.undo()
        file.close()
        enter(in_use)

    monkeypatch.setattr(FileInUse, "__enter__", enter_late)

    assert (0,) == file.read(lambda found: found.execute("SELECT count(*) FROM seen").fetchone())
    file.close()


def test_threads_open_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several threads that need a file which is closed one opens it, and closes no other's."""
    file = SqliteFile(str(tmp_path / "stop.db"), create=True)
    file.close()
    connect, opened, begins = sqlite3.connect, list[str](), threading.Barrier(8)

    def connect_slowly(path: str, **settings: Any) -> sqlite3.Connection:
        opened.append(path)
        time.sleep(0.01)
        connection: sqlite3.Connection = connect(path, **settings)
        return connection

    def ask(_: int) -> int:
        begins.wait()
        return file.read(lambda found: len(found.execute("SELECT 1 FROM seen").fetchall()))

    monkeypatch.setattr(sqlite3, "connect", connect_slowly)
    with ThreadPoolExecutor(8) as threads:
        assert [0] * 8 == list(threads.map(ask, range(8)))

    assert 1 == len(opened)
    file.close()
