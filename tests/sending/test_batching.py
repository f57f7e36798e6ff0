from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.core.fakes import LATER, prepared

from iprog_async._sending import batching as batching_module
from iprog_async._sending.batching import WindowPlanner, halves, plan_batches
from iprog_async.adapter import Batching, PreparedMessage


def _batching(size: int, mixed: bool, low: int, more: int) -> Batching:
    return Batching(max_batch=size, mixed_texts=mixed, min_scheduled=low, max_scheduled=low + more)


BATCHINGS = st.builds(
    _batching,
    st.integers(1, 7),
    st.booleans(),
    st.integers(1, 3),
    st.integers(0, 5),
)
ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from([None, LATER])),
    max_size=40,
)


def window(rows: Sequence[tuple[int, str, datetime | None]]) -> list[PreparedMessage]:
    """Return prepared messages from number, text and schedule."""
    return [
        prepared(index, f"+63917000000{number}", text, schedule_at=when, key=str(index))
        for index, (number, text, when) in enumerate(rows)
    ]


@given(ROWS, BATCHINGS, st.booleans())
def test_plans_are_what_the_gateway_takes(
    rows: list[tuple[int, str, datetime | None]], batching: Batching, final: bool
) -> None:
    """Every message is in one place, and every batch is one that the gateway would take."""
    messages = window(rows)

    plan = plan_batches(messages, batching, final=final)

    placed = [message for batch in plan.batches for message in batch] + plan.carried
    assert messages == sorted(placed, key=lambda message: message.index)
    for batch in plan.batches:
        scheduled = batch[0].message.schedule_at is not None
        assert 1 <= len(batch) <= (batching.max_scheduled if scheduled else batching.max_batch)
        assert len(batch) == len({message.e164 for message in batch})
        assert 1 == len({message.message.schedule_at for message in batch})
        assert batching.mixed_texts or 1 == len({message.message.text for message in batch})
        assert all(one.index < other.index for one, other in pairwise(batch))
    assert all(message.message.schedule_at for message in plan.carried)
    assert not (final and plan.carried)


@given(ROWS, BATCHINGS, st.booleans())
def test_texts_for_one_number_keep_their_order(
    rows: list[tuple[int, str, datetime | None]], batching: Batching, final: bool
) -> None:
    """Of two equal texts for one number, the earlier one is never in a later request."""
    plan = plan_batches(window(rows), batching, final=final)

    seen: dict[tuple[str, str, bool], int] = {}
    for batch in [*plan.batches, plan.carried]:
        for message in batch:
            key = message.e164, message.message.text, message.message.schedule_at is None
            assert seen.get(key, -1) < message.index
            seen[key] = message.index


@pytest.mark.parametrize(
    ("count", "smallest", "largest", "expected"),
    [
        (101, 2, 100, [51, 50]),
        (100, 2, 100, [100]),
        (201, 2, 100, [100, 51, 50]),
        (102, 2, 100, [100, 2]),
        (101, 1, 100, [100, 1]),
        (9, 3, 4, [3, 3, 3]),
        (5, 3, 5, [5]),
        (7, 3, 4, [4, 3]),
        (1, 2, 100, [1]),
    ],
)
def test_scheduled_batches_are_not_too_small(
    count: int, smallest: int, largest: int, expected: list[int]
) -> None:
    """Where the rest would be too small to travel alone, the batches before give some away."""
    batching = Batching(min_scheduled=smallest, max_scheduled=largest)
    messages = [
        prepared(number, f"+63917{number:07}", schedule_at=LATER) for number in range(count)
    ]

    assert expected == [len(batch) for batch in plan_batches(messages, batching).batches]


@given(st.integers(1, 400), st.integers(1, 6), st.integers(0, 100))
def test_no_batch_is_too_small_where_that_can_be_avoided(
    count: int, smallest: int, more: int
) -> None:
    """A count that can be split into allowed sizes is split so."""
    largest = smallest + more
    requests = -(-count // largest)
    batching = Batching(min_scheduled=smallest, max_scheduled=largest)
    messages = [
        prepared(number, f"+63917{number:07}", schedule_at=LATER) for number in range(count)
    ]

    sizes = [len(batch) for batch in plan_batches(messages, batching).batches]

    assert count == sum(sizes)
    assert min(sizes) >= smallest or count < requests * smallest


def test_repeated_recipients_do_not_leave_a_lone_one_behind() -> None:
    """The second text to a number takes along someone who could go in either request."""
    rows = [(0, "a", LATER), (0, "a", LATER), (1, "a", LATER), (2, "a", LATER)]

    plan = plan_batches(window(rows), Batching(min_scheduled=2, max_scheduled=100))

    assert [[0, 2], [1, 3]] == [[message.index for message in batch] for batch in plan.batches]


def test_too_few_scheduled_messages_wait_for_company() -> None:
    """Only at the end of the source does a scheduled text travel alone."""
    messages = window([(0, "a", LATER), (1, "b", None)])
    batching = Batching(min_scheduled=2, max_scheduled=100)

    plan = plan_batches(messages, batching, final=False)

    assert ([[messages[1]]], [messages[0]]) == (plan.batches, plan.carried)
    assert 2 == len(plan_batches(messages, batching, final=True).batches)


def test_what_travels_together_is_equal_in_all_but_the_recipient() -> None:
    """Text, sender, schedule and options each keep messages apart; the key does not."""
    tomorrow = LATER + timedelta(days=1)
    same_instant = LATER.astimezone(UTC)
    details: list[dict[str, object]] = [
        {},
        {"key": "k"},
        {"text": "other"},
        {"sender_id": "SHOP"},
        {"schedule_at": LATER},
        {"schedule_at": same_instant},
        {"schedule_at": tomorrow},
    ]
    messages = [
        prepared(index, f"+63917000000{index}", **{"text": "Hi", **given})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - rows of different fields
        for index, given in enumerate(details)
    ]

    plan = plan_batches(messages, Batching(max_batch=10, max_scheduled=10))

    expected = [[0, 1], [2], [3], [4, 5], [6]]
    assert expected == [[message.index for message in batch] for batch in plan.batches]


@pytest.mark.parametrize(("count", "expected"), [(2, (1, 1)), (3, (1, 2)), (100, (50, 50))])
def test_halves_are_both_smaller(count: int, expected: tuple[int, int]) -> None:
    """Halving ends: neither half is empty or the whole."""
    first, second = halves([prepared(index) for index in range(count)])

    assert expected == (len(first), len(second))
    assert list(range(count)) == [message.index for message in [*first, *second]]


@given(ROWS, BATCHINGS, st.integers(1, 9), st.integers(0, 12))
def test_windows_are_planned_like_one(
    rows: list[tuple[int, str, datetime | None]], batching: Batching, size: int, most: int
) -> None:
    """Cut into windows every message still travels once, as the gateway takes it, in order."""
    messages = window(rows)
    planner = WindowPlanner(batching, most)
    batches: list[Sequence[PreparedMessage]] = []
    for start in range(0, len(messages), size):
        batches += planner.plan(messages[start : start + size], final=False)
        assert len(planner.carried) <= most
    assert all(message.message.schedule_at for message in planner.carried)
    batches += planner.plan([], final=True)

    assert [] == planner.carried
    placed = [message for batch in batches for message in batch]
    assert messages == sorted(placed, key=lambda message: message.index)
    for batch in batches:
        assert len(batch) == len({message.e164 for message in batch})
        assert 1 == len({message.message.schedule_at for message in batch})
    seen: dict[tuple[str, str, bool], int] = {}
    for message in placed:
        key = message.e164, message.message.text, message.message.schedule_at is None
        assert seen.get(key, -1) < message.index
        seen[key] = message.index


CHOOSY = Batching(max_batch=100, max_scheduled=100, min_scheduled=2)


def _texts(count: int, first: int = 0) -> list[PreparedMessage]:
    numbers = range(first, first + count)
    return [prepared(n, f"+63917{n:07}", f"Hi {n}", schedule_at=LATER) for n in numbers]


def test_company_in_a_later_window() -> None:
    """Who waits travels with the first that come with the same text, and waits no more."""
    planner = WindowPlanner(CHOOSY)
    first, other = _texts(2)
    second = prepared(2, text="Hi 0", schedule_at=LATER)

    assert [] == planner.plan([first, other], final=False)
    assert [[first, second]] == planner.plan([second], final=False)
    assert [other] == planner.carried
    assert [[other]] == planner.plan([], final=True)


def test_only_so_many_wait() -> None:
    """Beyond the bound those that waited longest go as they are; company counts as a new wait."""
    planner = WindowPlanner(CHOOSY, most=3)
    texts = _texts(6)

    assert [] == planner.plan(texts[:3], final=False)
    assert [[texts[0]], [texts[1]]] == planner.plan(texts[3:5], final=False)
    assert texts[2:5] == planner.carried


def test_who_has_found_company_does_not_count() -> None:
    """The bound is on those that wait, however many have waited before."""
    planner = WindowPlanner(CHOOSY, most=1)
    for turn in range(5):
        (first,) = _texts(1, turn)
        second = prepared(100 + turn, "+639180000000", first.message.text, schedule_at=LATER)
        assert [] == planner.plan([first], final=False)
        assert [[first, second]] == planner.plan([second], final=False)


def test_who_waits_is_not_planned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window costs what it holds, however many wait: each group is looked at twice at most."""
    looked_at: list[int] = []
    plan_group = batching_module.plan_group

    def counting(group: list[PreparedMessage], *rest: Any) -> None:
        looked_at.append(len(group))
        plan_group(group, *rest)

    monkeypatch.setattr(batching_module, "plan_group", counting)
    planner = WindowPlanner(CHOOSY, most=1000)
    for start in range(0, 5000, 100):
        planner.plan(_texts(100, start), final=False)
    planner.plan([], final=True)

    assert 2 * 5000 == sum(looked_at)
