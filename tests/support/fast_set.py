"""Which rows of a long table of cases are in the fast set, and which of the others run at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from zlib import crc32

import pytest


ROWS = 3
"""How many of a table's rows run without `--slow`, where `--rows` says nothing else."""


def mark_further_rows(items: Iterable[pytest.Item], rows: int = ROWS) -> None:
    """Mark all rows of a test as slow but some, which are the same ones in every run."""
    tables = _tables(item for item in items if not _is_marked(item, "slow"))
    for table in tables:
        # Not each n-th: where a table is a product, that could be one column of it.
        for item in sorted(table, key=_place)[rows:]:
            item.add_marker(pytest.mark.slow)


def further_rows_left_out(
    items: Iterable[pytest.Item], rows: int, seed: str
) -> Container[pytest.Item]:
    """Choose among the slow rows of each test, but for tests that are marked `every_row`.

    Args:
        items: The tests, marked.
        rows: How many slow ones of a table run.
        seed: Another one chooses others.

    Returns:
        Those that don't run.
    """
    slow = (
        item for item in items if _is_marked(item, "slow") and not _is_marked(item, "every_row")
    )
    return {
        item
        for table in _tables(slow)
        for item in sorted(table, key=lambda item: _place(item, seed))[rows:]
    }


def _tables(items: Iterable[pytest.Item]) -> Iterable[list[pytest.Item]]:
    tables: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        tables[item.nodeid.partition("[")[0]].append(item)
    return tables.values()


def _is_marked(item: pytest.Item, name: str) -> bool:
    return item.get_closest_marker(name) is not None


def _place(item: pytest.Item, seed: str = "") -> int:
    return crc32(f"{seed}{item.nodeid}".encode())
