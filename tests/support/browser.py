"""A real browser for tests of the inbox page, and texts sent to a sandbox from beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import pytest
from attrs import define, field

from iprog_async import RetryPolicy, SmsClient, SmsError
from iprog_async.sandbox import Sandbox


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, FloatRect, Locator, Page


REQUIRED = "IPROG_ASYNC_BROWSER_TESTS"
"""Set to `required`, a browser that is missing fails the tests instead of skipping them."""

NUMBERS = {"iprog": "+639171234567", "infopromo": "+639171234567", "ugsms": "+256701234567"}


def missing(what: str) -> NoReturn:
    """Skip the test, or fail it where the browser is required."""
    reason = f"{what} is not installed, and the inbox page is tested in a browser"
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def browser() -> Generator[Browser]:
    """Run the system's Chromium."""
    executable = shutil.which("chromium")
    if executable is None:
        missing("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=executable)
        yield running
        running.close()


@define
class Witness:
    """What went on in a page that must not: errors, dialogs, requests to other hosts."""

    host: str
    seen: list[str] = field(factory=list[str])

    def watch(self, page: Page) -> None:
        """Look at a page from now on."""
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self._dismiss(dialog))
        page.on("console", lambda line: self._hear(line.type, line.text))
        page.on("request", lambda request: self._ask(request.url))

    def _dismiss(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _hear(self, kind: str, text: str) -> None:
        # A server that was stopped on purpose is no fault of the page.
        if kind == "error" and "net::ERR" not in text and "Failed to load resource" not in text:
            self.seen.append(f"console: {text}")

    def _ask(self, url: str) -> None:
        if urlsplit(url).netloc != self.host:
            self.seen.append(f"request: {url}")


def open_page(running: Browser, sandbox: Sandbox, **context: Any) -> tuple[Page, Witness]:
    """Open the inbox in a context of its own, and wait until it is live."""
    page = running.new_context(**context).new_page()
    page.set_default_timeout(60_000)
    witness = Witness(urlsplit(sandbox.url).netloc)
    witness.watch(page)
    page.goto(sandbox.page)
    page.wait_for_selector('#link[data-state="live"]')
    return page, witness


def send(sandbox: Sandbox, provider: str, *texts: str) -> list[SmsError | None]:
    """Send texts through the client; return what each ended in.

    In a thread of its own: the browser's side keeps a loop running in this one.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, _send(sandbox, provider, texts)).result()


async def _send(sandbox: Sandbox, provider: str, texts: Sequence[str]) -> list[SmsError | None]:
    address = sandbox.address(provider)
    to = NUMBERS[provider.partition("-")[0]]
    ends: list[SmsError | None] = []
    async with SmsClient.from_url(address, retry=RetryPolicy.off()) as sms:
        for text in texts:
            try:
                await sms.send(to, text)
            except SmsError as error:
                ends.append(error)
            else:
                ends.append(None)
    return ends


def row_with(words: str) -> str:
    """Return a selector of a row of the list."""
    return f'.row:has-text("{words}")'


def wait_for_count(page: Page, words: str) -> None:
    """Wait until the list says how many texts there are."""
    page.wait_for_selector(f'#count:text-is("{words}")')


def fill_inbox(sandbox: Sandbox, count: int) -> None:
    """Put texts into the inbox without the detour over HTTP."""
    for n in range(count):
        to = f"63917{n:07}"
        sandbox.state.accept("iprog", to, f"Parcel {n} has shipped", message_id=f"m{n}")


def box_of(element: Locator) -> FloatRect:
    """Return where an element is."""
    found = element.bounding_box()
    assert found is not None
    return found
