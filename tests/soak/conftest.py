"""Time for the soak test."""

from __future__ import annotations

import pytest


_REST = 300


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test of this folder the time that `--soak` asks for, and some more."""
    seconds = float(str(item.config.getoption("--soak")))
    item.add_marker(pytest.mark.timeout(seconds + _REST))
