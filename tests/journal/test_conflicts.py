"""Whom a run with another template, or with other keys, does not text again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    BUSY,
    REFUSED,
    Place,
    posting,
    run_over,
    send_all,
    sent_to,
)

from iprog_async import Journal, JournalConflictError, Message, NotSent, RejectedError
from iprog_async._journal.rows import Row
from iprog_async._journal.sqlite import queries, run_start
from iprog_async._journal.sqlite import store as store_module
from iprog_async._journal.store import Identity


def keyed(messages: list[Message]) -> list[Message]:
    """Return the messages with keys, as `--key-column` gives them."""
    return [evolve(message, key=f"row {place}") for place, message in enumerate(messages)]


@pytest.fixture(params=[10_000, 0], ids=["through the rows", "by the index"])
def _looked_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_start, "_FEW_ROWS", request.param)


@pytest.mark.usefixtures("_looked_up")
@pytest.mark.parametrize("keys_at_first", [True, False])
@pytest.mark.parametrize("reply", [ACCEPTED, BROKEN], ids=["accepted", "unknown"])
async def test_keys_given_or_left_out_text_nobody_again(
    path: Place, keys_at_first: bool, reply: Any
) -> None:
    """The same messages with keys, or without them, are conflicts; newcomers get their text."""
    people = to_many(16)
    first, second = (keyed(people), people) if keys_at_first else (people, keyed(people))
    await send_all(path, reply, first[:15])

    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        outcomes = await run_over(posting(wire), second, journal=journal)

    conflicts = [one for one in outcomes if isinstance(one, NotSent)]
    assert (15, [people[15].to]) == (len(conflicts), sent_to(wire))
    assert {JournalConflictError} == {type(one.error) for one in conflicts}


@pytest.mark.parametrize("keys_at_first", [True, False])
async def test_other_keys_may_be_allowed(path: Place, keys_at_first: bool) -> None:
    """Whoever allows it sends once more, once."""
    people = to_many(3)
    first, second = (keyed(people), people) if keys_at_first else (people, keyed(people))
    await send_all(path, ACCEPTED, first)
    for expected in (3, 0):
        states, asked = await send_all(path, ACCEPTED, second, allow_changed_text=True)
        assert (["accepted"] * 3, expected) == (states, len(asked))


async def test_keyed_and_keyless_messages_of_one_run(path: Place) -> None:
    """Within a run both kinds go to one number, and a second run sends neither again."""
    messages = [Message(NUMBER, "Hi"), Message(NUMBER, "Hi", key="a"), Message(NUMBER, "Ho")]
    for expected in (3, 0):
        states, asked = await send_all(path, ACCEPTED, messages)
        assert (["accepted"] * 3, expected) == (states, len(asked))


async def test_what_was_refused_for_now_is_not_sent_after_the_corrected_text(path: Place) -> None:
    """Whoever has the corrected text does not get the first one as well, in a later run."""
    first, corrected = [Message(NUMBER, "Helo")], [Message(NUMBER, "Hello")]
    assert (["not_sent"], 1) == _count(await send_all(path, BUSY, first))
    assert (["accepted"], 1) == _count(await send_all(path, ACCEPTED, corrected))
    assert (["not_sent"], 0) == _count(await send_all(path, ACCEPTED, first))


@pytest.mark.parametrize("key", [None, "a"])
async def test_text_that_was_refused_for_good_may_be_mended(path: Place, key: str | None) -> None:
    """Nobody has a refused text, so its fixed one is sent; unchanged, it is not asked again."""
    first = Message(NUMBER, "Helo", key=key)
    assert (["not_sent"], 1) == _count(await send_all(path, REFUSED, [first]))
    assert (["not_sent"], 0) == _count(await send_all(path, ACCEPTED, [first]))
    fixed = evolve(first, text="Hello")
    for expected in (1, 0):
        assert (["accepted"], expected) == _count(await send_all(path, ACCEPTED, [fixed]))


def _count(run: tuple[list[str], list[str]]) -> tuple[list[str], int]:
    states, asked = run
    return states, len(asked)


async def test_single_send_of_a_mended_text(path: Place) -> None:
    """A single send with the key of a refused text is sent once its text is another."""
    wire = Wire(REFUSED, REFUSED, ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        for _ in range(2):
            with pytest.raises(RejectedError):
                await client.send(NUMBER, "Helo", key="order-42")
        assert 1 == len(wire.requests)
        with pytest.raises(RejectedError):
            await client.send(NUMBER, "Hello", key="order-42")
        receipts = [await client.send(NUMBER, "Hello!", key="order-42") for _ in range(2)]

    assert (receipts[0], 3) == (receipts[1], len(wire.requests))


@pytest.mark.parametrize(("text", "expected"), [("Sale!", "not_sent"), ("Hi", "accepted")])
async def test_run_beside_single_sends(path: Place, text: str, expected: str) -> None:
    """A single send is no part of a run; but the very same text does not go out once more."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        client = posting(wire, journal)
        await client.send(NUMBER, "Sale!", key="test 1")
        outcomes = await run_over(client, [Message(NUMBER, text), Message(NUMBER, text, key="a")])
        # Nor does a run stand in the way of a single send.
        await client.send(NUMBER, text, key="test 2")

    assert [expected, "accepted"] == [outcome.state for outcome in outcomes]


@pytest.fixture
def asked_by_number(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many numbers each query for rows of earlier runs asked for."""
    asked: list[int] = []
    by_number = queries.by_number

    def spy(*given: Any, **more: Any) -> Callable[[int], str]:
        query = by_number(*given, **more)

        def counting(numbers: int) -> str:
            asked.append(numbers)
            return query(numbers)

        return counting

    monkeypatch.setattr(store_module, "by_number", spy)
    return asked


@pytest.mark.parametrize("with_keys", [True, False])
async def test_first_run_looks_nothing_up_by_number(
    tmp_path: Path, asked_by_number: list[int], with_keys: bool
) -> None:
    """Only where there are rows of an earlier run does anybody look for them."""
    people = keyed(to_many(5)) if with_keys else to_many(5)
    for expected in ([], [5]):
        await send_all(tmp_path / "j.db", ACCEPTED, people)
        assert expected == asked_by_number


async def test_single_send_looks_for_its_own_key_only(
    tmp_path: Path, asked_by_number: list[int]
) -> None:
    """However many rows its number has from runs, a single send reads none of them."""
    with Journal.open(tmp_path / "j.db") as journal:
        client = posting(Wire(ACCEPTED), journal)
        for _ in range(2):
            await run_over(client, to_many(1))
        asked_by_number.clear()
        await client.send(to_many(1)[0].to, "Hi", key="order-42")

    assert [] == asked_by_number


async def test_other_keys_of_a_number_are_not_read(path: Place) -> None:
    """A message with a key meets its own row and those without; others may be thousands."""
    messages = [Message(NUMBER, f"Hi {place}", key=str(place)) for place in range(9)]
    with Journal.open(path) as journal:
        client = posting(Wire(ACCEPTED), journal)
        await run_over(client, [*messages, Message(NUMBER, "Hi")])
        await journal.begin_run()
        with_key = await journal.store.look_up([(NUMBER, "3")], earlier=True)
        without = await journal.store.look_up([(NUMBER, None)], earlier=True)

    assert {"3": ["3"], None: [None]} == _keys(with_key)
    assert {None: [*map(str, range(9)), None]} == _keys(without)


def _keys(found: Mapping[Identity, list[Row]]) -> dict[str | None, list[str | None]]:
    return {key: [row.key for row in rows] for (_, key), rows in found.items()}


@pytest.mark.parametrize("every", [True, False])
async def test_earlier_rows_are_found_by_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: bool
) -> None:
    """Whatever is looked for of a number, no query reads all rows that are in the index."""
    monkeypatch.setattr(run_start, "_FEW_ROWS", 0)
    path = tmp_path / "j.db"
    for _ in range(2):
        await send_all(path, ACCEPTED, to_many(5))

    with closing(sqlite3.connect(path)) as connection:
        (below,) = connection.execute(
            "SELECT value FROM meta WHERE name = 'indexed_below'"
        ).fetchone()
        query = queries.by_number(below, below + 1, every=every)(2)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", ["+1", "+2"] * 2).fetchall()
    words = [row[-1] for row in plan if "entries" in row[-1]]
    assert "INDEX entries_by_number (number=?" in words[0]
    assert "PRIMARY KEY" in words[1]
