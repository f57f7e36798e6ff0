"""Getting about by keyboard and by touch, on a phone's width above all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support.browser import box_of, fill_inbox, open_page, row_with, wait_for_count

from iprog_async.sandbox import Sandbox


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


pytestmark = pytest.mark.slow


@pytest.fixture
def phone(sandbox: Sandbox, chromium: Browser) -> Iterator[Page]:
    """Open an inbox of 300 texts at a phone's width."""
    fill_inbox(sandbox, 300)
    page, witness = open_page(chromium, sandbox, viewport={"width": 375, "height": 720})
    wait_for_count(page, "300")
    yield page
    assert [] == witness.seen
    page.context.close()


def focused(page: Page) -> str:
    """Return the id of the element that has the keyboard."""
    return str(page.evaluate("document.activeElement.id"))


def length_of_history(page: Page) -> int:
    """Return how many entries the tab's history has."""
    return int(page.evaluate("history.length"))


def test_arrows_walk_the_list_on_a_phone(phone: Page) -> None:
    """An arrow key chooses; the text takes the place of the list on Enter, and not before."""
    phone.focus("#texts")
    for _ in range(3):
        phone.keyboard.press("ArrowDown")
    phone.wait_for_selector('.row[aria-selected="true"]:has-text("Parcel 297 has")')
    assert (False, "texts") == (phone.is_visible("#text-pane"), focused(phone))
    phone.keyboard.press("Enter")
    phone.wait_for_selector("#bubble:has-text('Parcel 297 has')")
    assert (False, "text-pane") == (phone.is_visible("#texts"), focused(phone))


@pytest.mark.parametrize("way", ["Escape", "/", "click", "back"])
def test_each_way_out_of_a_text_is_the_same(sandbox: Sandbox, phone: Page, way: str) -> None:
    """However a text is left on a phone, the list is as it was, and "back" leads off the page."""
    phone.evaluate("document.querySelector('#texts').scrollTop = 7600")
    chosen = phone.locator(row_with("Parcel 198 has"))
    place = box_of(chosen)
    chosen.click()
    phone.wait_for_selector("#bubble:has-text('Parcel 198 has')")
    sandbox.state.accept("iprog", "639170000000", "late", message_id="late")
    phone.wait_for_selector('#count:text-is("301")', state="attached")
    assert "text" == phone.evaluate("history.state.view")
    if way == "click":
        phone.click("#back")
    elif way == "back":
        phone.go_back()
    else:
        phone.keyboard.press(way)
    phone.wait_for_selector("#texts", state="visible")
    assert ("search" if way == "/" else "texts") == focused(phone)
    assert place == box_of(chosen)
    while phone.evaluate("history.state") is not None:
        phone.wait_for_timeout(20)
    assert not phone.is_visible("#text-pane")


def test_text_that_was_left_is_forward(phone: Page) -> None:
    """The browser's "forward" shows the text again, and Escape leaves it again."""
    phone.click(row_with("Parcel 299 has"))
    phone.wait_for_selector("#bubble:has-text('Parcel 299 has')")
    before = length_of_history(phone)
    phone.keyboard.press("Escape")
    phone.wait_for_selector("#texts", state="visible")
    phone.go_forward()
    phone.wait_for_selector("#bubble", state="visible")
    phone.keyboard.press("Escape")
    phone.wait_for_selector("#texts", state="visible")
    assert before == length_of_history(phone)


def test_keyboard_stays_in_the_open_gateways(phone: Page) -> None:
    """While the gateways cover the page, Tab reaches them alone."""
    phone.click("#show-gateways")
    phone.wait_for_selector("#gateways", state="visible")
    inside = "document.querySelector('#gateways').contains(document.activeElement)"
    for _ in range(60):
        phone.keyboard.press("Tab")
        assert phone.evaluate(f"{inside} || document.activeElement === document.body")
    phone.keyboard.press("Escape")
    assert "show-gateways" == focused(phone)
    assert phone.is_hidden("#gateways")


def test_search_key_leaves_the_gateways(phone: Page) -> None:
    """Slash closes the gateways, for the search that it leads to lies behind them."""
    phone.click("#show-gateways")
    phone.keyboard.press("/")
    assert ("search", True) == (focused(phone), phone.is_hidden("#gateways"))
    phone.keyboard.type("parcel 42 ")
    phone.wait_for_selector(row_with("Parcel 42 has"))


def test_gateways_beside_the_page_cover_nothing(phone: Page) -> None:
    """A press beside the open gateways closes them, and so does a window that has room for them."""
    phone.set_viewport_size({"width": 800, "height": 720})
    phone.click("#show-gateways")
    phone.mouse.click(100, 400)
    assert phone.is_hidden("#gateways")
    phone.click("#show-gateways")
    phone.set_viewport_size({"width": 1280, "height": 720})
    phone.click(row_with("Parcel 299 has"))
    phone.wait_for_selector("#bubble:has-text('Parcel 299 has')")
    assert phone.is_visible("#gateways")


def test_empty_inbox_says_how_to_fill_it(sandbox: Sandbox, page: Page) -> None:
    """An empty inbox has a line to copy that is complete, and breaks at no odd place."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.wait_for_selector(".example code")
    page.click(".example button:text-is('Copy')")
    page.wait_for_selector(".example button:text-is('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    url = f"{sandbox.url}/iprog"
    assert f"export SMS_URL='iprog://sandbox-iprog-token@?base_url={url}'" == copied
    heights = {box["height"] for box in map(box_of, page.locator(".example code span").all())}
    assert 1 == len(heights)
    assert max(heights) < 24


def contrast(page: Page, selector: str, behind: str) -> float:
    """Return the contrast of an element's colour with the background of another."""
    return float(
        page.evaluate(
            """([selector, behind]) => {
                const rgb = (words) => words.match(/[\\d.]+/g).slice(0, 3).map((n) => n / 255);
                const linear = (x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
                const light = (words) => {
                    const [red, green, blue] = rgb(words).map(linear);
                    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
                };
                const style = (each) => getComputedStyle(document.querySelector(each));
                const both = [light(style(selector).color), light(style(behind).backgroundColor)];
                return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
            }""",
            [selector, behind],
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_statuses_are_legible(sandbox: Sandbox, chromium: Browser, scheme: str) -> None:
    """Each status stands out from a row, also a chosen one and one under the mouse."""
    sandbox.state.delivered_after = 0
    sandbox.state.accept("iprog", "639171234567", "arrives", message_id="1")
    sandbox.state.accept("iprog", "639171230000", "fails", message_id="2")
    sandbox.state.delivered_after = 1000
    sandbox.state.accept("iprog", "639171234567", "waits", message_id="3")
    still = {"color_scheme": scheme, "reduced_motion": "reduce"}
    page, witness = open_page(chromium, sandbox, viewport={"width": 1280, "height": 800}, **still)
    for stage in ("pending", "failed", "delivered"):
        row = f'.row:has([data-stage="{stage}"])'
        for reach in (page.hover, page.click):
            reach(row)
            for part in (f'[data-stage="{stage}"]', ".small", ".time"):
                assert contrast(page, f"{row} {part}", row) >= 4.5
    assert [] == witness.seen
    page.context.close()


def test_credit_field_has_room(sandbox: Sandbox, page: Page) -> None:
    """The largest credit is shown in full, in digits."""
    sandbox.set_credit("iprog", 10**12)
    field = page.get_by_label("Credit of iprog")
    while str(10**12) != field.input_value():
        page.wait_for_timeout(20)
    assert field.evaluate("(field) => field.scrollWidth <= field.clientWidth")
    page.request.put(f"{sandbox.url}/_sandbox/credit", data={"iprog": "1e5"})
    while "100000" != field.input_value():
        page.wait_for_timeout(20)


def test_earlier_texts_are_whole_on_the_phone(sandbox: Sandbox, page: Page) -> None:
    """A long text is read to its end also when it is an earlier one."""
    long = "Brownout notice: Thursday. " * 20 + "The end."
    sandbox.state.accept("iprog", "639171234567", long, message_id="1")
    sandbox.state.accept("iprog", "639171234567", "later", message_id="2")
    page.click(row_with("later"))
    page.wait_for_selector("#bubble:has-text('later')")
    assert long == page.text_content(".bubble.older")
