"""Lists in files: what people do to them, and what is refused."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import FakeProvider

from iprog_async import (
    Inbound,
    Journal,
    Suppression,
    SuppressionChange,
    Suppressions,
    SuppressionsError,
)
from iprog_async._core.phones import to_e164
from iprog_async._suppressions.written_lines import (
    entry_line,
    read_entry,
    read_removed,
    removed_line,
)
from iprog_async_providers import InfopromoProvider


NUMBER = "+639171234567"
OTHER = "+256701234567"
TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
ENTRIES = st.builds(Suppression, st.just(NUMBER), TIMES, st.text())


@given(ENTRIES)
def test_line_says_what_the_entry_says(entry: Suppression) -> None:
    """An entry that is written as a line, and read again, is the same; a time stays a time."""
    assert entry == read_entry(entry_line(entry), to_e164) or entry.since is None
    assert 1 == len(entry_line(entry).splitlines())


@given(ENTRIES, TIMES, st.text())
def test_removed_line_says_both(entry: Suppression, at: datetime | None, why: str) -> None:
    """What was taken off is a comment that says when and why it came, and went."""
    change = SuppressionChange(NUMBER, "removed", at or datetime.now(UTC), why)
    line = removed_line(change, entry)
    assert read_entry(line, to_e164) is None
    found = read_removed(line)
    assert found is not None
    assert change == found[1]
    assert entry.since is None or (entry.since, entry.why) == (found[0].at, found[0].why)


async def test_file_of_people_is_read(tmp_path: Path) -> None:
    """A file that somebody wrote counts as it is, and keeps its own words when it is changed."""
    path = tmp_path / "numbers"
    path.write_text("\ufeff# ours\n0917 123 4567 # shouted\n\n+256 701 234567")
    with Suppressions.open(path, region="PH") as suppressions:
        assert {NUMBER, OTHER} == await suppressions.among([NUMBER, OTHER])
        await suppressions.add("0918 123 4567")
        await suppressions.remove(OTHER, why="called")
        assert ["shouted", ""] == [entry.why async for entry in suppressions.list()]
    lines = path.read_text().splitlines()
    assert ["# ours", "0917 123 4567 # shouted", ""] == lines[:3]
    assert lines[3].startswith(f"# removed {OTHER}  # ")
    assert lines[4].startswith("+639181234567  # ")


async def test_editor_is_heeded(tmp_path: Path) -> None:
    """What an editor wrote counts for the next question."""
    path = tmp_path / "stop.txt"
    with Suppressions.open(path) as suppressions:
        assert not await suppressions.contains(NUMBER)
        path.write_text(f"{NUMBER}\n")
        assert await suppressions.contains(NUMBER)
        path.write_text("# nobody, and some more words\n")
        assert not await suppressions.contains(NUMBER)


async def test_line_that_is_no_number_stops_everybody(tmp_path: Path) -> None:
    """A line that nobody can read is an error that names it, when opening and later."""
    path = tmp_path / "stop.txt"
    with Suppressions.open(path) as suppressions:
        path.write_text(f"{NUMBER}\n0917 123 4567\n")
        with pytest.raises(SuppressionsError, match=r"line 2 of .*stop\.txt is no phone number"):
            await suppressions.among([OTHER])
    with pytest.raises(SuppressionsError, match="0917 123 4567"):
        Suppressions.open(path)


async def test_provider_reads_the_numbers(tmp_path: Path) -> None:
    """With a provider in place of a region, its own national numbers are read."""
    path = tmp_path / "stop.txt"
    path.write_text("0917 123 4567\n+44 7911 123456\n")
    with Suppressions.open(path, region=FakeProvider()) as suppressions:
        assert {NUMBER, "+447911123456"} == await suppressions.among([NUMBER, "+447911123456"])


async def test_provider_that_sends_nothing_without_a_sender_id_reads_them_too(
    tmp_path: Path,
) -> None:
    """A STOP from a national sender is heard, though the account has no sender ID."""
    provider = InfopromoProvider("1|token", region="PH")
    with Suppressions.open(tmp_path / "stop.db", region=provider) as suppressions:
        assert "stop" == await suppressions.hear(Inbound("0917 123 4567", "STOP"))
        assert await suppressions.contains(NUMBER)


async def test_number_that_stands_there_twice_goes_at_once(tmp_path: Path) -> None:
    """Taking a number off takes each of its lines off."""
    path = tmp_path / "stop.txt"
    path.write_text(f"{NUMBER}\n+63 917 123 4567\n")
    with Suppressions.open(path) as suppressions:
        assert await suppressions.remove(NUMBER)
        assert not await suppressions.contains(NUMBER)


@pytest.mark.skipif(os.name == "nt", reason="no modes and links as here")
async def test_link_and_mode_stay(tmp_path: Path) -> None:
    """A change is written to where a link leads, with the mode that the file has."""
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "stop.txt", tmp_path / "stop.txt"
    real.touch(0o640)
    real.chmod(0o640)
    link.symlink_to(real)
    with Suppressions.open(link) as suppressions:
        await suppressions.add(NUMBER)
    assert link.is_symlink()
    assert (0o640, NUMBER) == (real.stat().st_mode & 0o777, real.read_text()[:13])
    assert ["stop.txt"] == [path.name for path in real.parent.iterdir()]


@pytest.mark.parametrize("name", ["stop.txt", "stop.db"])
async def test_list_that_is_gone_is_not_begun_anew(tmp_path: Path, name: str) -> None:
    """A list that somebody moved away is an error: an empty one would text everybody."""
    path = tmp_path / name
    with Suppressions.open(path) as suppressions:
        await suppressions.add(NUMBER)
        path.unlink()
        for question in (suppressions.among([NUMBER]), suppressions.add(OTHER)):
            with pytest.raises(SuppressionsError, match="Nothing was sent"):
                await question
    assert not path.exists()
    with pytest.raises(SuppressionsError):
        Suppressions.open(path, create=False)


@pytest.mark.skipif(os.name == "nt", reason="no modes as here")
@pytest.mark.parametrize("name", ["stop.txt", "stop.db"])
def test_new_file_is_for_its_owner(tmp_path: Path, name: str) -> None:
    """Numbers are personal data: a new file is nobody else's to read."""
    Suppressions.open(tmp_path / name).close()
    assert 0o600 == (tmp_path / name).stat().st_mode & 0o777


@pytest.mark.parametrize("kind", ["journal", "sqlite", "binary", "folder", "nowhere", "empty"])
def test_what_is_no_list_is_refused(tmp_path: Path, kind: str) -> None:
    """A journal, another database, something else: each is an error, and stays as it is."""
    path = tmp_path / "given"
    if kind == "journal":
        Journal.open(path, campaign="june").close()
    elif kind == "sqlite":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE people (name TEXT)")
        connection.close()
    elif kind == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    elif kind == "folder":
        path.mkdir()
    elif kind == "nowhere":
        path = path / "nowhere" / "stop.db"
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(SuppressionsError):
        Suppressions.open("" if kind == "empty" else path)
    assert before == (path.read_bytes() if path.is_file() else b"")


async def test_damaged_file_stops_everybody(tmp_path: Path) -> None:
    """A file whose pages were overwritten answers with an error, and never with an empty list."""
    path = tmp_path / "stop.db"
    with Suppressions.open(path) as suppressions:
        await suppressions.add(NUMBER)
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\x55" * (len(content) - 100))
    with pytest.raises(SuppressionsError, match="can't be used"):
        Suppressions.open(path)
