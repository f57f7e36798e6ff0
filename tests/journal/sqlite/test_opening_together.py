"""Several that open and close one file, in every order, and are killed: no record is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.core.fakes import NUMBER, Wire
from support.forking import forking
from support.journal.journaling import ACCEPTED, as_killed, posting, states_in

from iprog_async import Journal, JournalError, JournalReader, OutcomeUnknownError
from iprog_async._journal.sqlite import open_marker, openers, writer
from iprog_async._journal.sqlite.file_lock import FileLock, is_held
from iprog_async._journal.sqlite.open_marker import Verdict, examine, read_marker


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


async def _send(journal: Journal, key: str) -> None:
    await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key=key)


def _files(path: Path) -> list[Path]:
    """Return what is there of a journal; shared limits have a file of their own, which stays."""
    return [file for file in path.parent.iterdir() if "-limits" not in file.name]


def _opens(path: Path, rows: int) -> None:
    """Open a file as the next process would, and read it."""
    with JournalReader.open(path) as reader:
        assert rows == asyncio.run(reader.counts())["accepted"]
    with Journal.open(path) as journal:
        assert rows == asyncio.run(journal.counts())["accepted"]
    assert (False, Verdict.WHOLE) == (read_marker(str(path)).is_open, examine(str(path))[1])


@pytest.mark.parametrize("first", [0, 1])
def test_the_last_one_to_close_marks_the_file(first: int, path: Path) -> None:
    """As long as one has the file open it says so, whoever opened it first."""
    journals = [Journal.open(path), Journal.open(path)]
    asyncio.run(_send(journals[first], "a"))
    journals.pop(first).close()
    assert read_marker(str(path)).is_open
    asyncio.run(_send(journals[0], "b"))
    journals[0].close()
    assert [path] == _files(path)
    _opens(path, 2)


@pytest.mark.parametrize("first", [0, 1])
def test_killed_after_another_has_closed(first: int, path: Path, tmp_path: Path) -> None:
    """What was written after somebody else's closing is there after a kill."""
    copy = tmp_path / "copy.db"
    journals = [Journal.open(path), Journal.open(path)]
    journals.pop(first).close()
    asyncio.run(_send(journals[0], "a"))
    as_killed(path, copy)
    journals[0].close()
    _opens(copy, 1)


def test_one_that_is_being_ended_by_the_system(path: Path) -> None:
    """Whoever closes while the lock of a killed process is not gone yet leaves the log in place."""
    dying = FileLock.take(f"{path}.lock-77")
    assert dying is not None
    # As it would have left the file: open, with a log.
    dying.release()
    journal = Journal.open(path)
    dying = FileLock.take(f"{path}.lock-77")
    assert dying is not None
    asyncio.run(_send(journal, "a"))
    journal.close()
    assert (True, Verdict.WHOLE) == (read_marker(str(path)).is_open, examine(str(path))[1])
    dying.release()
    _opens(path, 1)


def test_locks_of_the_dead_are_removed(path: Path) -> None:
    """What killed processes left behind makes nobody wait, and is removed."""
    for number in (1, 2, 30):
        Path(f"{path}.lock-{number}").touch()
    Path(f"{path}.lock-run").touch()
    Path(f"{path}.lock").touch()
    with Journal.open(path) as journal, asyncio.Runner() as runner:
        run = runner.run(journal.begin_run())
        runner.run(journal.end_run(run))
    assert (1, [path]) == (run, _files(path))


def test_an_opening_that_broke_off_at_its_last_step(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the lock of an opener can't be taken, the file is as before, and opens later."""
    taken: list[str] = []
    real = FileLock.take

    def take(name: str) -> FileLock | None:
        taken.append(name)
        if "lock-" in name:
            raise OSError(28, "No space left on device")
        return real(name)

    Journal.open(path).close()
    with monkeypatch.context() as context:
        context.setattr(FileLock, "take", take)
        with pytest.raises(JournalError, match="No space left"):
            Journal.open(path)
    assert 2 == len(taken)
    assert [path] == _files(path)
    _opens(path, 0)


def test_a_closing_that_a_reader_holds_up(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that could not be marked as closed to the end is marked as open when it is opened."""
    readers: list[sqlite3.Connection] = []
    real = open_marker._write  # pyright: ignore[reportPrivateUsage] - between two steps of it

    def write(connection: sqlite3.Connection, marker: open_marker.Marker) -> None:
        if not marker.is_open:
            reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM entries").fetchone()
            readers.append(reader)
            connection.execute("PRAGMA busy_timeout=0")
        real(connection, marker)

    journal = Journal.open(path)
    asyncio.run(_send(journal, "a"))
    with monkeypatch.context() as context:
        context.setattr(open_marker, "_write", write)
        journal.close()
    with closing(readers[0]):
        # While it is there SQLite can't remove the log.
        copy = tmp_path / "held.db"
        as_killed(path, copy)
    path.unlink()
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)

    killed = tmp_path / "killed.db"
    with Journal.open(copy) as journal:
        assert read_marker(str(copy)).is_open
        asyncio.run(_send(journal, "b"))
        with closing(sqlite3.connect(copy)) as other:
            other.execute("PRAGMA wal_checkpoint(FULL)")
        asyncio.run(_send(journal, "c"))
        as_killed(copy, killed)
    _opens(killed, 3)


@pytest.mark.parametrize("opening", [{"campaign": "another"}, {"campaign": "june"}])
def test_a_killed_file_that_is_refused_keeps_its_log(
    opening: dict[str, str], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An opening that comes to nothing leaves a killed file with its log, for the next one."""
    copy = tmp_path / "copy.db"
    with Journal.open(path, campaign="june") as journal:
        asyncio.run(_send(journal, "a"))
        as_killed(path, copy)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        if opening["campaign"] == "june":
            context.setattr("iprog_async._journal.sqlite.database._enter", fail)
        with pytest.raises((JournalError, KeyboardInterrupt)):
            Journal.open(copy, **opening)  # type: ignore[arg-type]
    with Journal.open(copy, campaign="june"):
        assert ["accepted"] == states_in(copy)


def _without_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def _replaced(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("lose", [_without_log, _replaced])
def test_whoever_joins_sees_that_the_file_is_not_whole(
    lose: Callable[[Path], None], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where others have the file open and its log or itself is gone, nobody joins them."""
    monkeypatch.setattr(open_marker, "_SECONDS_BETWEEN_LOOKS", 0)
    journal = Journal.open(path)
    asyncio.run(_send(journal, "a"))
    lose(path)
    with pytest.raises(JournalError, match="is not the one that it opened"):
        Journal.open(path)
    with pytest.raises(JournalError, match="is not the one that it opened"):
        Journal.open(path, allow_lost_records=True)
    journal.close()


def _remove_locks(path: Path) -> None:
    for lock in path.parent.glob(f"{path.name}.lock*"):
        lock.unlink()


@pytest.mark.skipif(os.name == "nt", reason="there an open file can't be removed")
def test_whoever_is_not_seen_any_more_sends_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose lock file somebody removed claims nothing more, and closes nothing for others."""
    monkeypatch.setattr(writer, "_SECONDS_BETWEEN_LOOKS", 0)
    journal = Journal.open(path)
    asyncio.run(_send(journal, "a"))
    _remove_locks(path)
    with Journal.open(path) as other:
        asyncio.run(_send(other, "b"))
        with pytest.raises(OutcomeUnknownError, match=r"\.lock-… was removed while"):
            asyncio.run(_send(journal, "c"))
        journal.close()
        assert read_marker(str(path)).is_open
    _opens(path, 2)


@pytest.mark.skipif(os.name == "nt", reason="there an open file can't be removed")
def test_a_log_that_goes_on_after_the_closing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody unseen wrote after another one had closed the file is not thrown away."""
    monkeypatch.setattr(writer, "_SECONDS_BETWEEN_LOOKS", 1000)
    copy = path.with_name("copy.db")
    with Journal.open(path) as journal:
        asyncio.run(_send(journal, "a"))
        _remove_locks(path)
        Journal.open(path).close()
        as_killed(path, copy)
        asyncio.run(_send(journal, "b"))
        late = path.with_name("late.db")
        as_killed(path, late)
    _opens(copy, 1)
    for _ in range(2):
        with pytest.raises(JournalError, match="may lack records"):
            Journal.open(late)


def test_a_file_that_another_release_has_open(path: Path) -> None:
    """Nobody joins those that use another format, and nobody changes it under them."""
    with Journal.open(path):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE meta SET value = 99 WHERE name = 'version'")
            connection.commit()
        with pytest.raises(JournalError, match="by a process with another release"):
            Journal.open(path)


def test_a_gate_that_stays_shut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for too long to open a file is told why; to close one nobody has to wait."""
    monkeypatch.setattr(openers, "_LOOK", 0.01)
    monkeypatch.setattr(openers, "_PATIENCE", 0.1)
    monkeypatch.setattr(openers, "_SOON", 0)
    journal = Journal.open(path)
    asyncio.run(_send(journal, "a"))
    gate = FileLock.take(f"{path}.lock")
    assert gate is not None
    with pytest.raises(
        JournalError, match=f"is being opened or closed by another process, {os.getpid()}, which"
    ):
        Journal.open(path)
    journal.close()
    assert read_marker(str(path)).is_open
    gate.release()
    _opens(path, 1)


@pytest.mark.parametrize("open_it", [Journal.open, JournalReader.open])
def test_a_process_of_an_older_release(
    open_it: Callable[[Path], object], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the file to itself for as long as it runs: that is said, and not waited for."""
    monkeypatch.setattr(openers, "_LOOK", 0.001)
    Journal.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE meta SET value = 2 WHERE name = 'version'")
        connection.commit()
    gate = FileLock.take(f"{path}.lock")
    assert gate is not None
    # Earlier releases wrote nothing into it.
    os.truncate(f"{path}.lock", 0)
    with pytest.raises(JournalError, match=r"an older release of this library.* end that process"):
        open_it(path)
    gate.release()


def test_the_gate_opens(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the gate gets it once it is free."""
    monkeypatch.setattr(openers, "_LOOK", 300.0)
    gate = FileLock.take(f"{path}.lock")
    assert gate is not None
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            gate.release()

    # The module's own, since other threads sleep, too.
    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr("iprog_async._journal.sqlite.file_lock.time", clock)
    Journal.open(path).close()
    assert (0.002, 0.05) == (pauses[0], pauses[-1])


def test_a_damaged_row_is_refused_whoever_joins(path: Path) -> None:
    """Each opening checks all rows; one that is refused is in nobody's way."""
    with Journal.open(path) as journal:
        asyncio.run(_send(journal, "a"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE entries SET number = '+639170000999'")
            connection.commit()
        with pytest.raises(JournalError, match="1 of its rows can't be trusted"):
            Journal.open(path)
        with Journal.open(path, allow_lost_records=True) as other:
            assert 1 == asyncio.run(other.counts())["unknown"]
    assert [path] == _files(path)


def test_a_lock_that_nobody_has(tmp_path: Path) -> None:
    """A lock is held by whoever took it, and by nobody when its file is all that is left."""
    name = str(tmp_path / "a.lock")
    assert not is_held(name)
    lock = FileLock.take(name)
    assert lock is not None
    assert is_held(name)
    lock.release()
    Path(name).touch()
    assert not is_held(name)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_lock_ends_with_its_process_whoever_was_forked_off(tmp_path: Path) -> None:
    """A child that was forked off keeps no lock of its parent's alive."""
    name = str(tmp_path / "a.lock")
    lock = FileLock.take(name)
    assert lock is not None
    (ready, say_ready), (waits, end) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.write(say_ready, b"1")
        os.read(waits, 1)
        os._exit(0)
    os.read(ready, 1)
    # As the end of the process would: without a word to the system about the lock itself.
    lock.leave_to_parent()
    assert not is_held(name)
    for descriptor in (ready, say_ready, waits, end):
        os.close(descriptor)
    os.waitpid(child, 0)


_STEPS = """
import asyncio, os, signal, sys
sys.path.insert(0, TESTS)
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, posting
from iprog_async import Journal
from iprog_async._journal.sqlite import database, file_lock, open_marker

steps = 0
def die(real, step):
    def counted(*arguments, **more):
        global steps
        result = real(*arguments, **more)
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return counted

def main(path, step):
    for module, name in (
        (open_marker, "_write"), (open_marker, "_copy_to_main_file"), (database, "lease_block"),
        (database, "mark_closed"), (database, "close_and_leave_log"), (database, "is_open"),
        (database, "enter"), (file_lock, "_lock"), (file_lock, "_unlock"),
    ):
        setattr(module, name, die(getattr(module, name), step))
    with Journal.open(path) as journal:
        asyncio.run(posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key=f"step {step}"))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize("beside", [True, False], ids=["beside another", "alone"])
def test_killed_at_each_step(beside: bool, path: Path) -> None:
    """Killed at any step of opening or closing, whoever comes next or is there goes on."""
    script = f"TESTS = {str(Path(__file__).parents[2])!r}\n{_STEPS}"
    with forking(script) as child:
        for step in range(1, 30):
            with Journal.open(path) if beside else nullcontext() as other:
                code = child.call(str(path), step)
                assert code in (0, -signal.SIGKILL)
                if other is not None:
                    asyncio.run(_send(other, f"beside {step}"))
            Journal.open(path).close()
            if code == 0:
                _opens(path, len(states_in(path)))
                return
    raise AssertionError("it has more steps than that")
