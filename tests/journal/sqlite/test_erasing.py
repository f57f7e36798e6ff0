"""Who is forgotten is gone from the bytes of a journal's file, and of the files beside it."""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from support.core.fakes import NUMBER, FakeProvider, to_many
from support.journal.ageing import age
from support.journal.journaling import run_over

from iprog_async import Journal, JournalReader, Message, SmsClient
from iprog_async._journal.sqlite.removal import erase


KEY = "private-key-of-hers"
TRACES = (NUMBER[3:].encode(), KEY.encode())


def _traces(folder: Path) -> list[tuple[str, bytes]]:
    """Return which files have which bytes of the person, as `strings` would find them."""
    return [
        (file.name, trace)
        for file in sorted(folder.iterdir())
        for trace in TRACES
        if trace in file.read_bytes()
    ]


async def _make(path: Path) -> None:
    """Make a journal of many, in which somebody was texted twice."""
    with Journal.open(path) as journal:
        async with SmsClient(FakeProvider(), journal=journal) as sms:
            await run_over(sms, [*to_many(300), Message(NUMBER, "Hi")])
            await sms.send(NUMBER, "Hello", key=KEY)


async def test_nothing_of_a_forgotten_one_is_left(tmp_path: Path) -> None:
    """Neither in rows and indexes nor in free pages nor in a log, once the journal is closed."""
    path = tmp_path / "j.db"
    await _make(path)
    assert _traces(tmp_path)
    with Journal.open(path) as journal:
        # A second run makes an index by number, which has everybody.
        await run_over(SmsClient(FakeProvider()), [], journal=journal)
        assert 2 == await journal.forget(NUMBER)
    assert [] == _traces(tmp_path)
    with Journal.open(path) as journal:
        assert 302 == (await journal.counts())["accepted"]
        async with SmsClient(FakeProvider(), journal=journal) as sms:
            await sms.send(NUMBER, "Hello", key=KEY)
            assert [] == sms.provider.sent


async def test_a_pruned_one_is_overwritten(tmp_path: Path) -> None:
    """What is pruned is overwritten in the file, and its log is gone after closing."""
    path = tmp_path / "j.db"
    await _make(path)
    age(path, 91)
    with Journal.open(path) as journal:
        assert 302 == await journal.prune(older_than=timedelta(days=90))
    assert [] == _traces(tmp_path)


async def test_whoever_closes_last_erases(tmp_path: Path) -> None:
    """While others have the journal open its log stays, and the last one writes the file anew."""
    path = tmp_path / "j.db"
    await _make(path)
    with Journal.open(path) as other:
        with Journal.open(path) as journal:
            await journal.forget(NUMBER)
        assert 302 == (await other.counts())["accepted"]
    assert [] == _traces(tmp_path)


async def test_after_a_kill_the_next_one_erases(tmp_path: Path) -> None:
    """A process that is killed after forgetting leaves it to the next one that closes."""
    path = tmp_path / "j.db"
    await _make(path)
    (tmp_path / "left").mkdir()
    with Journal.open(path) as journal:
        await journal.forget(NUMBER)
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", tmp_path / "left" / f"j.db{suffix}")
    Journal.open(tmp_path / "left" / "j.db").close()
    assert [] == _traces(tmp_path / "left")


async def test_a_file_that_is_read_is_left_alone(tmp_path: Path) -> None:
    """Somebody who reads keeps the old bytes; after that the file can be written anew."""
    path = tmp_path / "j.db"
    await _make(path)
    with closing(JournalReader.open(path)) as reader:
        assert 302 == (await reader.counts())["accepted"]
        assert not erase(str(path), patience=0)
    assert erase(str(path))
    with Journal.open(path) as journal:
        assert 302 == (await journal.counts())["accepted"]


def test_what_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    """A file that can't be written anew stays as it is."""
    path, content = tmp_path / "j.db", b"no database, but long enough to look like one" * 20
    path.write_bytes(content)
    assert not erase(str(path))
    assert content == path.read_bytes()
