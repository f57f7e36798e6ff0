"""A log that was being copied to the main file as its process was killed, or the disk was full."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from attrs import frozen
from support.core.fakes import NUMBER, Wire, to_many
from support.forking import forking
from support.journal.journaling import ACCEPTED, as_killed, posting, run_over, send_all, states_in

from iprog_async import Journal, JournalError, JournalReader
from iprog_async._journal.sqlite.open_marker import Verdict, examine


_PAGE = 4096
_ROWS = 50
_LATER = 100


@frozen
class _Copying:
    """A killed journal, and what copying its log makes of its main file.

    Args:
        path: The journal, with its log.
        before: The pages of its main file.
        after: Those that it has once the log is copied.
    """

    path: Path
    before: Sequence[bytes]
    after: Sequence[bytes]

    @property
    def changed(self) -> Sequence[int]:
        """Which pages are copied."""
        kept = len(self.before)
        return [n for n, page in enumerate(self.after) if n >= kept or page != self.before[n]]

    def write(self, path: Path, copied: Sequence[int], *, longer: int = 0) -> None:
        """Make the journal as it is once some pages are copied, in whatever order."""
        as_killed(self.path, path)
        with path.open("r+b") as file:
            for number in copied:
                file.seek(number * _PAGE)
                file.write(self.after[number])
            file.truncate(file.seek(0, os.SEEK_END) + longer)


def _pages(path: Path) -> Sequence[bytes]:
    content = path.read_bytes()
    return [content[start : start + _PAGE] for start in range(0, len(content), _PAGE)]


async def _kill_later(folder: Path, first: int, later: int) -> _Copying:
    path, killed, folded = folder / "j.db", folder / "killed.db", folder / "folded.db"
    await send_all(path, ACCEPTED, to_many(first))
    with Journal.open(path) as journal:
        await run_over(posting(Wire(ACCEPTED)), to_many(later), journal=journal)
        as_killed(path, killed)
    as_killed(killed, folded)
    with closing(sqlite3.connect(folded)) as connection:
        connection.execute("PRAGMA wal_checkpoint(FULL)")
    return _Copying(killed, _pages(killed), _pages(folded))


@pytest.fixture(scope="module", params=[0, _ROWS], ids=["first run", "second run"])
def copying(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _Copying:
    """Return a journal whose main file grows as its log is copied."""
    folder = tmp_path_factory.mktemp("copying")
    copying = asyncio.run(_kill_later(folder, request.param, _LATER))
    assert len(copying.before) < len(copying.after)
    assert copying.before[0] != copying.after[0]
    return copying


_Pick = Callable[[Sequence[int]], Sequence[int]]


def _some(seed: int) -> _Pick:
    def some(changed: Sequence[int]) -> Sequence[int]:
        draw = random.Random(seed)  # noqa: S311 - no secret
        return draw.sample(changed, draw.randrange(len(changed) + 1))

    return some


_COPIED: dict[str, _Pick] = {
    "the first page": lambda changed: changed[:1],
    "all but the last one": lambda changed: changed[:-1],
    "all but the first one": lambda changed: changed[1:],
    "two pages": lambda changed: changed[:2],
    "half of them": lambda changed: changed[: len(changed) // 2],
    "the last one, behind a hole": lambda changed: changed[-1:],
    "the first and the last one": lambda changed: [changed[0], changed[-1]],
    "all of them": lambda changed: changed,
    **{f"some {seed}": _some(seed) for seed in range(12)},
}


@pytest.mark.parametrize("copied", _COPIED)
def test_a_log_that_was_copied_in_part(copied: str, copying: _Copying, tmp_path: Path) -> None:
    """Whichever pages are copied, the journal opens with all that its log has, for all who ask."""
    path = tmp_path / "j.db"
    copying.write(path, _COPIED[copied](copying.changed))
    _opens(path)


@pytest.mark.parametrize("pages", [[0], [], [0, 1]], ids=["the first page", "none", "two pages"])
@pytest.mark.parametrize("size", [1000, 2000, 50 * _PAGE])
def test_a_main_file_of_another_length(
    pages: Sequence[int], size: int, copying: _Copying, tmp_path: Path
) -> None:
    """Room that was made for what is to come, or a page that is there in part, does no harm."""
    path = tmp_path / "j.db"
    copying.write(path, pages, longer=size)
    _opens(path)


def test_a_main_file_that_lacks_what_no_log_has(copying: _Copying, tmp_path: Path) -> None:
    """Cut off, a main file is whole only if its log has every page that it lacks."""
    for size in range(1, len(copying.before) + 1):
        path = tmp_path / f"{size}.db"
        copying.write(path, [0], longer=(size - len(copying.before)) * _PAGE)
        lacks = set(range(size, len(copying.before))) - set(copying.changed)
        if not lacks:
            _opens(path)
            continue
        for open_it in (JournalReader.open, Journal.open):
            with pytest.raises(JournalError, match="damaged"):
                open_it(path)


def _opens(path: Path) -> None:
    with JournalReader.open(path) as reader:
        assert _LATER == asyncio.run(reader.counts())["accepted"]
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        outcomes = asyncio.run(run_over(posting(wire), to_many(_LATER + 1), journal=journal))
    assert (["accepted"] * (_LATER + 1), 1) == ([o.state for o in outcomes], len(wire.requests))
    assert Verdict.WHOLE is examine(str(path))[1]


def test_a_log_that_was_copied_in_part_beside_one_who_has_the_journal_open(
    tmp_path: Path,
) -> None:
    """Whoever comes after a kill joins those who are there, and reads what they have."""
    path, folded = tmp_path / "j.db", tmp_path / "folded.db"
    with Journal.open(path) as journal:
        asyncio.run(run_over(posting(Wire(ACCEPTED)), to_many(_ROWS), journal=journal))
        as_killed(path, folded)
        with closing(sqlite3.connect(folded)) as connection:
            connection.execute("PRAGMA wal_checkpoint(FULL)")
        before = path.stat().st_size
        # Closed only at the end, as that drops the locks that SQLite has.
        with path.open("r+b", buffering=0) as file:
            file.write(_pages(folded)[0])
            assert before == path.stat().st_size < folded.stat().st_size
            with JournalReader.open(path) as reader:
                assert _ROWS == asyncio.run(reader.counts())["accepted"]
            with Journal.open(path) as other:
                assert _ROWS == asyncio.run(other.counts())["accepted"]
                asyncio.run(posting(Wire(ACCEPTED), other).send(NUMBER, "Hi", key="a"))
            journal.close()
    assert ["accepted"] * (_ROWS + 1) == states_in(path)
    Journal.open(path).close()


_OPENINGS = [
    pytest.param(JournalReader.open, id="read"),
    pytest.param(Journal.open, id="opened"),
    pytest.param(partial(Journal.open, allow_lost_records=True), id="opened anyhow"),
]


_MAKING = """
import resource, signal, sqlite3
from iprog_async import Journal

def main(path, room, of_another):
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    if of_another:
        tables = "".join(f"CREATE TABLE t{number} (x);" for number in range(4))
        sqlite3.connect(path, isolation_level=None).executescript(f"BEGIN; {tables} COMMIT")
    else:
        Journal.open(path, campaign="june").close()
"""


def _kill_as_it_is_made(path: Path, pages: int, *, of_another: bool = False) -> None:
    with forking(_MAKING) as child:
        assert -signal.SIGXFSZ == child.call(str(path), pages * _PAGE, of_another)
    assert (pages * _PAGE, True) == (path.stat().st_size, Path(f"{path}-journal").exists())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGXFSZ is a signal of POSIX systems")
@pytest.mark.parametrize("pages", [1, 2, 3])
@pytest.mark.parametrize("reads", [True, False], ids=["read first", "opened first"])
def test_killed_while_it_is_made(pages: int, reads: bool, tmp_path: Path) -> None:
    """A file of which only the first pages are there was about nobody, and becomes a journal.

    Whoever only looks makes none of it, and decides on no campaign.
    """
    path = tmp_path / "j.db"
    _kill_as_it_is_made(path, pages)
    for _ in range(2 if reads else 0):
        with pytest.raises(JournalError, match="is empty, and no journal yet"):
            JournalReader.open(path)
    with Journal.open(path, campaign="june") as journal:
        outcomes = asyncio.run(run_over(posting(Wire(ACCEPTED)), to_many(1), journal=journal))
    assert ["accepted"] == [outcome.state for outcome in outcomes]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGXFSZ is a signal of POSIX systems")
@pytest.mark.parametrize("pages", [1, 2, 3])
@pytest.mark.parametrize("open_it", _OPENINGS)
def test_another_program_was_killed_as_it_made_its_file(
    pages: int, open_it: Callable[[Path], object], tmp_path: Path
) -> None:
    """What is to be taken back of it is another's to take back: nothing of it is touched."""
    path = tmp_path / "app.db"
    _kill_as_it_is_made(path, pages, of_another=True)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(JournalError, match="another SQLite database"):
        open_it(path)
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir()}


@pytest.mark.parametrize("reads", [True, False], ids=["read first", "opened first"])
def test_killed_while_it_was_written_anew(reads: bool, tmp_path: Path) -> None:
    """What was not done to its end is taken back, and the journal has all that it had."""
    path, killed = tmp_path / "j.db", tmp_path / "killed.db"
    asyncio.run(send_all(path, ACCEPTED, to_many(_LATER)))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA journal_mode=DELETE; PRAGMA cache_size=1; BEGIN")
        connection.execute("UPDATE entries SET state = 'released'")
        for suffix in ("", "-journal"):
            shutil.copy(f"{path}{suffix}", f"{killed}{suffix}")
    assert path.read_bytes() != killed.read_bytes()
    if reads:
        with JournalReader.open(killed) as reader:
            assert _LATER == asyncio.run(reader.counts())["accepted"]
    _opens(killed)
