"""A journal whose newest records were lost with SQLite's `-wal` texts nobody by itself."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.core.fakes import Wire, to_many
from support.journal.journaling import ACCEPTED, BROKEN, BUSY, posting, run_over, send_all
from support.waiting import LONG

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal.sqlite.wal import read_wal


_PEOPLE = 40
_SENT = 25

_RUN = """
import asyncio, os, signal, sys
sys.path.insert(0, sys.argv[2])
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, posting
from iprog_async import Journal

async def main(path, people, last):
    with Journal.open(path) as journal:
        client = posting(Wire(ACCEPTED))
        async with client.send_many(to_many(people), journal=journal, concurrency=1) as run:
            seen = 0
            async for outcome in run:
                seen += 1
                if seen == last:
                    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1], int(sys.argv[3]), int(sys.argv[4])))
"""


def _kill_a_run(path: Path, people: int = _PEOPLE, last: int = _SENT) -> None:
    """Send to many in another process, and kill it as hard as can be after some of them."""
    tests = Path(__file__).parents[2]
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", _RUN, str(path), str(tests), str(people), str(last)],
        check=False,
        timeout=LONG,
    )
    assert -signal.SIGKILL == child.returncode


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the files of a run that was killed: `june.db`, with an earlier one of its own."""
    folder = tmp_path_factory.mktemp("killed")
    path = folder / "june.db"
    _kill_a_run(path)
    return path


def _copy(killed: Path, folder: Path) -> Path:
    for file in killed.parent.iterdir():
        shutil.copy(file, folder / file.name)
    return folder / killed.name


def _moved_alone(path: Path) -> Path:
    (path.parent / "elsewhere").mkdir()
    return path.rename(path.parent / "elsewhere" / path.name)


def _copied_alone(path: Path) -> Path:
    return Path(shutil.copy(path, path.with_name("copy.db")))


def _renamed_alone(path: Path) -> Path:
    return path.rename(path.with_name("july.db"))


def _hard_link(path: Path) -> Path:
    other = path.with_name("link.db")
    other.hardlink_to(path)
    return other


def _without_log(path: Path) -> Path:
    Path(f"{path}-wal").unlink()
    return path


def _empty_log(path: Path) -> Path:
    os.truncate(f"{path}-wal", 0)
    return path


def _cut_log(path: Path) -> Path:
    os.truncate(f"{path}-wal", 20)
    return path


def _log_of_one_page(path: Path) -> Path:
    os.truncate(f"{path}-wal", 32)
    return path


def _log_cut_within_a_page(path: Path) -> Path:
    size = os.stat(f"{path}-wal").st_size
    os.truncate(f"{path}-wal", size // 2 // 4096 * 4096 + 1000)
    return path


def _log_cut_within_a_block(path: Path) -> Path:
    """As a transfer by smaller blocks than the file system's leaves it when it breaks off."""
    size = os.stat(f"{path}-wal").st_size
    os.truncate(f"{path}-wal", size // 2 // 4096 * 4096 + 512)
    return path


def _broken_log(path: Path) -> Path:
    log = Path(f"{path}-wal")
    data = bytearray(log.read_bytes())
    data[20] ^= 1
    log.write_bytes(data)
    return path


def _log_of_another(path: Path) -> Path:
    other = path.with_name("other.db")
    connection = sqlite3.connect(other)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE people (name TEXT)")
    connection.commit()
    shutil.copy(f"{other}-wal", f"{path}-wal")
    connection.close()
    return path


def _log_of_another_journal(path: Path) -> Path:
    other = path.with_name("other.db")
    _kill_a_run(other, 30, 20)
    shutil.copy(f"{other}-wal", f"{path}-wal")
    return path


def _folded_in_by_another_program(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT count(*) FROM entries").fetchone()
    return path


LOSSES: list[Callable[[Path], Path]] = [
    _moved_alone,
    _copied_alone,
    _renamed_alone,
    _hard_link,
    _without_log,
    _empty_log,
    _cut_log,
    _log_of_one_page,
    _log_cut_within_a_page,
    _log_cut_within_a_block,
    _broken_log,
    _log_of_another,
    _log_of_another_journal,
    _folded_in_by_another_program,
]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize("lose", LOSSES)
async def test_a_journal_that_lost_its_log_is_refused(
    lose: Callable[[Path], Path], killed: Path, tmp_path: Path
) -> None:
    """It is refused in words, for sending and for reading, and the next opening refuses, too."""
    path = lose(_copy(killed, tmp_path))
    for _ in range(2):
        with pytest.raises(JournalError, match=r"may lack records.*june|may lack") as caught:
            await send_all(path, ACCEPTED, to_many(_PEOPLE))
        assert "allow_lost_records=True" in str(caught.value)
    with pytest.MonkeyPatch.context() as context:
        context.setattr("iprog_async._journal.sqlite.open_marker._SECONDS_BETWEEN_LOOKS", 0)
        with pytest.raises(JournalError, match="may lack records"):
            JournalReader.open(path)


def _as_it_is(path: Path) -> Path:
    return path


def _moved_together(path: Path) -> Path:
    (path.parent / "elsewhere").mkdir()
    for file in (path, Path(f"{path}-wal")):
        file.rename(path.parent / "elsewhere" / file.name)
    return path.parent / "elsewhere" / path.name


def _copied_together(path: Path) -> Path:
    for suffix in ("", "-wal", "-shm"):
        shutil.copy(f"{path}{suffix}", f"{path.parent}/both.db{suffix}")
    return path.parent / "both.db"


def _symbolic_link(path: Path) -> Path:
    other = path.with_name("link.db")
    other.symlink_to(path)
    return other


def _without_memory(path: Path) -> Path:
    Path(f"{path}-shm").unlink()
    return path


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize(
    "keep", [_as_it_is, _moved_together, _copied_together, _symbolic_link, _without_memory]
)
async def test_a_killed_run_goes_on_with_its_log(
    keep: Callable[[Path], Path], killed: Path, tmp_path: Path
) -> None:
    """With its log beside it, a journal is opened as ever, and nobody is texted twice."""
    path = keep(_copy(killed, tmp_path))
    with JournalReader.open(path) as reader:
        counts = await reader.counts()
    assert _SENT <= counts["accepted"] <= _SENT + 1
    _, asked = await send_all(path, ACCEPTED, to_many(_PEOPLE))
    # What was on its way when it was killed is unknown.
    assert _PEOPLE - _SENT - 2 <= len(asked) <= _PEOPLE - _SENT
    assert {message.to for message in to_many(_PEOPLE)[: _SENT + 1]}.isdisjoint(asked[1:])
    # It was closed: now the main file is all there is.
    assert read_wal(str(path)) is None
    states, again = await send_all(_copied_alone(path), ACCEPTED, to_many(_PEOPLE))
    assert ([], {"accepted", "unknown"}) == (again, {*states, "unknown"})


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
async def test_a_copy_put_back_beside_the_log_of_a_later_run(tmp_path: Path) -> None:
    """A copy of a closed journal beside the log of a run that came after it is refused."""
    path, backup = tmp_path / "june.db", tmp_path / "backup.db"
    await send_all(path, ACCEPTED, to_many(10))
    shutil.copy(path, backup)
    _kill_a_run(path)
    shutil.copy(backup, path)
    log = read_wal(str(path))
    with pytest.raises(JournalError, match="is not its own: it may have the records of a later"):
        Journal.open(path)
    assert log == read_wal(str(path)) is not None


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
def test_a_copy_put_back_beside_a_log_that_was_cut_off(killed: Path, tmp_path: Path) -> None:
    """Of a log that was cut off nobody knows what it had: it stays, and nothing is sent."""
    path = _log_cut_within_a_page(_copy(killed, tmp_path))
    backup = tmp_path / "backup.db"
    asyncio.run(send_all(backup, ACCEPTED, to_many(10)))
    backup.replace(path)
    before = Path(f"{path}-wal").read_bytes()
    with pytest.raises(JournalError, match="may lack records"):
        Journal.open(path)
    assert before == Path(f"{path}-wal").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
async def test_a_copy_of_the_middle_of_a_run(tmp_path: Path) -> None:
    """A copy that was made while a run wrote lacks what came after, and is refused."""
    path, backup = tmp_path / "june.db", tmp_path / "backup.db"
    with Journal.open(path) as journal:
        await run_over(posting(Wire(ACCEPTED)), to_many(10), journal=journal)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
            source.backup(target)
        await run_over(posting(Wire(ACCEPTED)), to_many(20), journal=journal)
    with pytest.raises(JournalError, match="may lack records"):
        Journal.open(backup)


def test_an_emptied_main_file_beside_its_log(killed: Path, tmp_path: Path) -> None:
    """A main file without a byte is no new journal while a log lies beside it."""
    path = _copy(killed, tmp_path)
    os.truncate(path, 0)
    with pytest.raises(JournalError, match="may lack records"):
        Journal.open(path)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize("lose", [_without_log, _log_of_another])
async def test_going_on_all_the_same(lose: Callable[[Path], Path], tmp_path: Path) -> None:
    """When told to, it goes on: what waits on record may have been sent since, so it is unknown."""
    path = tmp_path / "june.db"
    people = to_many(_PEOPLE)
    for message, reply in zip(people, (ACCEPTED, BUSY, BROKEN), strict=False):
        await send_all(path, reply, [message])
    _kill_a_run(path)
    lost = read_wal(str(lose(path)))

    states, asked = await send_all(path, ACCEPTED, people, allow_lost_records=True)
    assert ["accepted", "unknown", "unknown"] == states[:3]
    # They may get it a second time, which is what was said.
    assert [message.to for message in people[3:]] == sorted(asked)
    with Journal.open(path) as journal:
        details = [entry.detail async for entry in journal.unknown()]
    assert any("lost its newest records" in detail for detail in details)
    aside = [name for name in os.listdir(tmp_path) if "set-aside" in name]
    assert (["june.db-wal-set-aside-1"] if lost else []) == aside
    assert (_PEOPLE - 2, []) == (
        (await send_all(path, ACCEPTED, people))[0].count("accepted"),
        (await send_all(path, ACCEPTED, people))[1],
    )
