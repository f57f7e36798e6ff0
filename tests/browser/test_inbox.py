"""The inbox page as people use it, in a real browser, against a real sandbox."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from support.browser import fill_inbox, open_page, row_with, send, wait_for_count

from iprog_async import (
    ConnectionFailedError,
    InsufficientCreditError,
    OutcomeUnknownError,
    RateLimitError,
    RejectedError,
    SmsError,
)
from iprog_async.sandbox import Sandbox


if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


pytestmark = pytest.mark.slow

APIS = ("iprog", "infopromo", "infopromo-http", "ugsms-v1", "ugsms-v2")
HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b>",
    "attribute": "\"'><svg onload=alert(3)>${alert(4)}{{alert(5)}} javascript:alert(6)",
    "link": "<link rel=stylesheet href=https://evil.example/x.css><iframe src=//evil.example>",
    "right to left": "pay \u202e001\u202c now \u2066\u0645\u0631\u062d\u0628\u0627\u2069 \u200f!",
    "emoji": "👩‍👩‍👧‍👦 🇵🇭 👍🏽 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "long": "0123456789" * 1000,
    "control": "a\u2028b\u2029c\x07d\ttab\nline",
}


def test_texts_of_all_apis_arrive_by_themselves(sandbox: Sandbox, page: Page) -> None:
    """A text sent through each API shows up without a reload, and moves on to delivered."""
    page.wait_for_selector("#empty:not([hidden])")
    for api in APIS:
        assert [None] == send(sandbox, api, f"Hello by {api}!")
        page.wait_for_selector(row_with(f"Hello by {api}!"))
    page.wait_for_selector(f'{row_with("Hello by iprog")} [data-stage="delivered"]')
    assert str(len(APIS)) == page.text_content("#count")
    assert page.is_hidden("#empty")


def test_text_is_shown_with_all_that_is_known(sandbox: Sandbox, page: Page) -> None:
    """A chosen text shows its bubble, facts, timeline and exchange, and no credential."""
    send(sandbox, "infopromo-http", "Your parcel 📦 has shipped")
    page.click(row_with("Your parcel"))
    page.wait_for_selector(".timeline .good")
    shown = page.inner_text("#text")
    for part in ("Your parcel 📦 has shipped", "UCS-2 · 1 segment", "Sandbox", "sms/send"):
        assert part in shown
    token = sandbox.address("infopromo-http").split("//")[1].split("@")[0]
    assert "***" in shown
    assert token not in page.content()
    assert token.replace("%7C", "|") not in page.content()


@pytest.mark.parametrize(
    ("switch", "error", "texts"),
    [
        ("503", OutcomeUnknownError, 0),
        ("429", RateLimitError, 0),
        ("drop-before", OutcomeUnknownError, 0),
        ("drop-after", OutcomeUnknownError, 1),
        ("no-credit", InsufficientCreditError, 0),
        ("filter", RejectedError, 0),
    ],
)
def test_switched_fault_meets_the_client(
    sandbox: Sandbox, page: Page, switch: str, error: type[SmsError], texts: int
) -> None:
    """A fault that is switched on gives the client its typed error, and off again none."""
    chip = f'[data-gateway="iprog"] [data-switch="{switch}"]'
    page.click(chip)
    page.wait_for_selector(f'{chip}[aria-pressed="true"]')
    ended = send(sandbox, "iprog", "Is it out?")[0]
    assert isinstance(ended, error)
    assert not isinstance(ended, ConnectionFailedError)
    assert texts == len(sandbox.inbox)
    assert [None] == send(sandbox, "ugsms-v2", "Others are well")
    page.click(chip)
    page.wait_for_selector(f'{chip}[aria-pressed="false"]')
    assert [None] == send(sandbox, "iprog", "It is well again")


@pytest.mark.parametrize(
    ("switch", "words"),
    [
        ("503", "HTTP 503"),
        ("429", "HTTP 429"),
        ("drop-before", "no answer"),
        ("no-credit", "out of credit"),
        ("filter", "content filter"),
    ],
)
def test_refused_request_is_told_of(sandbox: Sandbox, page: Page, switch: str, words: str) -> None:
    """A request of which no text came is listed with its reason, and shows what travelled."""
    assert page.is_hidden("#refused")
    for gateway in ("iprog", "infopromo"):
        page.click(f'[data-gateway="{gateway}"] [data-switch="{switch}"]')
        page.wait_for_selector(
            f'[data-gateway="{gateway}"] [data-switch="{switch}"][aria-pressed="true"]'
        )
        send(sandbox, gateway, "Is it out?")
        row = f'.refusal:has-text("{gateway}"):has-text("639171234567"):has-text("{words}")'
        page.wait_for_selector(row)
    page.click('.refusal:has-text("iprog")')
    page.wait_for_selector(".refusal[open] .wire pre:has-text('Is it out?')")
    assert sandbox.address("iprog").split("//")[1].split("@")[0] not in page.inner_text("#refused")
    page.click("#clear")
    page.wait_for_selector("#refused", state="hidden")


@pytest.mark.parametrize("width", [375, 1280])
def test_gateways_out_of_sight_have_a_badge(
    sandbox: Sandbox, chromium: Browser, width: int
) -> None:
    """A fault that is on and the requests refused are marked, and the mark leads to them."""
    badges = "#badges" if width < 1120 else "#head-badges"
    page, witness = open_page(chromium, sandbox, viewport={"width": width, "height": 500})
    assert page.is_hidden(badges)
    sandbox.state.block_all("iprog")
    send(sandbox, "iprog", "Is it out?", "And now?")
    page.wait_for_selector(f"{badges} .badge:text-is('2')")
    assert "a fault is on, 2 refused" == page.get_attribute(badges, "title")
    if width < 1120:
        page.click("#show-gateways")
    page.click("#head-badges")
    page.wait_for_function(
        "document.querySelector('#refused').getBoundingClientRect().bottom <= innerHeight"
    )
    sandbox.state.block_all("iprog", False)
    page.wait_for_selector(f"{badges} .mark", state="detached")
    sandbox.state.clear()
    page.wait_for_selector(badges, state="hidden")
    assert [] == witness.seen
    page.context.close()


def test_all_gateways_fail_and_recover_together(sandbox: Sandbox, page: Page) -> None:
    """A fault of all gateways meets each of them, until everything is switched off."""
    page.click('[data-gateway="all"] [data-switch="503"]')
    page.wait_for_selector('[data-gateway="ugsms"] [data-switch="503"][aria-pressed="true"]')
    for api in APIS:
        assert isinstance(send(sandbox, api, "Hello")[0], OutcomeUnknownError)
    page.click("#all-off")
    page.wait_for_selector('[data-gateway="all"] [data-switch="503"][aria-pressed="false"]')
    for api in APIS:
        assert [None] == send(sandbox, api, "Hello")


def test_one_of_ten_thousand_is_found(sandbox: Sandbox, page: Page) -> None:
    """Ten thousand texts are a few dozen elements, and search finds one by text or number."""
    fill_inbox(sandbox, 10_000)
    wait_for_count(page, "10,000")
    assert page.locator(".row").count() < 60
    page.fill("#search", "parcel 4321 HAS")
    wait_for_count(page, "1 of 10,000")
    assert "Parcel 4321 has shipped" == page.inner_text(".row .says")
    page.fill("#search", "0917 000 0042")
    page.wait_for_selector(row_with("Parcel 42 has shipped"))
    page.fill("#search", "no such words")
    page.wait_for_selector("#empty:has-text('Nothing matches')")
    page.keyboard.press("Escape")
    page.wait_for_selector(row_with("Parcel 9999 has"))
    page.focus("#texts")
    page.keyboard.press("End")
    page.wait_for_selector('.row[aria-selected="true"]:has-text("Parcel 0 has")')
    assert page.locator(".row").count() < 60


def test_page_follows_a_bulk_run(sandbox: Sandbox, page: Page) -> None:
    """While texts pour in the page goes on answering, and ends with all of them."""
    for _ in range(10):
        fill_inbox(sandbox, 1000)
        assert "Sandbox inbox" == page.text_content("h1")
    wait_for_count(page, "10,000")
    assert page.locator(".row").count() < 60


def test_filters_choose_gateway_and_status(sandbox: Sandbox, page: Page) -> None:
    """The list can be narrowed to one gateway and to one status."""
    sandbox.state.accept("iprog", "639171230000", "to fail", message_id="1")
    send(sandbox, "ugsms-v1", "to arrive")
    page.select_option("#gateway", "ugsms")
    wait_for_count(page, "1 of 2")
    assert page.is_visible(row_with("to arrive"))
    page.select_option("#gateway", "")
    page.select_option("#stage", "failed")
    page.wait_for_selector(row_with("to fail"))
    wait_for_count(page, "1 of 2")


@pytest.mark.parametrize("way", ["Escape", "click"])
@pytest.mark.parametrize(
    ("search", "gateway", "stage", "words"),
    [
        ("", "", "failed", "There is no failed text."),
        ("", "ugsms", "", "There is no text of ugsms."),
        ("soon", "iprog", "failed", "There is no failed text of iprog that matches “soon”."),
    ],
)
def test_empty_filter_is_undone(
    sandbox: Sandbox, page: Page, search: str, gateway: str, stage: str, words: str, way: str
) -> None:
    """A list without a match says what it is narrowed to, and Esc or a button shows all texts."""
    send(sandbox, "infopromo", "to arrive")
    page.wait_for_selector(row_with("to arrive"))
    page.fill("#search", search)
    page.select_option("#gateway", gateway)
    page.select_option("#stage", stage)
    page.wait_for_selector(f'#empty .missing:text-is("{words}")')
    if way == "Escape":
        page.keyboard.press("Escape")
    else:
        page.click("#empty button:text-is('Show all texts')")
    page.wait_for_selector(row_with("to arrive"))
    values = [page.input_value(field) for field in ("#search", "#gateway", "#stage")]
    assert ["", "", ""] == values
    assert "1" == page.text_content("#count")


def test_scheduled_text_tells_when_it_is_due(sandbox: Sandbox, page: Page) -> None:
    """The row of a text that waits at the gateway says when it leaves."""
    due = sandbox.state.now() + timedelta(days=400)
    sandbox.state.accept("iprog", "639171234567", "later", message_id="1", due_at=due)
    row = page.wait_for_selector(f'{row_with("later")}:has([data-stage="scheduled"]) .time')
    assert row is not None
    said = page.evaluate(
        """async (ms) => {
            const { timeWords } = await import("/_sandbox/page/dom.js");
            return `due ${timeWords(ms)}`;
        }""",
        due.timestamp() * 1000,
    )
    assert said == row.inner_text()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_texts_are_only_shown(sandbox: Sandbox, page: Page, kind: str) -> None:
    """Whatever a text, a sender or a number holds is text on the page, and never runs."""
    text = HOSTILE[kind]
    sandbox.state.accept("iprog", text[:40], text, message_id=text[:80], sender_id=text[:40])
    page.wait_for_selector(".row")
    page.click(".row")
    page.wait_for_selector("#bubble")
    assert text == page.evaluate("document.querySelector('#bubble').textContent")
    inside = (
        "#text :is(script, img, svg, iframe, link, style), #texts :is(script, img, svg, iframe)"
    )
    assert 0 == page.locator(inside).count()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_request_is_only_shown(sandbox: Sandbox, page: Page) -> None:
    """Markup that travelled in a request and its answer is text on the page."""
    send(sandbox, "ugsms-v2", HOSTILE["markup"])
    page.click(".row")
    page.wait_for_selector(".wire pre")
    assert "<script>alert(2)</script>" in page.inner_text(".wires")
    assert 0 == page.locator("#text :is(script, img)").count()


def test_texts_are_cleared_and_credit_is_set(sandbox: Sandbox, page: Page) -> None:
    """Clearing empties list and phone, credit goes to the account, and reset restores it."""
    send(sandbox, "iprog", "soon gone")
    page.click(row_with("soon gone"))
    page.wait_for_selector("#bubble")
    page.click("#clear")
    page.wait_for_selector("#empty:has-text('No texts yet')")
    page.wait_for_selector("#nothing:not([hidden])")
    assert [] == sandbox.inbox
    field = page.get_by_label("Credit of iprog")
    field.fill("7")
    field.press("Enter")
    while sandbox.state.credit_of("iprog") != 7:
        page.wait_for_timeout(20)
    field.fill("many")
    field.press("Enter")
    page.wait_for_selector("#trouble:has-text('the credit of iprog is a number')")
    assert 7 == sandbox.state.credit_of("iprog")
    field.fill("8")
    field.press("Enter")
    page.wait_for_selector("#trouble", state="hidden", timeout=3000)
    assert 8 == sandbox.state.credit_of("iprog")
    page.click("#reset")
    while "1000000" != field.input_value():
        page.wait_for_timeout(20)


def test_keyboard_reaches_everything(sandbox: Sandbox, page: Page) -> None:
    """Slash searches, arrows walk the list, Enter opens a text, Esc goes back."""
    for n in range(5):
        sandbox.state.accept("iprog", "639171234567", f"text {n}", message_id=str(n))
    page.wait_for_selector(row_with("text 4"))
    page.keyboard.press("/")
    page.wait_for_selector("#search:focus")
    page.keyboard.type("text")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#texts:focus")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector('.row[aria-selected="true"]:has-text("text 3")')
    active = page.get_attribute("#texts", "aria-activedescendant")
    assert "text 3" in page.inner_text(f"#{active}")
    assert "solid" == page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    page.wait_for_selector("#text-pane:focus")
    page.wait_for_selector("#bubble:has-text('text 3')")
    page.keyboard.press("Escape")
    page.wait_for_selector("#texts:focus")


@pytest.mark.parametrize("act", ["switch", "credit", "clear"])
def test_server_that_is_away_is_told_of_in_plain_words(page: Page, act: str) -> None:
    """A switch, a credit and a button that don't reach the sandbox say so in the same words."""
    page.route("**/_sandbox/**", lambda route: route.abort())
    if act == "credit":
        page.get_by_label("Credit of iprog").fill("7")
        page.keyboard.press("Enter")
    else:
        page.click({"switch": '[data-gateway="iprog"] [data-switch="503"]', "clear": "#clear"}[act])
    page.wait_for_selector('#trouble:text-is("The sandbox can\'t be reached.")')


def test_key_pressed_while_the_server_is_away_is_no_error(sandbox: Sandbox, page: Page) -> None:
    """A row that can't be had leaves the list as it is, and the next key works again."""
    fill_inbox(sandbox, 200)
    wait_for_count(page, "200")
    page.focus("#texts")
    page.route("**/_sandbox/texts?*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.keyboard.press("End")
    page.unroute_all()
    page.keyboard.press("Home")
    page.wait_for_selector('.row[aria-selected="true"]:has-text("Parcel 199 has")')


def test_text_is_not_asked_for_at_each_change(sandbox: Sandbox, page: Page) -> None:
    """However often things change at once, the chosen text is asked for one time."""
    fill_inbox(sandbox, 1)
    page.click(".row")
    page.wait_for_selector("#bubble")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response("**/_sandbox/texts/*"):
        page.evaluate(
            """async () => {
                const text = await import("/_sandbox/page/text.js");
                for (let n = 0; n < 20; n += 1) text.refresh();
            }"""
        )
    assert 1 == len([url for url in asked if "/_sandbox/texts/" in url])


def test_task_that_throws_can_run_again(page: Page) -> None:
    """A paced task is not held for running for ever after it has thrown once."""
    runs = page.evaluate(
        """async () => {
            const { paced } = await import("/_sandbox/page/dom.js");
            let runs = 0;
            const run = paced(async () => {
                runs += 1;
                if (runs === 1) throw new Error("once");
            }, 0);
            await run().catch(() => {});
            await run();
            return runs;
        }"""
    )
    assert 2 == runs


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_no_width_scrolls_sideways(sandbox: Sandbox, chromium: Browser, width: int) -> None:
    """From a phone's width up nothing is wider than the screen, and all is reachable."""
    send(sandbox, "iprog", HOSTILE["long"][:300])
    page, witness = open_page(chromium, sandbox, viewport={"width": width, "height": 780})
    fits = "document.documentElement.scrollWidth <= innerWidth"
    page.wait_for_selector(".row")
    assert page.evaluate(fits)
    page.click(".row")
    page.wait_for_selector("#bubble")
    assert page.is_visible("#bubble")
    assert page.evaluate(fits)
    if width < 720:
        page.click("#back")
        page.wait_for_selector("#texts", state="visible")
    if width < 1120:
        page.click("#show-gateways")
    page.click('[data-gateway="iprog"] [data-switch="slow"]')
    page.wait_for_selector('[data-gateway="iprog"] [data-switch="slow"][aria-pressed="true"]')
    assert page.evaluate(fits)
    assert [] == witness.seen
    page.context.close()


def test_page_outlives_a_restart(chromium: Browser) -> None:
    """A page whose server was away finds its way back, and shows what came since."""
    with Sandbox() as sandbox:
        port = urlsplit(sandbox.url).port or 0
        page, witness = open_page(chromium, sandbox)
        sandbox.state.accept("iprog", "1", "before", message_id="1")
        page.wait_for_selector(row_with("before"))
    page.wait_for_selector('#link[data-state="lost"]')
    with Sandbox(port=port) as again:
        again.state.accept("iprog", "1", "after", message_id="1")
        page.wait_for_selector(row_with("after"))
        page.wait_for_selector('#link[data-state="live"]')
        assert 1 == page.locator(".row").count()
        assert [] == witness.seen
        page.context.close()
