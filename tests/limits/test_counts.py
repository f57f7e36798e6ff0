"""Counting within a rolling time, and the stores that processes count in."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._limits.count_stores import CountStore, MemoryCountStore
from iprog_async._limits.counts import Counts, Exceeded, Quota, Taken, Wanted
from iprog_async._limits.postgres_counts import PostgresCountStore
from iprog_async._limits.sqlite_counts import SqliteCountStore
from iprog_async._limits.store import LimitStoreError


DAY = 86400.0
NAME = b"one number"


def taking(amount: int = 1, *, most: int = 5, name: bytes = NAME) -> Callable[[Counts], object]:
    """Return what takes some of a quota."""
    return lambda counts: counts.take([Wanted(name, Quota(most, DAY), amount)])


@given(st.lists(st.floats(min_value=0, max_value=4 * DAY), max_size=60), st.integers(1, 6))
def test_no_span_of_that_length_has_more(times: list[float], most: int) -> None:
    """Whenever it begins, and whenever people ask."""
    state = ""
    taken: list[float] = []
    for now in sorted(times):
        counts = Counts({NAME: state}, now)
        if isinstance(counts.take([Wanted(NAME, Quota(most, DAY), 1)]), Taken):
            taken.append(now)
        state = counts.changed()[NAME][0]

    for end in taken:
        assert most >= sum(end - DAY < moment <= end for moment in taken)


@given(st.lists(st.floats(min_value=0, max_value=2 * DAY), min_size=1, max_size=30))
def test_what_is_said_of_the_time_is_true(times: list[float]) -> None:
    """A text that is too many is allowed at the time that the refusal names."""
    state = ""
    for now in sorted(times):
        counts = Counts({NAME: state}, now)
        answer = counts.take([Wanted(NAME, Quota(3, DAY), 1)])
        if isinstance(answer, Exceeded):
            assert now < answer.free_at <= now + DAY * (1 + 1 / 288)
            later = Counts({NAME: state}, answer.free_at)
            assert isinstance(later.take([Wanted(NAME, Quota(3, DAY), 1)]), Taken)
        state = counts.changed()[NAME][0]


def test_all_or_nothing() -> None:
    """A text that one quota refuses takes nothing of another."""
    counts = Counts({}, 0.0)
    big, small = Wanted(b"a", Quota(9, DAY), 1), Wanted(b"b", Quota(1, DAY), 1)

    assert isinstance(counts.take([big, small]), Taken)
    refused = counts.take([big, small])

    assert isinstance(refused, Exceeded)
    assert small == refused.part
    assert {b"a": "0:1", b"b": "0:1"} == {name: row[0] for name, row in counts.changed().items()}


def test_what_wants_more_than_there_ever_is_never_fits() -> None:
    """It is refused, with a time that is no promise."""
    assert isinstance(Counts({}, 0.0).take([Wanted(NAME, Quota(2, DAY), 3)]), Exceeded)


@define
class Now:
    """A time that a test sets."""

    seconds: float = 1_800_000_000.0

    def __call__(self) -> float:
        """Return it."""
        return self.seconds


@define
class Place:
    """Somewhere to count.

    Args:
        now: The time there.
        open_one: Opens it once more, as another process would.
    """

    now: Now
    open_one: Callable[[], CountStore]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """Return somewhere to count, and close all that was opened."""
    now = Now()
    memory = MemoryCountStore(now)
    # Asked for first, it goes last, when nobody is connected any more.
    database = request.getfixturevalue("postgres_journal") if request.param == "postgres" else ""
    async with AsyncExitStack() as opened:

        def open_one() -> CountStore:
            store: CountStore = memory
            if request.param == "sqlite":
                store = SqliteCountStore(str(tmp_path / "texts.db-counts"), b"salt", now)
            elif request.param == "postgres":
                address = PostgresAddress.parse(database)
                store = PostgresCountStore(address.conninfo, address.schema, now)
            opened.push_async_callback(store.aclose)
            return store

        yield Place(now, open_one)


@pytest.mark.slow
async def test_processes_count_together(place: Place) -> None:
    """However many ask at once, they get what one would get."""
    stores = [place.open_one() for _ in range(4)]

    answers = await asyncio.gather(
        *(store.change([NAME], taking()) for _ in range(10) for store in stores)
    )

    assert 5 == sum(isinstance(answer, Taken) for answer in answers)


async def test_names_do_not_stand_in_each_others_way(place: Place) -> None:
    """Those of many texts are counted together, in whatever order they are asked for."""
    first, second = place.open_one(), place.open_one()
    names = [bytes([number]) for number in range(50)]

    def take_all(counts: Counts) -> int:
        parts = [Wanted(name, Quota(1, DAY), 1) for name in names]
        return sum(isinstance(counts.take([part]), Taken) for part in parts)

    taken = await asyncio.gather(
        *(
            store.change(order, take_all)
            for store in (first, second)
            for order in (names, names[::-1])
        )
    )

    assert 50 == sum(taken)


async def test_what_was_taken_can_be_given_back(place: Place) -> None:
    """By whoever took it, also much later; then somebody else gets it."""
    store = place.open_one()
    taken = [await store.change([NAME], taking()) for _ in range(5)]
    place.now.seconds += 3600

    def give_back(counts: Counts) -> None:
        assert isinstance(taken[0], Taken)
        counts.give_back(taken[0])

    await store.change([NAME], give_back)

    assert isinstance(await place.open_one().change([NAME], taking()), Taken)
    assert isinstance(await place.open_one().change([NAME], taking()), Exceeded)


async def test_it_counts_for_a_day(place: Place) -> None:
    """After that there is room again."""
    store = place.open_one()
    for _ in range(5):
        await store.change([NAME], taking())
    place.now.seconds += DAY - 1
    before = await store.change([NAME], taking())
    place.now.seconds += 302
    after = await store.change([NAME], taking())

    assert (Exceeded, Taken) == (type(before), type(after))


async def test_what_counts_no_more_is_swept_away(place: Place) -> None:
    """A number that was texted once takes no room for ever."""
    store = place.open_one()
    for number in range(60):
        await store.change([b"old%d" % number], taking(name=b"old%d" % number))
    place.now.seconds += 2 * DAY
    for _ in range(101):
        await store.change([NAME], taking(most=1000))

    assert isinstance(await store.change([b"old1"], taking(5, name=b"old1")), Taken)


async def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    """Nobody begins to count anew in silence."""
    path = tmp_path / "texts.db-counts"
    path.write_bytes(b"no database" * 1000)
    store = SqliteCountStore(str(path), b"salt")

    with pytest.raises(LimitStoreError, match="not a database"):
        await store.change([NAME], taking())
    await store.aclose()


async def test_the_file_has_no_number(tmp_path: Path) -> None:
    """It is made for us alone, and holds what it is given: hashes."""
    path = tmp_path / "texts.db-counts"
    store = SqliteCountStore(str(path), b"salt")
    await store.change([NAME], taking())
    await store.aclose()

    assert 0o600 == path.stat().st_mode & 0o777
    connection = sqlite3.connect(path)
    assert [(NAME,)] == connection.execute("SELECT name FROM counts").fetchall()
    connection.close()
