from __future__ import annotations

from typing import Any

import pytest

from iprog_async._http.bare_status import (
    data_says_no_more,
    text_may_say_taken,
    text_says_no_more,
)


LIMITS = [
    "Too Many Attempts.",
    "Too many",
    "Slow down",
    "TooManyRequests",
    "rate_limit_exceeded",
    "You've hit the limit of 3 requests per minute.",
    "You\u2019ve reached your quota. Please try again in 30 seconds.",
    "Request was throttled. Expected available in 12 seconds.",
    "Please retry after 30 seconds",
]
OTHER_WORDS = [
    "Your SMS was processed successfully. 0 requests left",
    "Limit reached after 3 messages to 639171234567",
    "Too many requests; yours is number 88120031",
    "L\u00edmite de solicitudes",
    "Rate limit: sent",
    "Operation timed out",
    "8290",
    "ok",
]


@pytest.mark.parametrize("words", LIMITS)
def test_a_limit_is_told_in_words_about_limits(words: str) -> None:
    """Made of nothing else, a sentence says nothing of any text."""
    assert data_says_no_more({"message": words}, 429)
    assert not data_says_no_more({"message": words}, 404)


@pytest.mark.parametrize("words", OTHER_WORDS)
@pytest.mark.parametrize("status", [404, 429])
def test_a_status_is_alone_in_no_other_words(words: str, status: int) -> None:
    """A single word that nobody expects may say what became of a text."""
    assert not data_says_no_more({"message": words}, status)


OWN: list[Any] = [
    *(None, {}, [], "", "Not Found", {"a": {"b": [None, "", False, 0]}}),
    {"status": 404, "error": "Not Found"},
    {"code": "404", "error": True, "message": "Not found!"},
]
OTHERS: list[Any] = [
    *(True, 1, 8812, "8812", ["a-1"], {"mid": "8290"}, {"handle": 8290}, {"n": 1}, {"x": "a"}),
    *({"receiptNo": "8290"}, {"credits_used": 1}, {"success": "yes"}, {"ok": True}),
    *({"retry_after": 30}, {"status": 200}, {"a": [[[["x"]]]]}),
]


@pytest.mark.parametrize("body", OWN, ids=str)
def test_what_is_empty_or_the_status_itself_says_no_more(body: object) -> None:
    """Its number, its reason phrase, and a word that something failed."""
    assert data_says_no_more(body, 404)


@pytest.mark.parametrize("body", OTHERS, ids=str)
def test_any_other_value_may_say_more(body: object) -> None:
    """Whatever it is called, and however deep it is."""
    assert not data_says_no_more(body, 404)


def test_how_long_to_wait_is_part_of_a_limit() -> None:
    """Numbers under a name of waiting or limiting are no ids; any other number may be one."""
    waits = {"retry_after": 30, "limit": "60", "remaining": 0, "resetSeconds": 12.5}
    assert data_says_no_more({"message": "Too Many Attempts.", **waits}, 429)
    assert not data_says_no_more({"message": "Too Many Attempts.", "code": 20429}, 429)
    assert not data_says_no_more({"message": "Too Many Attempts.", "retry_after": "8812003"}, 429)


def test_what_is_too_deep_or_too_large_may_say_more() -> None:
    """Nobody has looked through it."""
    deep: list[Any] = []
    for _ in range(1_000):
        deep = [deep]
    for body in (deep, {str(number): None for number in range(30_000)}):
        assert not data_says_no_more(body, 404)


PAGES = [
    "404 page not found",
    "Not Found",
    "Cannot POST /v1/sms_messages",
    "<html>",
    "<html><body id='main' class=ok><h1>404 Not Found</h1>",
    "<h1>404</h1><p>Request ID: 8d1f2c30</p>",
    "<!DOCTYPE html><style>p{color:red}</style><script>var a=[1]</script><title>Not Found</title>",
    "<?xml version='1.0'?>\n<!DOCTYPE html><html><h1>404 Not Found</h1></html>",
    "<h1>Not Found</h1><p>The requested URL was not found on this server.</p><address>"
    "Apache/2.4.41 (Ubuntu) Server at sms.example.com Port 80</address>",
]
SENT = '{"success": true, "uid": "8d1f"}'
SAY_MORE = [
    *("OK", "OK: 8812", "Success", "ID: 123456", "msgid=8812", "1701|639171234567|8d1f"),
    *('{"message_id":"8d1f"', "550e8400-e29b-41d4-a716-446655440000\n", SENT[:-1], f"cb({SENT})"),
    *(f"404 {SENT}", "status=success&uid=8d1f", "<r><code>404</code></r>", f"<p>404 {SENT}</p>"),
    f"<br />\n<b>Notice</b>: 404 in x.php<br />\n{SENT}",
    *("<p>Your SMS is on its way</p>", "<p>404 Message ID: 8812</p>", f"<script>{SENT}"),
    "<?xml version='1.0'?><html><h1>404</h1></html>",
]
DOUBTFUL = [
    *("Sorry", "69fae844ac49b ok", "1701 | 639171234567 | 8812", "404 | 8812", "404 x8812"),
    *("<p>Sorry</p>", "<p>404 Operation timed out</p>", "<p>404 ti<b>med</b> out</p>"),
    *("<p>404 s<i>en</i>t</p>", "<p>404 &#115;ent</p>", "<p>404, uid 69fae844ac49b</p>"),
    *("<p>404 in x.php on line <b>3</b></p>", "<p>404 Done</p>", "<h1>405</h1>"),
]


@pytest.mark.parametrize("body", PAGES)
def test_a_page_of_a_status_says_no_more(body: str) -> None:
    """What web servers and frameworks write for an address that they do not have."""
    assert (True, False) == (text_says_no_more(body, 404), text_may_say_taken(body))


@pytest.mark.parametrize("body", SAY_MORE)
def test_a_body_that_can_not_be_read_may_say_that_a_text_was_taken(body: str) -> None:
    """An id of a text, a word of state, and whatever looks like data that nobody has read."""
    assert (False, True) == (text_says_no_more(body, 404), text_may_say_taken(body))


@pytest.mark.parametrize("body", DOUBTFUL)
def test_words_that_are_not_those_of_the_status_leave_it_open(body: str) -> None:
    """They say nothing of a text that was taken, and are no proof that none was."""
    assert not text_says_no_more(body, 404)


@pytest.mark.parametrize("piece", ["<", "<style", "<script>", "<!--", "<p ", "&#", "404 "])
def test_hostile_bodies_are_read_to_their_end(piece: str) -> None:
    """No pattern looks at one place many times: this would take minutes."""
    assert not text_says_no_more(piece * (40_000 // len(piece)) + "x1", 404)
