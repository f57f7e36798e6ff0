"""Who may open which file, and what is said about the others."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.core.fakes import to_many
from support.journal.journaling import ACCEPTED, send_all
from support.waiting import LONG

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal import journal as journal_module
from iprog_async._journal.sqlite import file_lock as lock_module
from iprog_async._journal.sqlite.file_lock import FileLock


def _other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE people (name TEXT)")
        connection.commit()


def _other_application(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 77")
        connection.execute("VACUUM")


def _text(path: Path) -> None:
    path.write_text("name,number\n" * 200)


def _short_text(path: Path) -> None:
    path.write_text("hello")


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_other_database, "another SQLite database"),
        (_other_application, "another SQLite database"),
        (_text, "can't be used: file is not a database"),
        (_short_text, "can't be used: file is not a database"),
        (_folder, "can't open the journal"),
    ],
)
def test_what_is_no_journal_is_left_alone(
    make: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    """Something else is refused, keeps every byte, and is locked no longer than that."""
    path = tmp_path / "j.db"
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(JournalError, match=words) as caught:
        Journal.open(path)
    assert ("account", False) == (caught.value.blame, caught.value.may_have_been_sent)
    assert before == (path.read_bytes() if path.is_file() else b"")
    assert not Path(f"{path}.lock").exists()


_OPENINGS = [
    pytest.param(JournalReader.open, id="read"),
    pytest.param(Journal.open, id="opened"),
    pytest.param(partial(Journal.open, allow_lost_records=True), id="opened anyhow"),
]
_KILLED_WITH: dict[str, tuple[str, str]] = {
    "a closed journal's number": ("CREATE TABLE t (x); PRAGMA user_version=4", ""),
    "an open journal's number": ("CREATE TABLE t (x); PRAGMA user_version=5", ""),
    "no number": ("CREATE TABLE t (x)", ""),
    "a number in its log": ("CREATE TABLE t (x); PRAGMA user_version=4", "PRAGMA user_version=6"),
    "all but a number in its log": ("PRAGMA user_version=4", "CREATE TABLE t (x)"),
    "all in its log": ("", "CREATE TABLE t (x); PRAGMA user_version=6"),
    "an id": ("PRAGMA application_id=77; CREATE TABLE t (x); PRAGMA user_version=4", ""),
}
"""What another program has in its main file, and what in its log when it is killed."""


@pytest.mark.parametrize("open_it", _OPENINGS)
@pytest.mark.parametrize("name", _KILLED_WITH)
def test_another_database_keeps_its_log(
    name: str, open_it: Callable[[Path], object], tmp_path: Path
) -> None:
    """Whatever number another program has given its file, its log stays where it is."""
    source, path = tmp_path / "source.db", tmp_path / "app.db"
    main, log = _KILLED_WITH[name]
    with closing(sqlite3.connect(source, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA journal_mode=WAL; {main}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.executescript(f"{log}; CREATE TABLE last (x)")
        for suffix in ("", "-wal"):
            shutil.copy(f"{source}{suffix}", f"{path}{suffix}")
    before = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    with pytest.raises(JournalError, match="another SQLite database"):
        open_it(path)
    assert before == (path.read_bytes(), Path(f"{path}-wal").read_bytes())


@pytest.mark.parametrize("path", ["missing/j.db", "j\0.db", ""])
def test_a_path_that_leads_nowhere(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path at which no file can be is an error of the journal, not of the system."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(JournalError, match="can't open the journal"):
        Journal.open(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_takes_no_files(tmp_path: Path) -> None:
    """Where no file can be made there is no journal."""
    tmp_path.chmod(0o500)
    with pytest.raises(JournalError, match="Permission denied"):
        Journal.open(tmp_path / "j.db")
    tmp_path.chmod(0o700)


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    """A file made by `mktemp` is as good as none; it is for its owner alone from then on."""
    path = tmp_path / "j.db"
    path.touch(0o644)
    with Journal.open(path) as journal:
        assert str(path) == journal.path
    assert 0o600 == path.stat().st_mode & 0o777


@pytest.mark.parametrize("name", ["memory", "file:x?mode=ro", "ü 100%.db"])
def test_a_name_is_only_a_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that mean something to SQLite are names of files like any other."""
    monkeypatch.chdir(tmp_path)
    with Journal.open(name):
        assert (tmp_path / name).stat().st_size > 0


def test_a_journal_is_opened_by_several(tmp_path: Path) -> None:
    """Any number of openings share a file, and none is in the way of another's end."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        for _ in range(2):
            with Journal.open(path) as other:
                assert 0 == sum(asyncio.run(other.counts()).values())
        assert 0 == sum(asyncio.run(journal.counts()).values())
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize("campaign", ["march", None])
def test_whoever_joins_names_the_campaign(campaign: str | None, tmp_path: Path) -> None:
    """A file that others have open is of a campaign, too."""
    path = tmp_path / "j.db"
    with Journal.open(path, campaign="march"):
        Journal.open(path, campaign=campaign).close()
        with pytest.raises(JournalError, match="of the campaign 'march', not of the campaign 'ap"):
            Journal.open(path, campaign="april")
        Journal.open(path, campaign=campaign).close()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_to_a_journal(tmp_path: Path) -> None:
    """A journal is the same one by a link to it, or to its folder: it has one run at a time."""
    folder, path = tmp_path / "folder", tmp_path / "real" / "j.db"
    path.parent.mkdir()
    folder.symlink_to(path.parent)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with Journal.open(link) as journal:
        assert str(path) == journal.path
        for name in (path, link, folder / "j.db"):
            with Journal.open(name) as other:
                asyncio.run(_begin_both(journal, other))


async def _begin_both(journal: Journal, other: Journal) -> None:
    run = await journal.begin_run()
    with pytest.raises(JournalError, match="in use by a run of another process"):
        await other.begin_run()
    await journal.end_run(run)
    await other.end_run(await other.begin_run())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no such files")
def test_a_device_is_left_alone(tmp_path: Path) -> None:
    """A pipe or a device is refused, and keeps its mode."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o644)
    mode = path.stat().st_mode
    with pytest.raises(JournalError, match="no regular file"):
        Journal.open(path)
    assert (mode, [path]) == (path.stat().st_mode, list(tmp_path.iterdir()))


def test_a_path_that_is_too_long_for_sqlite(tmp_path: Path) -> None:
    """A path that the system takes and SQLite does not is an error of the journal."""
    folder = tmp_path
    for _ in range(5):
        folder /= "x" * 200
    try:
        folder.mkdir(parents=True)
    except OSError:
        pytest.skip("the system takes no such path")
    with pytest.raises(JournalError, match="the journal"):
        Journal.open(folder / "j.db")


_OPEN = """
import sys
from iprog_async import Journal, JournalError
try:
    Journal.open(sys.argv[1])
except JournalError as exc:
    print(exc)
else:
    print("opened")
"""


@pytest.mark.slow
def test_another_process_joins(tmp_path: Path) -> None:
    """A second process opens the file beside the first, and after it."""
    path = tmp_path / "j.db"
    with Journal.open(path):
        assert "opened" == _in_a_child(path)
    assert "opened" == _in_a_child(path)


def _in_a_child(path: Path) -> str:
    child = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", _OPEN, str(path)],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    return child.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_copy_can_do_nothing(tmp_path: Path) -> None:
    """A journal that was opened before a fork is refused in the child and whole in the parent."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                asyncio.run(journal.counts())
            except JournalError as exc:
                code = 0 if "forked" in str(exc) else 2
            journal.close()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        assert 0 == os.waitstatus_to_exitcode(status)
        assert 0 == sum(asyncio.run(journal.counts()).values())
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("made", "opened", "fits"),
    [
        ("", "", True),
        ("march", "march", True),
        ("march", None, True),
        (None, "", True),
        ("march", "", False),
        ("march", "april", False),
        ("", "april", False),
    ],
)
def test_a_journal_is_of_one_campaign(
    made: str | None, opened: str | None, fits: bool, tmp_path: Path
) -> None:
    """A file serves the campaign that it was made for, and whoever takes any."""
    path = tmp_path / "j.db"
    Journal.open(path, campaign=made).close()
    if fits:
        Journal.open(path, campaign=opened).close()
        return
    theirs, ours = (
        f"of the campaign {name!r}" if name else "of no named campaign" for name in (made, opened)
    )
    with pytest.raises(JournalError, match=f"{theirs}, not {ours}; "):
        Journal.open(path, campaign=opened)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a run of 300 texts."""
    path = tmp_path_factory.mktemp("whole") / "j.db"
    asyncio.run(send_all(path, ACCEPTED, to_many(300)))
    return path.read_bytes()


@pytest.mark.parametrize("where", [0, 16, 100, 4096, 8192, 12288, -4096])
def test_a_damaged_file_is_refused(where: int, whole: bytes, tmp_path: Path) -> None:
    """Bits that flip where SQLite keeps its structure are noticed when the file is opened."""
    path = tmp_path / "j.db"
    data = bytearray(whole)
    start = where % len(data)
    for position in range(start, start + 64):
        data[position] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(JournalError, match=r"damaged|can't be used|another SQLite"):
        Journal.open(path)


@pytest.mark.parametrize("size", [100, 4096, 8192, 20000])
def test_a_file_that_was_cut_is_refused(size: int, whole: bytes, tmp_path: Path) -> None:
    """A copy that broke off is no journal."""
    path = tmp_path / "j.db"
    path.write_bytes(whole[:size])
    with pytest.raises(JournalError):
        Journal.open(path)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM meta WHERE name = 'salt'", "is damaged; restore it"),
        ("UPDATE meta SET value = 99 WHERE name = 'version'", "has the format 99"),
        ("DROP TABLE meta", "can't be used"),
        ("DROP TABLE entries", "is damaged; restore it"),
    ],
)
def test_a_journal_of_another_making(statement: str, words: str, tmp_path: Path) -> None:
    """A journal that lacks something, or is of a later release, is refused."""
    path = tmp_path / "j.db"
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
    with pytest.raises(JournalError, match=words):
        Journal.open(path)


def test_a_making_that_broke_off_leaves_an_empty_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal is made whole or not at all, so that the next opening makes it."""
    path = tmp_path / "j.db"

    def fail() -> float:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        # The module's own, since other threads ask what time it is, too.
        context.setattr("iprog_async._journal.sqlite.database.time", SimpleNamespace(time=fail))
        with pytest.raises(KeyboardInterrupt):
            Journal.open(path)
    Journal.open(path).close()


def test_a_lock_that_was_removed_meanwhile_guards_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gets the lock of a file that its holder has just removed takes the new one."""
    real: Callable[[int], None] = lock_module._lock  # pyright: ignore[reportPrivateUsage] - a step of it
    path = tmp_path / "j.db"
    taken: list[int] = []

    def lock(descriptor: int) -> None:
        real(descriptor)
        if not taken:
            Path(f"{path}.lock").unlink()
        taken.append(descriptor)

    monkeypatch.setattr(lock_module, "_lock", lock)
    held = FileLock.take(f"{path}.lock")
    assert held is not None
    assert 2 == len(taken)
    assert FileLock.take(f"{path}.lock") is None
    held.release()
    held.release()
    again = FileLock.take(f"{path}.lock")
    assert again is not None
    again.release()


def test_a_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files can't be locked there is no journal: nothing would keep a second run out."""

    def lock(descriptor: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(lock_module, "_lock", lock)
    with pytest.raises(JournalError, match="Operation not supported"):
        Journal.open(tmp_path / "j.db")


def test_a_lock_left_by_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    """The lock's file alone keeps nobody out."""
    (tmp_path / "j.db.lock").touch()
    Journal.open(tmp_path / "j.db").close()


async def test_opening_aside(tmp_path: Path) -> None:
    """A journal that is opened in a thread is the caller's, or an error."""
    path = tmp_path / "j.db"
    with await Journal.open_aside(path):
        assert path.exists()
    with pytest.raises(JournalError, match="no regular file"):
        await Journal.open_aside(tmp_path)


async def test_an_opening_that_nobody_waits_for_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled opening goes on in its thread; the journal does not stay locked."""
    path = tmp_path / "j.db"
    closed = asyncio.Event()
    real: Any = journal_module.Journal.close

    def close(journal: Journal) -> None:
        real(journal)
        closed.set()

    monkeypatch.setattr(journal_module.Journal, "close", close)
    opening = asyncio.create_task(Journal.open_aside(path))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await closed.wait()
    Journal.open(path).close()
