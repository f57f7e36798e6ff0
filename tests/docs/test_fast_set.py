"""Of a long table those rows run that CONTRIBUTING.md says, and always the same."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from support.fast_set import ROWS, further_rows_left_out, mark_further_rows


class _Row(pytest.Item):
    def runtest(self) -> None:
        raise NotImplementedError


def _row(session: pytest.Session, name: str) -> pytest.Item:
    return _Row.from_parent(session, name=name)  # pyright: ignore[reportUnknownMemberType] - so in pytest


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> list[pytest.Item]:
    """Return the rows of a table of thirty."""
    return [_row(request.session, f"test_table[{number}]") for number in range(30)]


def _fast(items: Iterable[pytest.Item]) -> set[str]:
    return {item.name for item in items if item.get_closest_marker("slow") is None}


def test_some_rows_of_a_long_table(rows: list[pytest.Item]) -> None:
    """So many rows are in the fast set, and which ones does not depend on the order."""
    mark_further_rows(rows)
    fast = _fast(rows)
    assert ROWS == len(fast)

    again = [_row(row.session, row.name) for row in reversed(rows)]
    mark_further_rows(again)
    assert fast == _fast(again)


def test_all_of_a_short_one(rows: list[pytest.Item]) -> None:
    """A table that is not longer stays whole."""
    mark_further_rows(rows[:ROWS])
    assert ROWS == len(_fast(rows[:ROWS]))


def test_slow_rows_do_not_count(rows: list[pytest.Item]) -> None:
    """A row that is slow by itself takes the place of no other."""
    for row in rows[:20]:
        row.add_marker(pytest.mark.slow)
    mark_further_rows(rows)
    assert ROWS == len(_fast(rows))


_FURTHER = 8


def _chosen(rows: list[pytest.Item], seed: str = "") -> set[str]:
    left_out = further_rows_left_out(rows, _FURTHER, seed)
    return {item.name for item in rows if item not in left_out}


def test_some_of_the_further_rows(rows: list[pytest.Item]) -> None:
    """So many of them run beside those of the fast set, whether they are slow by themselves."""
    for row in rows[:10]:
        row.add_marker(pytest.mark.slow)
    mark_further_rows(rows)
    assert ROWS + _FURTHER == len(_chosen(rows))


def test_a_word_chooses(rows: list[pytest.Item]) -> None:
    """The same word chooses the same rows, in any order of them; another word others."""
    mark_further_rows(rows)
    assert _chosen(rows, "one") == _chosen(rows[::-1], "one")
    assert _chosen(rows, "one") != _chosen(rows, "two")


def test_every_row_of_a_table_that_says_so(rows: list[pytest.Item]) -> None:
    """A table that is marked stays whole."""
    for row in rows:
        row.add_marker(pytest.mark.every_row)
    mark_further_rows(rows)
    assert len(rows) == len(_chosen(rows))
