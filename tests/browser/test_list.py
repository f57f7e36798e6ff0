"""The list while it moves: keys, scrolling, texts that arrive, answers that take their time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.browser import box_of, fill_inbox, wait_for_count

from iprog_async.sandbox import Sandbox


if TYPE_CHECKING:
    from playwright.sync_api import Page


pytestmark = pytest.mark.slow

SLOW_LISTS = """(ms) => {
    const real = window.fetch;
    window.fetch = async (url, options) => {
        if (url.includes("/texts?")) await new Promise((done) => setTimeout(done, ms));
        return real(url, options);
    };
}"""
"""Holds each request of the list back."""

PRESS_KEYS = """async ([key, count]) => {
    const list = document.querySelector("#texts");
    const places = [];
    for (let n = 0; n < count; n += 1) {
        list.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        await new Promise((done) => setTimeout(done, 33));
        const chosen = document.querySelector('.row[aria-selected="true"]');
        places.push(chosen === null ? null : chosen.querySelector(".says").textContent);
    }
    return places;
}"""
"""Holds a key down, as the keyboard repeats it; returns what was chosen after each."""

WATCH = """() => {
    const box = document.querySelector("#texts");
    const { left, top, height } = box.getBoundingClientRect();
    window.watched = [];
    const look = () => {
        const at = (y) => document.elementFromPoint(left + 60, y)?.closest(".row");
        const row = at(top + height / 2);
        const says = row?.querySelector(".says").textContent;
        window.watched.push(row && [says, row.getBoundingClientRect().top]);
        if (window.watched.length < 2000) requestAnimationFrame(look);
    };
    look();
}"""
"""Notes in each frame which text is in the middle of the list, and where."""

IN_SIGHT = """() => {
    const box = document.querySelector("#texts");
    const { left, top, bottom } = box.getBoundingClientRect();
    const found = [];
    for (let y = top + 40; y < bottom; y += 76) {
        const row = document.elementFromPoint(left + 60, y).closest(".row");
        found.push(row && row.querySelector(".says").textContent);
    }
    return found;
}"""
"""Returns the texts in sight from above, `null` where there is none."""


def scroll_to(page: Page, row: int) -> None:
    """Scroll so that a row is the first one in sight, and let the page draw."""
    page.evaluate(
        """async (top) => {
            document.querySelector("#texts").scrollTop = top;
            for (let n = 0; n < 2; n += 1) await new Promise(requestAnimationFrame);
        }""",
        row * 76,
    )


def wait_for_top(page: Page, words: str) -> None:
    """Wait until a text is the first one in sight, and none below it is missing."""
    while None in (found := page.evaluate(IN_SIGHT)) or words != found[0]:
        page.wait_for_timeout(20)


def parcels(first: int, count: int) -> list[str]:
    """Return the texts of `fill_inbox` from one on, newest first."""
    return [f"Parcel {first - n} has shipped" for n in range(count)]


def test_arrow_keys_walk_on_while_answers_are_slow(sandbox: Sandbox, page: Page) -> None:
    """A key that is held down chooses row after row, however late the list's answers are."""
    fill_inbox(sandbox, 300)
    wait_for_count(page, "300")
    page.evaluate(SLOW_LISTS, 60)
    chosen = page.evaluate(PRESS_KEYS, ["ArrowDown", 40])
    assert parcels(299, 40) == chosen


def test_arrow_keys_walk_on_while_texts_arrive(sandbox: Sandbox, page: Page) -> None:
    """Texts that come in above leave the choice at its text, and the next key at the next."""
    fill_inbox(sandbox, 300)
    wait_for_count(page, "300")
    page.evaluate(SLOW_LISTS, 20)
    chosen: list[Any] = []
    for n in range(8):
        chosen += page.evaluate(PRESS_KEYS, ["ArrowDown", 3])
        sandbox.state.accept("iprog", "639170000000", f"late {n}", message_id=f"late{n}")
    assert parcels(299, 24) == chosen


def test_key_reaches_rows_that_were_not_read_yet(sandbox: Sandbox, page: Page) -> None:
    """Beyond what was read ahead a key chooses its row once the row is there."""
    fill_inbox(sandbox, 2000)
    wait_for_count(page, "2,000")
    page.evaluate(SLOW_LISTS, 100)
    page.focus("#texts")
    for key in ("End", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    page.wait_for_selector('.row[aria-selected="true"]:has-text("Parcel 2 has")')
    assert page.evaluate(IN_SIGHT)[-3:] == parcels(2, 3)


def test_what_is_read_stays_while_texts_arrive(sandbox: Sandbox, page: Page) -> None:
    """Scrolled down, the list shows the same texts at the same place, whatever comes in."""
    fill_inbox(sandbox, 1000)
    wait_for_count(page, "1,000")
    scroll_to(page, 65)
    page.evaluate("document.querySelector('#texts').scrollTop += 31")
    wait_for_top(page, "Parcel 934 has shipped")
    before = page.evaluate(IN_SIGHT)
    page.evaluate(WATCH)
    for n in range(1, 11):
        fill_inbox(sandbox, 200)
        page.wait_for_selector(f'#newer:has-text("{200 * n:,} new")')
    seen = page.evaluate("window.watched")
    assert len(seen) > 10
    assert [seen[0]] * len(seen) == seen
    assert before == page.evaluate(IN_SIGHT)
    wait_for_count(page, "3,000")


def test_held_list_goes_on_where_it_ends(sandbox: Sandbox, page: Page) -> None:
    """Scrolling on while texts arrive meets each row once, and the top has what came in."""
    fill_inbox(sandbox, 300)
    wait_for_count(page, "300")
    for row in (1, 50, 120, 200):
        scroll_to(page, row)
        fill_inbox(sandbox, 100)
        wait_for_top(page, f"Parcel {299 - row} has shipped")
    page.wait_for_selector('#newer:has-text("400 new")')
    page.click("#newer")
    page.wait_for_selector("#newer", state="hidden")
    wait_for_top(page, "Parcel 99 has shipped")
    wait_for_count(page, "700")


@pytest.mark.parametrize("way", ["click", "scroll"])
def test_top_has_what_came_in(sandbox: Sandbox, page: Page, way: str) -> None:
    """Back at the top the list has what it held back, also where all rows were read."""
    fill_inbox(sandbox, 100)
    wait_for_count(page, "100")
    scroll_to(page, 5)
    fill_inbox(sandbox, 50)
    page.wait_for_selector('#newer:has-text("50 new")')
    if way == "click":
        page.click("#newer")
        assert "texts" == page.evaluate("document.activeElement.id")
    else:
        scroll_to(page, 0)
    wait_for_top(page, "Parcel 49 has shipped")
    page.wait_for_selector("#newer", state="hidden")


def test_held_list_follows_when_it_is_cleared(sandbox: Sandbox, page: Page) -> None:
    """After the texts were removed the list shows what comes next, and holds nothing back."""
    fill_inbox(sandbox, 300)
    wait_for_count(page, "300")
    scroll_to(page, 100)
    sandbox.state.clear()
    fill_inbox(sandbox, 50)
    wait_for_count(page, "50")
    page.wait_for_selector("#newer", state="hidden")
    wait_for_top(page, "Parcel 49 has shipped")


def test_rows_that_leave_a_filtered_list_move_nothing(sandbox: Sandbox, page: Page) -> None:
    """Texts above that no longer match go without moving the one that is read."""
    for n in range(200):
        gateway = "iprog" if n < 150 else "ugsms"
        sandbox.state.accept(gateway, "639170000000", f"Parcel {n} has shipped", message_id=str(n))
    page.fill("#search", "parcel")
    wait_for_count(page, "200 of 200")
    scroll_to(page, 80)
    before = page.evaluate(IN_SIGHT)
    sandbox.state.clear("ugsms")
    wait_for_count(page, "150 of 150")
    assert before == page.evaluate(IN_SIGHT)


def test_rows_are_read_ahead(sandbox: Sandbox, page: Page) -> None:
    """Three screens on, the rows are there at once, without an answer of the server."""
    fill_inbox(sandbox, 10_000)
    wait_for_count(page, "10,000")
    page.route("**/_sandbox/texts?*", lambda route: route.abort())
    for row in (20, 40, 15):
        scroll_to(page, row)
        count = len(page.evaluate(IN_SIGHT))
        assert parcels(9999 - row, count) == page.evaluate(IN_SIGHT)


def test_fast_scrolling_shows_texts(sandbox: Sandbox, page: Page) -> None:
    """Ten thousand rows scrolled through by a row a frame are texts, and seldom outlines."""
    fill_inbox(sandbox, 10_000)
    wait_for_count(page, "10,000")
    page.evaluate(SLOW_LISTS, 30)
    filled = page.evaluate(
        f"""async () => {{
            const box = document.querySelector("#texts");
            const frames = [];
            while (frames.length < 90) {{
                box.scrollTop = frames.length * 75;
                await new Promise(requestAnimationFrame);
                await new Promise((done) => setTimeout(done));
                frames.push(({IN_SIGHT})().every(Boolean));
            }}
            return frames.filter(Boolean).length;
        }}"""
    )
    # All but some at the beginning, on a machine that has nothing else to do.
    assert filled > 45


def test_rows_that_are_not_read_have_a_placeholder(sandbox: Sandbox, page: Page) -> None:
    """A jump to where nothing was read shows the outline of rows until the texts are there."""
    fill_inbox(sandbox, 10_000)
    wait_for_count(page, "10,000")
    page.route("**/_sandbox/texts?*", lambda route: route.abort())
    scroll_to(page, 5000)
    assert {None} == set(page.evaluate(IN_SIGHT))
    outline = "getComputedStyle(document.querySelector('#spacer')).backgroundImage"
    assert 3 == page.evaluate(outline).count("linear-gradient")
    page.unroute_all()
    scroll_to(page, 5001)
    wait_for_top(page, "Parcel 4998 has shipped")


def test_urgent_run_does_not_rest(page: Page) -> None:
    """What is urgent is not kept waiting by the rest that follows a run."""
    page.evaluate(
        """async () => {
            const { paced } = await import("/_sandbox/page/dom.js");
            for (const early of [true, false]) {
                let runs = 0;
                let begun = () => {};
                const run = paced(async () => {
                    runs += 1;
                    begun();
                    await new Promise((done) => setTimeout(done));
                }, 1e9);
                const ended = run();
                if (early) run(true);
                else {
                    run();
                    await new Promise((done) => setTimeout(done, 50));
                    if (runs !== 1) throw new Error("did not rest");
                    run(true);
                }
                await ended;
                if (runs !== 2) throw new Error(`${runs} runs`);
            }
        }"""
    )


def test_rows_are_in_order_for_screen_readers(sandbox: Sandbox, page: Page) -> None:
    """Elements follow each other as the rows do, also after new texts and scrolling back."""
    fill_inbox(sandbox, 100)
    wait_for_count(page, "100")
    scroll_to(page, 60)
    scroll_to(page, 40)
    scroll_to(page, 0)
    sandbox.state.accept("iprog", "639170000000", "newest", message_id="newest")
    page.wait_for_selector('.row:has-text("newest")')
    texts = page.locator(".row .says").all_inner_texts()
    assert ["newest", *parcels(99, len(texts) - 1)] == texts


@pytest.mark.parametrize(
    ("text", "direction"),
    [("مرحبا بكم في متجرنا، طلبكم في الطريق إليكم الآن " * 3, "rtl"), ("Hello " * 30, "ltr")],
)
def test_beginning_of_a_text_is_in_sight(
    sandbox: Sandbox, page: Page, text: str, direction: str
) -> None:
    """A row is cut at the end of its text, in whichever direction it is read."""
    sandbox.state.accept("iprog", "639171234567", text, message_id="1", sender_id="متجر")
    page.wait_for_selector(".row")
    assert direction == page.evaluate("getComputedStyle(document.querySelector('.says')).direction")
    sender, to = (box["x"] for box in map(box_of, page.locator(".who bdi").all()))
    assert sender < to
