"""What single sends are told where a journal takes nothing more, for this process or for ever."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    REFUSED,
    as_killed,
    posting,
    sqlite_store,
    states_in,
)

from iprog_async import (
    Allow,
    Journal,
    JournalError,
    JournalReader,
    JournalUnknownError,
    OutcomeUnknownError,
    Outgoing,
    RejectedError,
    SmsError,
)
from iprog_async._journal.keys import KeyHolder


LARGE = "k" * 20_000
"""A key that no page of a file has room for."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the journal is."""
    return tmp_path / "j.db"


def _allow(_: Outgoing) -> Allow:
    return Allow()


async def _fill(journal: Journal) -> None:
    """Let the file grow no more, and fail for that."""
    queue = sqlite_store(journal).of_loop()

    def bound(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count=1")

    assert await queue.ask(bound) is None
    with pytest.raises(JournalError, match="disk is full"):
        await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key=LARGE)


async def _error(journal: Journal, key: str, **settings: Any) -> SmsError:
    wire = Wire(ACCEPTED)
    with pytest.raises(SmsError) as caught:
        await posting(wire, journal, **settings).send(NUMBER, "Hi", key=key)
    assert [] == wire.requests
    return caught.value


@pytest.mark.parametrize("policies", [(), (_allow,)], ids=["alone", "with policies"])
async def test_new_texts_of_a_full_disk_are_not_sent(path: Path, policies: Sequence[Any]) -> None:
    """The journal takes no claim, and says itself that nobody has sent them."""
    with Journal.open(path) as journal:
        await _fill(journal)
        errors = [await _error(journal, key, policies=policies) for key in (LARGE, "b", "c")]
    assert [False] * 3 == [error.may_have_been_sent for error in errors]
    assert ["disk is full" in str(error) for error in errors] == [True] * 3


@contextmanager
def _no_more_than(size: int) -> Generator[None]:
    """Let no file of this process become larger."""
    resource = pytest.importorskip("resource", reason="the system has no such limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("more", [0, 10, 24, 1000, 4096 + 24])
async def test_new_texts_of_a_full_quota_are_not_sent(path: Path, more: int) -> None:
    """What keeps a file from growing is like a full disk: none of them is on record as claimed."""
    with Journal.open(path) as journal:
        receipt = await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="sent")
        with _no_more_than(os.stat(f"{path}-wal").st_size + more):
            errors = [await _error(journal, key) for key in ("a", "b")]
            assert receipt == await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="sent")
    assert [False] * 2 == [error.may_have_been_sent for error in errors]
    assert ["accepted"] == states_in(path)
    with Journal.open(path) as journal:
        wire = Wire(ACCEPTED)
        for key in ("a", "sent", "b"):
            await posting(wire, journal).send(NUMBER, "Hi", key=key)
    assert 2 == len(wire.requests)


@pytest.mark.parametrize("block", [512, 1024, 4096])
async def test_killed_where_a_page_had_room_in_part(
    block: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system gives room by blocks of its own: what was not all written was no record."""

    def in_blocks(_descriptor: int) -> SimpleNamespace:
        return SimpleNamespace(f_bsize=block)

    monkeypatch.setattr(os, "fstatvfs", in_blocks, raising=False)
    killed = path.with_name("killed.db")
    with Journal.open(path) as journal:
        await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="sent")
        blocks = os.stat(f"{path}-wal").st_size // block + 1
        with _no_more_than(blocks * block):
            assert not (await _error(journal, "a")).may_have_been_sent
        as_killed(path, killed)
    assert blocks * block == os.stat(f"{killed}-wal").st_size
    with JournalReader.open(killed) as reader:
        assert 1 == (await reader.counts())["accepted"]
    with Journal.open(killed) as journal:
        wire = Wire(ACCEPTED)
        for key in ("sent", "a"):
            await posting(wire, journal).send(NUMBER, "Hi", key=key)
    assert 1 == len(wire.requests)


async def test_a_full_disk_hides_nothing_that_is_on_record(path: Path) -> None:
    """What was sent, refused or unknown before is told as it was, whoever sent it."""
    with Journal.open(path) as journal, Journal.open(path) as other:
        receipt = await posting(Wire(ACCEPTED), journal).send(NUMBER, "Hi", key="sent")
        with pytest.raises(OutcomeUnknownError):
            await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="unknown")
        await _fill(journal)
        theirs = await posting(Wire(ACCEPTED), other).send(NUMBER, "Hi", key="theirs")
        with pytest.raises(RejectedError):
            await posting(Wire(REFUSED), other).send(NUMBER, "Hi", key="refused")

        client = posting(Wire(ACCEPTED), journal)
        assert receipt == await client.send(NUMBER, "Hi", key="sent")
        assert theirs == await client.send(NUMBER, "Hi", key="theirs")
        assert isinstance(await _error(journal, "refused"), RejectedError)
        assert isinstance(await _error(journal, "unknown"), OutcomeUnknownError)


async def test_a_text_to_be_resent_stays_unknown_on_a_full_disk(path: Path) -> None:
    """That it is not sent again says nothing about the first sending."""
    with Journal.open(path, resend_unknown=True) as journal:
        with pytest.raises(OutcomeUnknownError):
            await posting(Wire(BROKEN), journal).send(NUMBER, "Hi", key="a")
        await _fill(journal)
        error = await _error(journal, "a")
    assert isinstance(error, OutcomeUnknownError)
    assert isinstance(error.not_resent, JournalError)


def _move(path: Path, name: str) -> None:
    path.rename(path.with_name(name))


async def test_a_full_file_that_was_replaced_says_nothing(path: Path) -> None:
    """Others have the new file, and what they sent is not in the old one."""
    with Journal.open(path) as journal:
        await _fill(journal)
        _move(path, "old.db")
        errors = [await _error(journal, key) for key in ("a", "b")]
        _move(path.with_name("old.db"), path.name)
    assert [JournalUnknownError] * 2 == [type(error) for error in errors]
    assert ["removed or replaced" in str(error) for error in errors] == [True] * 2


def _close(journal: Journal) -> None:
    journal.close()


def _damage(journal: Journal) -> None:
    sqlite_store(journal)._intake.failure = JournalError("the journal is damaged")  # pyright: ignore[reportPrivateUsage] - stands for a file


@pytest.mark.parametrize("end", [_close, _damage], ids=["closed", "damaged"])
async def test_texts_of_a_journal_that_says_nothing_are_unknown(
    path: Path, end: Callable[[Journal], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Each may have been sent by others; that it is so for good is an error in the log, once."""
    with Journal.open(path) as journal:
        end(journal)
        errors = [await _error(journal, key) for key in ("a", "b", "c")]
    assert [JournalUnknownError] * 3 == [type(error) for error in errors]
    assert [str(errors[0].__cause__)] == _told(caplog)


async def test_each_cause_is_logged_once(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A full disk, and that the journal was closed after it, are two things to look at."""
    with Journal.open(path) as journal:
        await _fill(journal)
        await _error(journal, "a")
        journal.close()
        for key in ("b", "c"):
            await _error(journal, key)
    first, second = _told(caplog)
    assert ("disk is full" in first, "is closed" in second) == (True, True)


async def test_a_text_that_is_on_its_way_is_no_trouble_of_the_journal(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That one key is taken passes, and is nothing for whoever reads the log."""
    with Journal.open(path) as journal:
        assert journal.under_way.take((NUMBER, "a"), KeyHolder())
        assert isinstance(await _error(journal, "a"), JournalUnknownError)
    assert [] == _told(caplog)


def _told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said of the journal, as errors."""
    return [
        record.getMessage().removeprefix("the journal keeps texts with a key from being sent: ")
        for record in caplog.records
        if record.levelno == logging.ERROR and record.name == "iprog_async"
    ]
