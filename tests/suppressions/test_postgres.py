"""Lists in PostgreSQL: what happens when it is away, and how it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from support.postgres.cutting import terminate
from support.postgres.passwords import PASSWORD, with_password

from iprog_async import Suppressions, SuppressionsError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect, run
from iprog_async._suppressions.lookups import Lookups


NUMBER = "+639171234567"


async def test_lost_connection_is_made_again(address: str) -> None:
    """A list whose connection the server ended goes on as if nothing had been."""
    with Suppressions.open(address) as suppressions:
        await suppressions.add(NUMBER)
        assert terminate(address)
        assert await suppressions.contains(NUMBER)
        assert terminate(address)
        assert await suppressions.remove(NUMBER)


async def test_sender_may_use_the_list(address: str) -> None:
    """The role that sends can obey the list and write what it hears; its password is not shown."""
    with with_password(address) as secret, Suppressions.open(secret) as suppressions:
        assert [True, True, True] == [
            await suppressions.add(NUMBER),
            await suppressions.contains(NUMBER),
            await suppressions.remove(NUMBER),
        ]
        assert 2 == len([change async for change in suppressions.changes()])
        assert PASSWORD not in repr(suppressions)


def test_wrong_password_is_not_shown(address: str) -> None:
    """What can't be reached is an error without the password."""
    with (
        with_password(address, password="wr0ng-secret") as secret,
        pytest.raises(SuppressionsError, match="Nothing was sent") as caught,
    ):
        Suppressions.open(secret)
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("postgresql://me:s3cret@a@b/db", "address is wrong"),
        ("mysql://me:s3cret@host/db", "address is wrong"),
    ],
)
def test_wrong_address_is_not_shown(place: str, words: str) -> None:
    """A wrong address is an error that says how one is written, without its password."""
    with pytest.raises(SuppressionsError, match=words) as caught:
        Suppressions.open(place)
    assert "s3cret" not in str(caught.value)


def test_schema_has_to_be_there(postgres_address: str) -> None:
    """Without the tables it is said how they are made."""
    with pytest.raises(SuppressionsError, match="iprog-async journal init"):
        Suppressions.open(postgres_address)


async def test_tables_that_are_gone_stop_everybody(postgres_journal: str) -> None:
    """A list that was dropped is an error, and no empty list."""
    with Suppressions.open(postgres_journal) as suppressions:
        parsed = PostgresAddress.parse(postgres_journal)
        with connect(parsed) as connection:
            run(connection, f"DROP TABLE {parsed.schema}.suppressions")
        with pytest.raises(SuppressionsError, match="journal migrate"):
            await suppressions.contains(NUMBER)


def test_standby_is_refused(address: str) -> None:
    """A database that is read-only hears of a STOP too late to be asked."""
    read_only = f"{address}&options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(SuppressionsError, match="read-only"):
        Suppressions.open(read_only)


async def test_questions_of_many_tasks_travel_together() -> None:
    """While one question is under way, all that come meanwhile are asked in the next one."""
    asked: list[Sequence[str]] = []

    def among(numbers: Sequence[str]) -> set[str]:
        asked.append(numbers)
        return {number for number in numbers if number.endswith("1")}

    lookups = Lookups(among)
    found = await asyncio.gather(*(lookups.among([f"+{n}", "+99"]) for n in range(30)))
    assert [{f"+{n}"} if n % 10 == 1 else set() for n in range(30)] == found
    assert [31] == [len(numbers) for numbers in asked]


async def test_each_task_has_its_own_error() -> None:
    """A question that fails is an error for each task, and the next one is asked again."""
    answers: list[set[str] | SuppressionsError] = [SuppressionsError("away"), {"+1"}]

    def among(_: Sequence[str]) -> set[str]:
        answer = answers.pop(0)
        if isinstance(answer, SuppressionsError):
            raise answer
        return answer

    lookups = Lookups(among)
    failed = await asyncio.gather(
        *(lookups.among(["+1"]) for _ in range(3)), return_exceptions=True
    )
    assert ["away"] * 3 == [str(error) for error in failed]
    assert 3 == len({id(error) for error in failed})
    assert {"+1"} == await lookups.among(["+1"])


async def test_task_that_gives_up_takes_nobody_along() -> None:
    """A cancelled question leaves the others of the same round with their answers."""
    lookups = Lookups(lambda numbers: set(numbers))
    first, second = (asyncio.ensure_future(lookups.among([n])) for n in ("+1", "+2"))
    await asyncio.sleep(0)
    first.cancel()
    assert {"+2"} == await second
    assert first.cancelled()
