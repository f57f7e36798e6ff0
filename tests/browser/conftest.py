from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support.browser import Witness, browser, open_page

from iprog_async.sandbox import Sandbox


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that takes the pictures of the documentation."""
    parser.addoption("--save-screenshots", action="store_true", help="renew docs/images")


# Not for the whole run: while it lives no other test could run a loop in this thread.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Run one browser for all tests of a module."""
    with browser() as running:
        yield running


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox of all gateways with credit for many texts."""
    with Sandbox(delivered_after=0.5, credit=1_000_000) as running:
        yield running


@pytest.fixture
def opened(chromium: Browser, sandbox: Sandbox) -> Iterator[tuple[Page, Witness]]:
    """Open the inbox, and see in the end that nothing went on that must not."""
    page, witness = open_page(chromium, sandbox, viewport={"width": 1280, "height": 800})
    yield page, witness
    assert [] == witness.seen
    page.context.close()


@pytest.fixture
def page(opened: tuple[Page, Witness]) -> Page:
    """Return the page alone."""
    return opened[0]
