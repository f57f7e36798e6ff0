"""Options and settings of the whole suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags that make some tests longer."""
    parser.addoption("--kills", default="20", help="how often running senders are killed")
