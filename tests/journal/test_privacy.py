"""What the journal's files hold, and who may read them."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, posting, run_over

from iprog_async import Journal, Message


TEXT = "Your secret diagnosis is ready"
FILES = ("", "-wal", "-shm", ".lock-1")


def _files(path: Path) -> dict[str, Path]:
    return {suffix: Path(f"{path}{suffix}") for suffix in FILES}


def _folder(path: Path) -> list[Path]:
    return list(path.parent.iterdir())


# Gateways quote what they were sent: in a refusal, in an answer that proves nothing, as an id.
REPLIES = {
    "accepted": ACCEPTED,
    "refused": httpx.Response(422, text=f"bad text: {TEXT} of s3cret"),
    "unknown": httpx.Response(500, text=f"bad text: {TEXT} of s3cret"),
    "refused with JSON": httpx.Response(422, json={"error": TEXT, "token": "s3cret"}),
    "unknown with JSON": httpx.Response(500, json={"error": TEXT, "token": "s3cret"}),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
async def test_no_text_and_no_secret_in_the_files(reply: httpx.Response, tmp_path: Path) -> None:
    """Whatever the gateway answers, no byte of a text or a credential is written down."""
    path = tmp_path / "j.db"
    messages = [Message(NUMBER, TEXT), Message(NUMBER, TEXT, key="order 7")]
    with Journal.open(path) as journal:
        wire = Wire(reply)
        await run_over(posting(wire), messages, journal=journal)
        opened = b"".join(file.read_bytes() for file in _files(path).values())
    closed = path.read_bytes()
    for data in (opened, closed):
        assert b"order 7" in data
        assert b"diagnosis" not in data
        assert b"s3cret" not in data


async def test_equal_texts_look_different_in_two_files(tmp_path: Path) -> None:
    """Texts are hashed with a salt of the file's own: nobody can look up a short text."""
    hashes: set[bytes] = set()
    for name in ("a.db", "b.db"):
        with Journal.open(tmp_path / name) as journal:
            assert journal.hash(TEXT) == journal.hash(TEXT)
            hashes.add(journal.hash(TEXT))
    assert 2 == len(hashes)


@pytest.mark.skipif(os.name == "nt", reason="modes are a matter of POSIX")
@pytest.mark.parametrize("mask", [0o000, 0o022])
async def test_the_files_are_their_owners(mask: int, tmp_path: Path) -> None:
    """Numbers are personal data: every file is for its owner alone, whatever the umask."""
    path = tmp_path / "j.db"
    before = os.umask(mask)
    try:
        with Journal.open(path) as journal:
            await run_over(posting(Wire(ACCEPTED)), [Message(NUMBER, TEXT)], journal=journal)
            modes = {name: file.stat().st_mode & 0o777 for name, file in _files(path).items()}
    finally:
        os.umask(before)
    assert dict.fromkeys(FILES, 0o600) == modes


async def test_nothing_is_left_beside_a_closed_journal(tmp_path: Path) -> None:
    """A closed journal is one file, so that a copy of it is a copy of all."""
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        await run_over(posting(Wire(ACCEPTED)), [Message(NUMBER, TEXT)], journal=journal)
    assert [path] == _folder(path)
