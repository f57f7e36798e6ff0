"""What a journal tells people: counts, entries and exports."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import pytest
from attrs import asdict
from support.core.fakes import NUMBER, FakeProvider, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    REFUSED,
    Place,
    posting,
    run_over,
    send_all,
    take,
)

from iprog_async import ConfigurationError, Journal, JournalEntry, Message, Outcome, SmsClient
from iprog_async._journal.entries import harmless
from iprog_async._journal.ledger import Ledger
from iprog_async._journal.sqlite import queries
from iprog_async.adapter import PreparedMessage, accepted, rejected


HEADER = ["number", "key", "state", "provider", "message_id", "detail", "status"]


async def _one_of_each(path: Place) -> None:
    """Make a journal of an accepted, a refused, an unknown and a released message."""
    people = to_many(4)
    for message, reply in zip(people, (ACCEPTED, REFUSED, BROKEN), strict=False):
        await send_all(path, reply, [message])
    with Journal.open(path) as journal:
        claim = Ledger(journal).claim([FakeProvider().prepare(people[3])])
        await take(claim)
        claim.release()


async def test_counts(path: Place) -> None:
    """Each message is counted once, by its state, and all four are always there."""
    with Journal.open(path) as journal:
        empty = {"accepted": 0, "failed": 0, "not_sent": 0, "unknown": 0, "waiting": 0}
        assert empty == await journal.counts()
    await _one_of_each(path)
    with Journal.open(path, campaign=None) as journal:
        assert dict.fromkeys(empty, 1) | {"failed": 0} == await journal.counts()


async def test_entries(path: Place) -> None:
    """Entries come in the order of the first claims, with what is known of each."""
    await _one_of_each(path)
    first, second, third, fourth = (message.to for message in to_many(4))
    with Journal.open(path) as journal:
        entries = [entry async for entry in journal.entries()]
        assert [third] == [entry.number async for entry in journal.unknown()]
    assert JournalEntry(first, None, "accepted", "fake", "id-1", "", "pending") == entries[0]
    assert [first, second, third, fourth] == [entry.number for entry in entries]
    states = ["accepted", "not_sent", "unknown", "waiting"]
    assert states == [entry.state for entry in entries]
    assert "no such number" in entries[1].detail
    assert "HTTP 500" in entries[2].detail


async def test_entries_of_more_than_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, each entry comes once."""
    monkeypatch.setattr(queries, "_PAGE", 3)
    with Journal.open(tmp_path / "j.db") as journal:
        await run_over(SmsClient(FakeProvider()), to_many(10), journal=journal)
        numbers = [entry.number async for entry in journal.entries()]
    assert [message.to for message in to_many(10)] == sorted(numbers)


async def test_what_is_on_its_way_counts_as_unknown(path: Place) -> None:
    """A message that is claimed and has no outcome yet can be read meanwhile, as unknown."""
    with Journal.open(path) as journal:
        await take(Ledger(journal).claim([FakeProvider().prepare(to_many(1)[0])]))
        assert ["unknown"] == [entry.state async for entry in journal.entries()]


async def test_export_as_csv(path: Place) -> None:
    """A CSV has a header and a line for each message, and reads back."""
    await _one_of_each(path)
    file = io.StringIO(newline="")
    with Journal.open(path) as journal:
        count = await journal.export(file)
        entries = [entry async for entry in journal.entries()]
    header, *rows = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert (4, HEADER) == (count, header)
    assert [[value or "" for value in asdict(entry).values()] for entry in entries] == rows


async def test_export_as_json_lines(path: Place) -> None:
    """JSON Lines have an object for each message, and read back."""
    await _one_of_each(path)
    file = io.StringIO()
    with Journal.open(path) as journal:
        count = await journal.export(file, format="jsonl")
        entries = [entry async for entry in journal.entries()]
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert (4, entries) == (count, [JournalEntry(**line) for line in lines])


async def test_export_in_an_unknown_format(path: Place) -> None:
    """A format that there is not is an error, and writes nothing."""
    file = io.StringIO()
    with (
        Journal.open(path) as journal,
        pytest.raises(ConfigurationError, match="not as 'xlsx'"),
    ):
        await journal.export(file, format="xlsx")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a wrong one
    assert "" == file.getvalue()


EVIL = ["=1+1", "+1+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "+", "+1 2", "+12\n"]


@pytest.mark.parametrize("word", EVIL)
def test_a_formula_is_neutralised(word: str) -> None:
    """What a spreadsheet would run begins with an apostrophe."""
    assert f"'{word}" == harmless(word)


@pytest.mark.parametrize("word", ["+639171234567", "plain", "", "a=1", " =1", "'=1"])
def test_a_plain_cell_stays_as_it_is(word: str) -> None:
    """Numbers in E.164 and ordinary words are left alone."""
    assert word == harmless(word)


async def test_an_export_of_evil_words(path: Place) -> None:
    """Keys, ids and refusals that look like formulas leave a CSV as text, line breaks and all."""

    async def answer(batch: list[PreparedMessage]) -> list[Outcome]:
        return [
            accepted(message, "fake", message_id=message.message.key)
            if message.index % 2
            else rejected(message, "=fake", f'=HYPERLINK("{message.message.key}")')
            for message in batch
        ]

    provider = FakeProvider(send=answer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - lists are sequences
    messages = [Message(NUMBER, "Hi", key=key) for key in EVIL]
    file = io.StringIO(newline="")
    with Journal.open(path) as journal:
        await run_over(SmsClient(provider), messages, journal=journal)
        assert len(EVIL) == await journal.export(file)
    _, *rows = csv.reader(io.StringIO(file.getvalue(), newline=""))
    assert sorted(f"'{key}" for key in EVIL) == sorted(row[1] for row in rows)
    cells = [cell for row in rows for cell in row]
    assert {NUMBER} == {cell for cell in cells if cell[:1] in "=+-@\t\r" and cell}


async def test_a_receipt_with_everything_comes_back(path: Place) -> None:
    """Cost, segments, status and time of a receipt survive the file."""

    async def answer(batch: list[PreparedMessage]) -> list[Outcome]:
        cost = Decimal("0.10")
        return [
            accepted(message, "fake", message_id=None, cost=cost, scheduled=True)
            for message in batch
        ]

    provider = FakeProvider(send=answer)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - lists are sequences
    both = [await run_over(SmsClient(provider), to_many(1), journal=path) for _ in range(2)]
    assert both[0] == both[1]
    assert 1 == len(provider.sent)


async def test_a_wire_is_not_needed_to_read(path: Place) -> None:
    """Reading a journal asks no gateway."""
    await _one_of_each(path)
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        posting(wire, journal)
        await journal.export(io.StringIO())
    assert [] == wire.requests
