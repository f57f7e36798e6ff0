"""Reading a journal beside whoever has it open."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from support.core.fakes import NUMBER, FakeProvider, Wire, to_many
from support.journal.journaling import ACCEPTED, posting, run_over, send_all

from iprog_async import Journal, JournalError, JournalReader, SmsClient


@pytest.mark.slow
async def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    """What a run writes while somebody reads is not in what is read, from the first to the last."""
    path = tmp_path / "j.db"
    await send_all(path, ACCEPTED, to_many(3))
    with Journal.open(path) as journal:
        await run_over(posting(Wire(ACCEPTED)), to_many(5), journal=journal)
        with JournalReader.open(path) as reader:
            await run_over(posting(Wire(ACCEPTED)), to_many(1500), journal=journal)
            file = io.StringIO()
            assert 5 == (await reader.counts())["accepted"]
            assert 5 == await reader.export(file)
            assert 5 == len([entry async for entry in reader.entries()])
            assert [] == [entry async for entry in reader.unknown()]
        with JournalReader.open(path) as reader:
            assert 1500 == (await reader.counts())["accepted"]


@pytest.mark.slow
async def test_readers_come_and_go_while_a_run_writes(tmp_path: Path) -> None:
    """However often somebody reads, each sees a whole journal, and the run loses nothing."""
    path = tmp_path / "j.db"
    seen: list[int] = []
    with Journal.open(path) as journal:
        client = SmsClient(FakeProvider())
        async with client.send_many(to_many(2000), journal=journal, concurrency=2) as run:
            ended = asyncio.Event()
            reading = asyncio.create_task(_keep_reading(path, seen, ended))
            await run.drain()
            # Not cancelled: a thread in the midst of opening would leave its file open.
            ended.set()
            await reading
        assert 2000 == (await journal.counts())["accepted"]
    assert sorted(seen) == seen
    assert seen
    states, asked = await send_all(path, ACCEPTED, to_many(2000))
    assert ({"accepted"}, []) == (set(states), asked)


async def _keep_reading(path: Path, seen: list[int], ended: asyncio.Event) -> None:
    while not ended.is_set():
        reader = await asyncio.to_thread(JournalReader.open, path)
        with reader:
            counts = await reader.counts()
        seen.append(counts["accepted"])


async def test_it_keeps_nobody_from_writing(tmp_path: Path) -> None:
    """A journal that is read can be opened, used and closed, by several."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal, JournalReader.open(path):
        client = posting(Wire(ACCEPTED), journal)
        await client.send(NUMBER, "Hi", key="a")
        with Journal.open(path) as other:
            assert 1 == (await other.counts())["accepted"]
    with Journal.open(path) as journal:
        assert 1 == (await journal.counts())["accepted"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "empty, and no journal yet"),
        (b"name,number\n" * 100, "file is not a database"),
    ],
)
def test_what_is_no_journal(content: bytes | None, words: str, tmp_path: Path) -> None:
    """What can't be read as a journal is told in words, and nothing is made."""
    path = tmp_path / "j.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(JournalError, match=words):
        JournalReader.open(path)
    assert content == (path.read_bytes() if path.exists() else None)


async def test_a_closed_reader(tmp_path: Path) -> None:
    """After its end a reader says so, and closing it twice is fine."""
    path = tmp_path / "j.db"
    Journal.open(path).close()
    reader = JournalReader.open(path)
    reader.close()
    reader.close()
    with pytest.raises(JournalError, match="closed"):
        await reader.counts()
