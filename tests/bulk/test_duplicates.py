from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from iprog_async._bulk.duplicates import SeenTable


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["a", "b", None])), max_size=500))
def test_table_remembers_as_a_dict_does(keys: list[tuple[int, str | None]]) -> None:
    """The first index of each key is returned for ever, whatever came between."""
    table, expected = SeenTable(), dict[tuple[int, str | None], int]()

    for index, key in enumerate(keys):
        assert expected.setdefault(key, index) == table.first_index(key, index)


def test_table_grows() -> None:
    """Nothing is forgotten when the parts of the table grow."""
    table = SeenTable()
    for index in range(20_000):
        assert index == table.first_index(("+63917", index), index)

    assert list(range(20_000)) == [
        table.first_index(("+63917", index), 99_999) for index in range(20_000)
    ]


class Colliding:
    """A key whose hash is chosen."""

    def __init__(self, value: int) -> None:
        self._value = value

    def __hash__(self) -> int:
        return self._value


def test_hashes_that_share_a_place_are_told_apart() -> None:
    """Keys that meet in one place of one part do not hide one another."""
    table = SeenTable()
    keys = [(Colliding(value),) for value in (0, 256 * 8, 256 * 16, 1, -1, sys.maxsize)]

    assert [0, 1, 2, 3, 4, 5] == [table.first_index(key, index) for index, key in enumerate(keys)]
    assert [0, 1, 2, 3, 4, 5] == [table.first_index(key, 99) for key in keys]
