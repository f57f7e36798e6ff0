"""Options and settings of the whole suite."""

from __future__ import annotations

import signal

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flags that make some tests longer."""
    parser.addoption("--kills", default="20", help="how often running senders are killed")
    parser.addoption("--soak", default="5", help="how many seconds the soak test sends")


def pytest_configure() -> None:
    """Undo what a shell does to background jobs: it has them, and their children, ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
