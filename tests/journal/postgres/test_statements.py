"""How much is said to the database, and that nobody's words are taken for something else."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import NUMBER, Wire, to_many
from support.journal.journaling import ACCEPTED, posting, rows_in, run_over

from iprog_async import Journal, Message
from iprog_async._journal.postgres import execution
from iprog_async._journal.postgres.connecting import Connection, Cursor, run
from iprog_async._journal.postgres.statements import text


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the number of rows of each statement, as they are said."""
    rows: list[int] = []

    def note(connection: Connection, query: str, values: Sequence[object] | None = None) -> Cursor:
        rows.append(str((values or [""])[0]).count(",") + 1)
        return run(connection, query, values)

    monkeypatch.setattr(execution, "run", note)
    return rows


async def test_a_keyed_send_says_two_things(postgres_journal: str, said: list[int]) -> None:
    """A send with a key costs two round trips beyond none, and its repeat one."""
    with Journal.open(postgres_journal) as journal:
        client = posting(Wire(ACCEPTED), journal)
        for expected in ([1, 1], [1]):
            said.clear()
            await client.send(NUMBER, "Hi", key="a")
            assert expected == said


async def test_tasks_share_statements(postgres_journal: str, said: list[int]) -> None:
    """What many tasks claim at once travels in one statement, of at most 256 rows."""
    with Journal.open(postgres_journal) as journal:
        client = posting(Wire(ACCEPTED), journal)
        sends = [client.send(NUMBER, "Hi", key=str(number)) for number in range(300)]
        await asyncio.gather(*sends)
    assert [256, 44] == said[:2]
    assert 600 == sum(said)


@pytest.mark.parametrize(
    "key", ['a"b', "a\\b", "{a,b}", "NULL", "", " ", "ä€😀", "a\nb", "%s", "\ue000\ufffd"]
)
async def test_any_key(key: str, postgres_journal: str) -> None:
    """A key is text, whatever is in it: sent once, found again, and kept apart from others."""
    wire = Wire(ACCEPTED)
    messages = [Message(NUMBER, "Hi", key=each) for each in (key, "other")]
    for _ in range(2):
        outcomes = await run_over(posting(wire), messages, journal=postgres_journal)
        assert ["accepted"] * 2 == [outcome.state for outcome in outcomes]
    assert 2 == len(wire.requests)
    assert 2 == len(rows_in(postgres_journal))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_quoting(value: str) -> None:
    """Each text is one element of an array, and comes out of it as it went in."""
    quoted = text(value)
    assert '"' == quoted[0] == quoted[-1]
    unescaped = quoted[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")
    assert value == unescaped


async def test_many_people(postgres_journal: str, said: list[int]) -> None:
    """A run of many texts says far less than one thing for each."""
    wire = Wire(ACCEPTED)
    await run_over(posting(wire), to_many(400), journal=postgres_journal, concurrency=100)
    assert 400 == len(wire.requests)
    assert len(said) < 200
