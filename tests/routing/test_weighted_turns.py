from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async._routing.weighted_turns import WeightedRoundRobin


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"a": 1, "b": 1}, "ababab"),
        ({"a": 2, "b": 1}, "abaaba"),
        ({"a": 5, "b": 1, "c": 1}, "aabacaa"),
        ({"a": 0.5, "b": 0.25}, "abaaba"),
    ],
)
def test_turns_are_spread_evenly(weights: dict[str, float], expected: str) -> None:
    """A heavy one's turns do not come in one block."""
    turns = WeightedRoundRobin(weights)
    names = "".join(turns.take(1, weights) for _ in expected)

    assert expected == names


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9), min_size=1),
    st.lists(st.integers(1, 100), min_size=1, max_size=60),
)
def test_shares_go_by_messages(weights: dict[str, int], batches: list[int]) -> None:
    """Nobody is ever further from the due share than a few of the largest batches."""
    turns = WeightedRoundRobin(weights)
    got = Counter[str]()
    for batch in batches:
        got[turns.take(batch, weights)] += batch
    total = sum(weights.values())
    bound = max(batches) * len(weights)

    assert [] == [
        name
        for name, weight in weights.items()
        if abs(got[name] - sum(batches) * weight / total) > bound
    ]


def test_who_is_not_ready_has_no_turn() -> None:
    """The turns of one that is out of order are shared by the others, by their weights."""
    turns = WeightedRoundRobin({"a": 1, "b": 2, "c": 1})
    got = Counter(turns.take(1, {"b", "c"}) for _ in range(30))

    assert {"b": 20, "c": 10} == got


def test_nobody_ready() -> None:
    """Where none is ready, all count: somebody has to be asked first."""
    turns = WeightedRoundRobin({"a": 1, "b": 1})

    assert ["a", "b"] == [turns.take(1, ()) for _ in range(2)]
