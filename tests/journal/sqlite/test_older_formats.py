"""Journals that older releases made open and go on."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support.core.fakes import FakeProvider
from support.journal.journaling import run_over
from support.make_journals import CAMPAIGN, FOLDER, KILLED, STATUSES, TEXT, answer, messages, person

from iprog_async import (
    Journal,
    JournalError,
    JournalReader,
    Message,
    Outcome,
    OutcomeUnknownError,
    SmsClient,
    SmsError,
)
from iprog_async._journal.sqlite import migration as migration_module
from iprog_async._journal.sqlite.schema import VERSION


ENDED = ["format-1.db", "format-2.db", "format-3.db"]
LEFT = ["format-1-killed.db", "format-2-killed.db", "format-3-killed.db"]


def _sample(name: str, folder: Path) -> Path:
    """Copy a sample, with its log if it has one."""
    for suffix in ("", "-wal"):
        source = FOLDER / f"{name}{suffix}"
        if source.exists():
            shutil.copy(source, folder / f"june.db{suffix}")
    return folder / "june.db"


def _read(path: Path) -> Counter[tuple[str, str]]:
    """Return what the release that made it would count, by state and by delivery status."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT state, detail FROM entries"
        rows: list[tuple[str, str]] = connection.execute(query).fetchall()
    names = {"claimed": "unknown"}
    return Counter[tuple[str, str]](
        (names.get(state, state), detail.split(",")[4].strip('"') if state == "accepted" else "")
        for state, detail in rows
    )


@pytest.mark.parametrize("name", [*ENDED, *LEFT])
async def test_nothing_is_lost_on_the_way(name: str, tmp_path: Path) -> None:
    """After the migration counts and entries say what they said before, with the status."""
    before = _read(_sample(name, tmp_path))
    path = _sample(name, tmp_path)
    Journal.open(path, campaign=CAMPAIGN).close()
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        counts = await journal.counts()
        entries = [entry async for entry in journal.entries()]
    assert before == Counter((entry.state, entry.status or "") for entry in entries)
    assert counts["accepted"] == sum(n for (state, _), n in before.items() if state == "accepted")
    assert counts["failed"] == before["accepted", "failed"]
    assert counts["unknown"] == before["unknown", ""]
    with closing(sqlite3.connect(path)) as connection:
        rows = dict(connection.execute("SELECT name, value FROM meta"))
    assert VERSION == rows["version"]


@pytest.mark.parametrize("name", ENDED)
async def test_the_run_goes_on(name: str, tmp_path: Path) -> None:
    """Only what was refused for now is sent again, and the receipts have their status."""
    path = _sample(name, tmp_path)
    provider = FakeProvider()
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        outcomes = await run_over(SmsClient(provider), messages(), journal=journal)
    assert [person(5)] == [prepared.e164 for batch in provider.sent for prepared in batch]
    receipts = [getattr(outcome, "receipt", None) for outcome in outcomes]
    assert list(STATUSES) == [receipt.status.state for receipt in receipts[:5] if receipt]
    assert Counter(accepted=8, not_sent=1, unknown=1) == Counter(one.state for one in outcomes)


@pytest.mark.parametrize("name", ENDED)
@pytest.mark.parametrize(
    ("number", "key", "again"),
    [(20, "order-20", None), (7, "order-7", OutcomeUnknownError), (6, "order-6", SmsError)],
)
async def test_its_keys_are_known(
    name: str, number: int, key: str, again: type[SmsError] | None, tmp_path: Path
) -> None:
    """A single send with a key of the older file has the outcome that it had."""
    provider = FakeProvider()
    with Journal.open(_sample(name, tmp_path), campaign=CAMPAIGN) as journal:
        client = SmsClient(provider, journal=journal)
        if again is None:
            assert "id-20" == (await client.send(person(number), TEXT, key=key)).message_id
        else:
            with pytest.raises(again):
                await client.send(person(number), TEXT, key=key)
    assert [] == provider.sent


@pytest.mark.parametrize("name", LEFT)
async def test_a_killed_run_of_it_goes_on(name: str, tmp_path: Path) -> None:
    """A file that was left with its log is sent to its end, and nobody is texted twice."""
    before = _read(_sample(name, tmp_path))
    path = _sample(name, tmp_path)
    people = [Message(person(1000 + number), TEXT) for number in range(KILLED)]
    provider = FakeProvider(send=answer)
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        outcomes = await run_over(SmsClient(provider), people, journal=journal)
    assert KILLED - before.total() == sum(map(len, provider.sent))
    assert {"accepted"} == {outcome.state for outcome in outcomes}


def _without_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def _empty_log(path: Path) -> None:
    Path(f"{path}-wal").write_bytes(b"")


@pytest.mark.parametrize("name", LEFT)
@pytest.mark.parametrize("lose", [_without_log, _empty_log])
def test_an_older_file_that_never_had_its_tables(
    name: str, lose: Callable[[Path], None], tmp_path: Path
) -> None:
    """What is left of a first run that was killed, without its log, is no new journal."""
    path = _sample(name, tmp_path)
    lose(path)
    with pytest.raises(JournalError, match="may lack records"):
        Journal.open(path, campaign=CAMPAIGN)
    Journal.open(path, campaign=CAMPAIGN, allow_lost_records=True).close()


@pytest.mark.parametrize("name", [*ENDED, *LEFT])
async def test_reading_brings_it_up_to_date(name: str, tmp_path: Path) -> None:
    """An older file is read like any other."""
    with JournalReader.open(_sample(name, tmp_path)) as reader:
        counts = await reader.counts()
    assert counts["accepted"] > 0
    assert (1 if name in ENDED else 0) == counts["failed"]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE entries SET detail = 'nonsense' WHERE id = 2",
        "UPDATE entries SET detail = '{}' WHERE id = 2",
        "UPDATE entries SET state = 'accepteD' WHERE id = 2",
    ],
)
async def test_a_damaged_row_of_it_is_unknown(damage: str, tmp_path: Path) -> None:
    """A row of the older format that makes no sense is unknown, and is not sent."""
    path = _sample("format-1.db", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    provider = FakeProvider()
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        outcomes: list[Outcome] = await run_over(
            SmsClient(provider), messages()[:1], journal=journal
        )
    assert (["unknown"], []) == ([outcome.state for outcome in outcomes], provider.sent)


@pytest.mark.parametrize("name", ENDED)
def test_a_migration_that_broke_off_changes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it can't be written to its end, the file is as it was, and the next opening does it."""
    path = _sample(name, tmp_path)

    def fail(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as context:
        context.setattr(migration_module, "seal_meta", fail)
        with pytest.raises(JournalError, match="disk is full"):
            Journal.open(path, campaign=CAMPAIGN)
    Journal.open(path, campaign=CAMPAIGN).close()


@pytest.mark.parametrize("name", ENDED)
def test_another_campaign_is_not_migrated(name: str, tmp_path: Path) -> None:
    """A file of another campaign stays as it is."""
    path = _sample(name, tmp_path)
    with pytest.raises(JournalError, match="of the campaign 'sample'"):
        Journal.open(path, campaign="another")
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("SELECT value FROM meta WHERE name='version'").fetchone()
    assert name == f"format-{version}.db"
