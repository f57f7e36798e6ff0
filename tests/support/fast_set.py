"""Which rows of a long table of cases are in the fast set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from zlib import crc32

import pytest


ROWS = 3
"""How many of a table's rows run without `--slow`, where `--rows` says nothing else."""


def mark_further_rows(items: Iterable[pytest.Item], rows: int = ROWS) -> None:
    """Mark all rows of a test as slow but some, which are the same ones in every run."""
    tables: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("slow") is None:
            tables[item.nodeid.partition("[")[0]].append(item)
    for table in tables.values():
        # Not each n-th: where a table is a product, that could be one column of it.
        for item in sorted(table, key=_place)[rows:]:
            item.add_marker(pytest.mark.slow)


def _place(item: pytest.Item) -> int:
    return crc32(item.nodeid.encode())
