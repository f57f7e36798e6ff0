"""Bits that flip in a journal's file never send a second text, and end in words."""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import NUMBER, FakeProvider
from support.journal.journaling import run_over
from support.journal.rows import row
from support.make_journals import CAMPAIGN, TEXT, answer, make_ended, messages, person

from iprog_async import Journal, JournalError, JournalReader, Message, SmsClient, SmsError
from iprog_async._journal.rows import Row, RowState
from iprog_async._journal.sqlite.schema import CHECKED_BYTES, NAMES, TABLES, WIDTH, upsert


_TRIED = 100


@pytest.fixture
async def whole(tmp_path: Path) -> bytes:
    """Give the bytes of a small journal that was closed."""
    path = tmp_path / "whole.db"
    await make_ended(path)
    return path.read_bytes()


def _flipped(whole: bytes, seed: int) -> Iterator[bytes]:
    """Return files with one bit flipped, most of them where something is written."""
    moments = random.Random(seed)  # noqa: S311 - places, not secrets
    written = [place for place, byte in enumerate(whole) if byte]
    for number in range(_TRIED):
        place = moments.choice(written) if number % 5 else moments.randrange(len(whole))
        data = bytearray(whole)
        data[place] ^= 1 << moments.randrange(8)
        yield bytes(data)


# Who was texted, or may have been, and by which key.
_TEXTED: set[tuple[str, str | None]] = {
    *((person(number), None) for number in (0, 1, 2, 3, 4, 7, 9, 30, 31)),
    *((person(10), "row-10"), (person(20), "order-20"), (person(7), "order-7")),
}


@pytest.mark.slow
async def test_nobody_is_texted_twice(whole: bytes, tmp_path: Path) -> None:
    """Whatever bit flips, opening, reading and resuming are right, refused, or say unknown."""
    path = tmp_path / "flipped.db"
    ends: Counter[str] = Counter()
    for data in _flipped(whole, 20261129):
        path.write_bytes(data)
        for beside in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{beside}")
        ends[await _read(path)] += 1
        provider = FakeProvider(send=answer)
        try:
            await _resume(path, provider)
        except JournalError:
            ends["refused"] += 1
        sent = [(prepared.e164, prepared.message.key) for b in provider.sent for prepared in b]
        assert set() == _TEXTED & set(sent), data
        assert len(sent) == len(set(sent))
    assert ends["refused"] > _TRIED // 2
    assert ends["counted"] > 0


async def _read(path: Path) -> str:
    try:
        with JournalReader.open(path) as reader:
            counts = await reader.counts()
            entries = [entry async for entry in reader.entries()]
    except JournalError:
        return "not read"
    states = Counter(entry.state for entry in entries)
    assert (counts["accepted"], counts["unknown"]) == (states["accepted"], states["unknown"])
    # Nothing is called sent that was not, and nothing waiting that was.
    certain = {(e.number, e.key) for e in entries if e.state in ("not_sent", "waiting")}
    assert set() == certain & _TEXTED
    assert counts["accepted"] <= 8
    return "counted"


async def _resume(path: Path, provider: FakeProvider) -> None:
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        async with SmsClient(provider, journal=journal) as client:
            everybody = [*messages(), *(Message(person(number), TEXT) for number in (30, 31))]
            await run_over(client, everybody)
            for number, key in ((20, "order-20"), (6, "order-6"), (7, "order-7")):
                try:
                    await client.send(person(number), TEXT, key=key)
                except JournalError:
                    raise
                except SmsError:
                    continue


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET number = '+639170000999' WHERE id = 2",
        "UPDATE entries SET number = CAST(number AS BLOB) WHERE id = 2",
        "UPDATE entries SET number = CAST(x'ff2b' AS TEXT) WHERE id = 2",
        "UPDATE entries SET state = 'released' WHERE id = 2",
        "UPDATE entries SET state = 'accept%d' WHERE id = 2",
        "UPDATE entries SET state = CAST(state AS BLOB) WHERE id = 2",
        "UPDATE entries SET healable = 1 WHERE id = 2",
        "UPDATE entries SET run = 77 WHERE id = 2",
        "UPDATE entries SET run = 'x' WHERE id = 2",
        "UPDATE entries SET text_hash = x'00' WHERE id = 2",
        "UPDATE entries SET detail = '[]' WHERE id = 2",
        "UPDATE entries SET status = 'failed' WHERE id = 2",
        "UPDATE entries SET checksum = checksum + 1 WHERE id = 2",
        "UPDATE entries SET id = 999 WHERE id = 2",
    ],
)
async def test_a_row_that_is_not_as_it_was_written(damage: str, tmp_path: Path) -> None:
    """Such a row is unknown to readers, keeps runs out, and is unknown to one that goes on."""
    path = tmp_path / "j.db"
    await make_ended(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with JournalReader.open(path) as reader:
        counts = await reader.counts()
        damaged = [entry async for entry in reader.unknown() if "was damaged" in entry.detail]
    assert (1, counts["unknown"]) == (len(damaged), 5)
    with pytest.raises(JournalError, match="1 of its rows can't be trusted"):
        Journal.open(path, campaign=CAMPAIGN)
    with Journal.open(path, campaign=CAMPAIGN, allow_lost_records=True) as journal:
        assert counts == await journal.counts()
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        assert counts == await journal.counts()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE meta SET value = value + 1 WHERE name = 'run'",
        "UPDATE meta SET value = 4 WHERE name = 'indexed_below'",
        "UPDATE meta SET value = x'00' WHERE name = 'salt'",
        "UPDATE meta SET value = 'other' WHERE name = 'campaign'",
        "UPDATE meta SET value = 0 WHERE name = 'checksum'",
        "DROP INDEX entries_by_key",
        "CREATE TABLE other (a)",
    ],
)
async def test_a_file_that_is_not_as_it_was_written(damage: str, tmp_path: Path) -> None:
    """What the file says of itself is checked, too; with a wrong salt all texts would be new."""
    path = tmp_path / "j.db"
    await make_ended(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with pytest.raises(JournalError, match="is damaged; restore it"):
        Journal.open(path, campaign=CAMPAIGN)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(
    st.integers(1, 2**62),
    _TEXTS,
    st.none() | _TEXTS,
    st.binary(max_size=20),
    st.integers(0, 2**40),
    st.sampled_from(["not_sent", "released", "unknown"]),
    st.booleans(),
    _TEXTS,
    _TEXTS,
)
def test_checksums_are_of_what_the_file_has(
    number: int,
    to: str,
    key: str | None,
    text_hash: bytes,
    run: int,
    state: RowState,
    healable: bool,
    provider: str,
    detail: str,
) -> None:
    """What is summed up before a row is written is what SQLite puts together of it afterwards."""
    kept = Row(number, to, key, text_hash, run, state, healable, provider, detail)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(TABLES["entries"])
        for values in (kept.as_claimed(), kept.as_it_is()):
            connection.execute(upsert(1, 0), values)
            query = f"SELECT checksum, {CHECKED_BYTES}, {NAMES} FROM entries"  # noqa: S608 - constants
            checksum, content, *read = connection.execute(query).fetchone()
            assert (checksum, values) == (crc32(content), tuple(read))


def test_every_column_is_in_the_one_list() -> None:
    """What a row writes has as many columns as the file."""
    assert {WIDTH} == {len(row("claimed").as_claimed()), len(row("claimed").as_released())}
    assert NUMBER == row("claimed").as_claimed()[NAMES.split(", ").index("number")]
