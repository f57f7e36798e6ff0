"""A journal's main file says which log is its own, and whether that has to be there."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import NUMBER, Wire, to_many
from support.forking import Forking, forking
from support.journal.journaling import (
    ACCEPTED,
    as_killed,
    posting,
    run_over,
    send_all,
    sent_to,
    sqlite_store,
)

from iprog_async import Journal, JournalReader
from iprog_async._journal.sqlite import open_marker as marker_module
from iprog_async._journal.sqlite.open_marker import Marker, Verdict, read_marker
from iprog_async._journal.sqlite.wal import Wal, read_wal


_STEPS = """
import os, signal
from iprog_async import Journal
from iprog_async._journal.sqlite import open_marker as marker

steps = 0
def die(real, step):
    def counted(*arguments):
        global steps
        for done in (False, True):
            steps += 1
            if steps == step:
                os.kill(os.getpid(), signal.SIGKILL)
            if not done:
                result = real(*arguments)
        return result
    return counted

def main(path, step, earlier):
    for _ in range(earlier):
        Journal.open(path).close()
    for name in ("_write", "_copy_to_main_file", "read_wal"):
        setattr(marker, name, die(getattr(marker, name), step))
    Journal.open(path).close()
"""


@pytest.fixture(scope="module")
def opening() -> Iterator[Forking]:
    """Open a journal in a process that is killed at a step."""
    with forking(_STEPS) as child:
        yield child


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize("earlier", [0, 5], ids=["new", "used before"])
@pytest.mark.parametrize("step", range(1, 11))
def test_killed_while_it_is_opened_or_closed(
    step: int, earlier: int, tmp_path: Path, opening: Forking
) -> None:
    """Killed at any step of its opening or its closing, a journal opens without a word."""
    path = tmp_path / "june.db"
    assert opening.call(str(path), step, earlier) in (0, -signal.SIGKILL)
    if step > 2 or earlier:
        JournalReader.open(path).close()
    Journal.open(path).close()
    JournalReader.open(path).close()
    assert Verdict.WHOLE is marker_module.examine(str(path))[1]


@given(st.integers(1, 0x7FFFFFFF), st.booleans())
def test_a_marker_is_read_as_it_was_written(generation: int, is_open: bool) -> None:
    """Whatever log it names, the number in the file has 32 bits and means the same again."""
    number = Marker(generation, is_open, 1, True).user_version
    assert -(1 << 31) <= number < 1 << 31
    unsigned = number & 0xFFFFFFFF
    assert (generation, is_open) == (unsigned >> 1, bool(unsigned & 1))


_OWN, _OTHER = Wal(7, 5, False), Wal(7 + 4096, 5, False)
_BEGUN, _BROKEN = Wal(7 + 4096, 1, True), Wal(0, 0, False)


@pytest.mark.parametrize(
    ("marker", "wal", "verdict"),
    [
        (Marker(7, True, 5, True), _OWN, Verdict.WHOLE),
        (Marker(7, True, 5, True), Wal(7, 1, True), Verdict.WHOLE),
        (Marker(7, True, 5, True), Wal(7 + 4095, 5, False), Verdict.WHOLE),
        (Marker(7, True, 5, True), Wal(6, 5, False), Verdict.LOST),
        (Marker(0x7FFFFFFF, True, 5, True), Wal(1, 5, False), Verdict.WHOLE),
        (Marker(7, True, 5, True), Wal(7, 0, True), Verdict.LOST),
        (Marker(7, True, 5, True), _OTHER, Verdict.LOST),
        (Marker(7, True, 5, True), _BROKEN, Verdict.LOST),
        (Marker(7, True, 5, True), None, Verdict.LOST),
        (Marker(7, False, 5, True), None, Verdict.WHOLE),
        (Marker(7, False, 5, True), _OWN, Verdict.USELESS_LOG),
        (Marker(7, False, 5, True), _BEGUN, Verdict.USELESS_LOG),
        (Marker(7, False, 5, True), _OTHER, Verdict.STRANGE_LOG),
        (Marker(7, False, 5, True), _BROKEN, Verdict.STRANGE_LOG),
        (Marker(0, False, 5, True), None, Verdict.WHOLE),
        (Marker(0, False, 5, True), _OTHER, Verdict.WHOLE),
        (Marker(0, False, 0, False), None, Verdict.WHOLE),
        (Marker(0, False, 0, False), _OTHER, Verdict.STRANGE_LOG),
        (Marker(0, False, 1, False), _OTHER, Verdict.WHOLE),
        (Marker(0, False, 1, False), None, Verdict.LOST),
    ],
)
def test_main_file_and_log(marker: Marker, wal: Wal | None, verdict: Verdict) -> None:
    """What a main file says and the log beside it are judged together."""
    assert verdict is marker.judge(wal)


async def _begin_log_anew(path: Path, journal: Journal, number: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    connection.close()
    await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key=str(number))


async def test_a_log_is_known_however_often_it_is_begun_anew(tmp_path: Path) -> None:
    """SQLite writes its log from the beginning again and again, whoever has the file open."""
    path = tmp_path / "j.db"
    with Journal.open(path) as one, Journal.open(path) as two:
        seen: set[int] = set()
        for number, journal in enumerate((one, two, two, one, two, one)):
            await _begin_log_anew(path, journal, number)
            wal = read_wal(str(path))
            assert wal is not None
            seen.add(wal.generation)
            copy = tmp_path / f"killed-{number}.db"
            as_killed(path, copy)
            Journal.open(copy).close()
    assert 6 == len(seen)
    assert not read_marker(str(path)).is_open


async def test_a_log_that_was_begun_anew_very_often_is_named_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a file stays open, its log is known by its name."""
    monkeypatch.setattr(marker_module, "_MOST_TIMES", 4)
    monkeypatch.setattr("iprog_async._journal.sqlite.writer._SECONDS_BETWEEN_MARKS", 0)
    monkeypatch.setattr("iprog_async._journal.sqlite.writer._SECONDS_BETWEEN_LOOKS", 0)
    path, copy = tmp_path / "j.db", tmp_path / "killed.db"
    with Journal.open(path) as journal:
        for number in range(20):
            await _begin_log_anew(path, journal, number)
        as_killed(path, copy)
    Journal.open(copy).close()


async def test_a_log_that_can_not_be_read_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a file descriptor texts are sent all the same, and the closed file is whole."""
    monkeypatch.setattr("iprog_async._journal.sqlite.writer._SECONDS_BETWEEN_MARKS", 0)
    monkeypatch.setattr("iprog_async._journal.sqlite.writer._SECONDS_BETWEEN_LOOKS", 0)
    path, asked = tmp_path / "j.db", 0

    def read_nothing(_: str) -> None:
        nonlocal asked
        asked += 1
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as context:
        with Journal.open(path) as journal:
            context.setattr(marker_module, "read_wal", read_nothing)
            for key in "ab":
                await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key=key)
            before = asked
        assert 0 < before < asked
    with Journal.open(path) as journal:
        assert 2 == (await journal.counts())["accepted"]


def test_opening_marks_the_main_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main file is marked at the opening and at the end, and not for each message."""
    marked: list[bool] = []
    real = marker_module._write  # pyright: ignore[reportPrivateUsage] - what writes it

    def write(connection: sqlite3.Connection, marker: Marker) -> None:
        marked.append(marker.is_open)
        real(connection, marker)

    monkeypatch.setattr(marker_module, "_write", write)
    asyncio.run(send_all(tmp_path / "j.db", ACCEPTED, to_many(300)))
    assert [True, False] == marked


async def test_a_reader_keeps_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads, a run that ends leaves its log, and the journal is whole with it."""
    path = tmp_path / "j.db"
    await send_all(path, ACCEPTED, to_many(3))
    with Journal.open(path) as journal:
        await run_over(posting(Wire(ACCEPTED)), to_many(6), journal=journal)
        sqlite_store(journal)._writer._connection.execute("PRAGMA busy_timeout=50")  # pyright: ignore[reportPrivateUsage] - the only one it goes for
        reader = JournalReader.open(path)
        await run_over(posting(Wire(ACCEPTED)), to_many(9), journal=journal)
    assert read_marker(str(path)).is_open
    assert 6 == (await reader.counts())["accepted"]
    reader.close()
    assert sent_to(Wire()) == (await send_all(path, ACCEPTED, to_many(9)))[1]
