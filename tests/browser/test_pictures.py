"""What the page looks like; `pytest tests/browser --save-screenshots` takes docs/images anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.browser import open_page, send

from iprog_async.sandbox import Sandbox


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


pytestmark = pytest.mark.slow

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
TEXTS = (
    ("infopromo", "Nakuha na po ang bayad na ₱1,250.00. Salamat!"),
    ("ugsms-v1", "School fees for Term III are due on 4 December."),
    ("iprog", "Your table for four is booked for Saturday, 7 pm. Reply by phone to change it."),
    ("ugsms-v2", "Your loan of UGX 450,000 was approved."),
    ("infopromo-http", "Brownout notice: Thursday 9:00 to 15:00, Barangay San Roque. " * 4),
    ("iprog", "Your appointment with Dr. Cruz is tomorrow at 10:30."),
    ("iprog", "482913 is your sign-in code. It works for five minutes."),
    (
        "infopromo",
        "Your parcel left the warehouse and arrives tomorrow. Please keep ₱1,250 ready.",
    ),
)


def is_dark(page: Page) -> bool:
    """Return whether the page's background is a dark one."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return max(map(float, re.findall(r"[\d.]+", colour)[:3])) < 100


@pytest.mark.parametrize(
    ("name", "scheme", "size"),
    [("inbox", "light", DESKTOP), ("inbox-dark", "dark", DESKTOP), ("inbox-phone", "light", PHONE)],
)
def test_picture(
    chromium: Browser,
    sandbox: Sandbox,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    name: str,
    scheme: str,
    size: dict[str, int],
) -> None:
    """The page with texts of all gateways can be drawn, light, dark and on a phone."""
    for provider, text in TEXTS:
        assert [None] == send(sandbox, provider, text)
    sandbox.state.accept("iprog", "639181230000", "To a phone that is off", message_id="iSms-1")
    sandbox.set_credit("ugsms", 250)
    # What is new would fade in.
    still = {"color_scheme": scheme, "reduced_motion": "reduce"}
    page, witness = open_page(chromium, sandbox, viewport=size, **still)
    if size is DESKTOP:
        page.click('[data-gateway="ugsms"] [data-switch="slow"]')
        page.click('.row:has-text("parcel")')
        page.wait_for_selector(".timeline .good")
    page.wait_for_selector('.row:has-text("phone that is off") [data-stage="failed"]')
    page.mouse.move(0, 0)
    assert all(page.get_by_text(text.strip()[:60]).first.is_visible() for _, text in TEXTS)
    assert (scheme == "dark") == is_dark(page)
    folder = IMAGES if request.config.getoption("--save-screenshots", default=False) else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")
    assert [] == witness.seen
    page.context.close()
