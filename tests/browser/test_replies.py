"""Answering a text on the page, as the phone that it went to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.browser import row_with, send
from support.inbound.posting import SECRET
from support.inbound.serving import serving

from iprog_async import Inbound
from iprog_async.inbound import InboundApp
from iprog_async.sandbox import Sandbox
from iprog_async_providers.infopromo import InfopromoProvider


if TYPE_CHECKING:
    from playwright.sync_api import Page


pytestmark = pytest.mark.slow


def test_answer_reaches_the_app(sandbox: Sandbox, page: Page) -> None:
    """What is written under a text is posted to the app, and stands on the phone as its answer."""
    got: list[Inbound] = []
    app = InboundApp(InfopromoProvider("1|token"), got.append, secret=SECRET)
    with serving(app) as url:
        sandbox.push_to(f"{url}/{SECRET}")
        assert [None] == send(sandbox, "infopromo", "Reply STOP to get no more")
        page.click(row_with("Reply STOP"))
        page.wait_for_selector('#reply-hint:has-text("Posted to http://127.0.0.1")')
        page.fill("#reply-words", "<b>STOP</b>")
        page.press("#reply-words", "Enter")
        page.wait_for_selector('.bubble.mine:has-text("<b>STOP</b>")')
        page.wait_for_selector('.stamp:has-text("the app answered 200")')
    assert ["<b>STOP</b>"] == [inbound.text for inbound in got]
    assert "" == page.input_value("#reply-words")
    assert SECRET not in page.content()


def test_app_that_is_away_is_told(sandbox: Sandbox, page: Page) -> None:
    """An app that gives no answer is told of, and what was written is on the phone all the same."""
    sandbox.push_to("http://127.0.0.1:9/sms/secret-of-the-path")
    assert [None] == send(sandbox, "infopromo", "Hello")
    page.click(row_with("Hello"))
    page.fill("#reply-words", "STOP")
    page.click("#reply button")
    page.wait_for_selector('#trouble:has-text("The app gave no answer")')
    page.wait_for_selector('.bubble.mine:has-text("STOP")')


def test_gateway_without_incoming_texts_has_no_line(sandbox: Sandbox, page: Page) -> None:
    """A text of a gateway that has no incoming texts can't be answered on the page."""
    assert [None] == send(sandbox, "infopromo", "Answer me")
    assert [None] == send(sandbox, "iprog", "No answer")
    page.click(row_with("Answer me"))
    page.wait_for_selector("#reply", state="visible")
    page.click(row_with("No answer"))
    page.wait_for_selector("#reply", state="hidden")
