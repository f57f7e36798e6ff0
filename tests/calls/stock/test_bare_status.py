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
    "You have made too many requests.",
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
    *("retry", "wait", "Too many requests: retry", "\uf00c", "Too many requests \uf00c", "\u0378"),
    "Your request was made. Please wait 5 seconds.",
    "Your request was made too many times",
    "You have made too many requests. It was made.",
    "\u2705",
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
    *(None, {}, [], "", "Not Found", {"a": {"b": [None]}, "c": "", "ok": False}),
    {"status": 404, "error": "Not Found"},
    {"code": "404", "error": True, "message": "Not found!"},
]
OTHERS: list[Any] = [
    *(True, 0, 1, 8812, "8812", ["a-1"], {"mid": "8290"}, {"handle": 8290}, {"n": 1}, {"x": "a"}),
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
    "<h1>404</h1><p>Ray ID: 8d1f2c30</p>",
    "<!DOCTYPE html><style>p{color:red}</style><script src=a.js></script><title>Not Found</title>",
    "<?xml version='1.0'?>\n<!DOCTYPE html><html><h1>404 Not Found</h1></html>",
    "<h1>Not Found</h1><p>The requested URL was not found on this server.</p><address>"
    "Apache/2.4.41 (Ubuntu) Server at sms.example.com Port 80</address>",
    "<html>\r\n<head><title>404 Not Found</title></head><body>\r\n<center><h1>404 Not Found</h1>"
    "</center>\r\n<hr><center>nginx/1.18.0 (Ubuntu)</center></body></html>\r\n"
    "<!-- a padding to disable MSIE and Chrome friendly error page -->\r\n" * 6,
    "<h1>Not Found</h1><p>The requested URL /v1/sms was not found on this server.</p>"
    "<p>Additionally, a 404 Not Found error was encountered while trying to use an "
    "ErrorDocument to handle the request.</p>",
    "<title>The page you were looking for doesn't exist (404)</title>"
    "<h1>The page you were looking for doesn&#39;t exist.</h1>"
    "<p>You may have mistyped the address or the page may have moved.</p>"
    "<p>If you are the application owner check the logs for more information.</p>",
    "<title>404 Not Found</title><h1>Not Found</h1>"
    "<p>The requested URL was not found on the server. If you entered the URL manually please "
    "check your spelling and try again.</p>",
    "<title>Error 404 (Not Found)!!1</title><p><b>404.</b> <ins>That\u2019s an error.</ins>"
    "<p>The requested URL <code>/v1</code> was not found on this server.  "
    "<ins>That\u2019s all we know.</ins>",
    "<title>404 - File or directory not found.</title><h2>404 - File or directory not found.</h2>"
    "<h3>The resource you are looking for might have been removed, had its name changed, or is "
    "temporarily unavailable.</h3>",
]
_CLOUDFLARE = (
    "<h1>Error 1015</h1><p>Ray ID: 8d1f2c30aa &bull; 2026-11-28 10:00:00 UTC</p>"
    "<h2>You are being rate limited</h2><h2>What happened?</h2>"
    "<p>The owner of this website (sms.example.com) has banned you temporarily from accessing this "
    "website.</p><p>Was this page helpful? <button>Yes</button><button>No</button> Thank you for "
    "your feedback!</p>Cloudflare Ray ID: 8d1f2c30aa &bull; Your IP: <button>Click to reveal"
    "</button> 203.0.113.7 &bull; Performance &amp; security by Cloudflare"
)
_MOVED = "https://a.example/v2"
OTHER_PAGES = [
    (301, "<title>301 Moved Permanently</title>The document has moved <a href='/b'>here</a>."),
    (308, f"<html><title>Redirecting to {_MOVED}</title>Redirecting to {_MOVED}"),
    (405, "<h1>Method Not Allowed</h1>The requested method POST is not allowed for this URL."),
    (413, "<center><h1>413 Request Entity Too Large</h1></center><hr><center>nginx</center>"),
    (429, "Too many requests, please try again later."),
    (429, "Rate limit of 60 requests per minute exceeded; retry in 12 seconds"),
    (429, "<title>429 Too Many Requests</title><h1>429 Too Many Requests</h1><hr>nginx/1.25.3"),
    (429, _CLOUDFLARE),
]
_APACHE = "<hr><address>Apache/2.4.6 (CentOS) OpenSSL/1.0.2k-fips PHP/7.4.33 mod_wsgi/4.6.8"
_TOMCAT = "</p><h3>Apache Tomcat/9.0.71</h3>"
_REPORT = "<p><b>Type</b> Status Report</p><p>"
_WHITELABEL = (
    "<h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you "
    "are seeing this as a fallback.</p><div id='created'>Sat Nov 28 10:00:00 UTC 2026</div>"
    "<div>There was an unexpected error (type={}).</div>"
)
_GOOGLE = (
    "<title>Error {0} ({1})!!1</title><p><b>{0}.</b> <ins>That\u2019s an error.</ins><p>{2} "
    "<ins>That\u2019s all we know.</ins>"
)
STOCK = {
    ("Apache", 404): f"<h1>Not Found</h1>The requested URL was not found on this server.{_APACHE}",
    ("Apache", 413): "<title>413 Request Entity Too Large</title><h1>Request Entity Too Large</h1>"
    "The requested resource does not allow request data with POST requests, or the amount of data "
    "provided in\nthe request exceeds the capacity limit.",
    ("IIS", 405): "<title>405 - HTTP verb used to access this page is not allowed.</title>"
    "<h1>Server Error</h1><h3>The page you are looking for cannot be displayed because an invalid "
    "method (HTTP verb) was used to attempt access.</h3>",
    ("IIS", 413): "<title>413 - Request entity is too large</title><h1>Server Error</h1>"
    "<h3>The page was not displayed because the request entity is too large.</h3>",
    ("Express", 404): "<title>Error</title><pre>Cannot POST /v1/sms</pre>",
    ("Express", 413): "<title>Error</title><pre>PayloadTooLargeError: request entity too large",
    ("Google", 405): _GOOGLE.format(
        405,
        "Method Not Allowed",
        "The request method <code>POST</code> is inappropriate for the URL <code>/a</code>.",
    ),
    ("Google", 413): _GOOGLE.format(
        413, "Request Entity Too Large", "Your client issued a request that was too large."
    ),
    ("HAProxy", 404): "<html><h1>404 Not Found</h1>\nThe resource could not be found.\n</html>",
    ("HAProxy", 405): "<html><body><h1>405 Method Not Allowed</h1>\nA request was made of a "
    "resource using a request method not supported by that resource\n</body></html>\n",
    ("HAProxy", 413): "<html><body><h1>413 Payload Too Large</h1>\n"
    "The request entity exceeds the maximum allowed.\n</body></html>\n",
    ("Tomcat", 404): f"<h1>HTTP Status 404 \u2013 Not Found</h1>{_REPORT}<b>Description</b> The "
    "origin server did not find a current representation for the target resource or is not willing "
    f"to disclose that one exists.{_TOMCAT}",
    ("Tomcat", 405): f"<h1>HTTP Status 405 \u2013 Method Not Allowed</h1>{_REPORT}<b>Message</b> "
    "HTTP method POST is not supported by this URL</p><p><b>Description</b> The method received in "
    "the request-line is known by the origin server but not supported by the target resource."
    f"{_TOMCAT}",
    ("Tomcat", 413): f"<h1>HTTP Status 413 \u2013 Request Entity Too Large</h1>{_REPORT}<b>"
    "Description</b> The server is refusing to process a request because the request payload is "
    f"larger than the server is willing or able to process.{_TOMCAT}",
    ("Spring", 404): _WHITELABEL.format("Not Found, status=404"),
    ("Spring", 405): _WHITELABEL.format("Method Not Allowed, status=405"),
    ("Werkzeug", 405): "<title>405 Method Not Allowed</title><h1>Method Not Allowed</h1>"
    "<p>The method is not allowed for the requested URL.</p>",
    ("Flask-Limiter", 429): "<title>429 Too Many Requests</title><h1>Too Many Requests</h1>"
    "<p>10 per 1 minute</p>",
    ("Flask-Limiter's own", 429): "<title>429 Too Many Requests</title><h1>Too Many Requests</h1>"
    "<p>This user has exceeded an allotted request count. Try again later.</p>",
    ("plain", 429): "You have made too many requests.",
}
# In words that no list of what is suspicious has.
CLAIMS = [
    *("Mensaje enviado", "Message stored for the carrier", "Gesendet", "given", "envoy\u00e9"),
    *("\u5df2\u53d1\u9001", "\u2705", "we try it later", "8812", "a1b2", "s-8812", "enviado/1.2"),
    *(
        "made",
        "handed",
        "/8812",
        "Request ID: enviado",
        "entered",
        "spooled",
        "spooled/1.18.0",
        "Thank you",
        "yes",
    ),
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
    *("404 Not Found. Request ID: 8812", "404 not found \uf00c"),
    *("<p>404 in x.php on line <b>3</b></p>", "<p>404 Done</p>", "<h1>405</h1>"),
]


@pytest.mark.parametrize("body", PAGES)
def test_a_page_of_a_status_says_no_more(body: str) -> None:
    """What web servers and frameworks write for an address that they do not have."""
    assert (True, False) == (text_says_no_more(body, 404), text_may_say_taken(body))


@pytest.mark.parametrize(("status", "body"), OTHER_PAGES)
def test_each_status_has_pages_of_its_own(status: int, body: str) -> None:
    """They prove nothing with another status."""
    statuses = (301, 307, 308, 404, 405, 413, 429, 401, 403, 500)
    alike = {301, 307, 308} if status in (301, 308) else {status}

    assert status in [each for each in statuses if text_says_no_more(body, each)]
    assert alike >= {each for each in statuses if text_says_no_more(body, each)}


@pytest.mark.parametrize(("server", "status"), STOCK)
def test_a_stock_page_is_a_proof_with_its_status_alone(server: str, status: int) -> None:
    """An address that is wrong, or a limit, is found at once, whichever server tells of it."""
    page = STOCK[server, status]
    assert [status] == [each for each in (404, 405, 413, 429) if text_says_no_more(page, each)]
    assert not text_may_say_taken(page)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_page_with_a_word_more_may_say_that_a_text_was_taken(claim: str) -> None:
    """Whatever else stands beside the name of a status, in any language, leaves it open."""
    stock = [(status, page) for (_, status), page in STOCK.items()]
    pages = [*((404, page) for page in PAGES if page != "<html>"), *OTHER_PAGES, *stock]

    assert [] == [
        (status, more)
        for status, page in pages
        for more in with_a_word(page, claim)
        if text_says_no_more(more, status)
    ]


def with_a_word(page: str, claim: str) -> list[str]:
    """Return a page, or plain text, with a claim at several places."""
    if page.startswith("<"):
        places = ("<p>{}</p>", "<!-- {} -->", "<b title='{}'>", " ({})")
        return [page + place.format(claim) for place in places]
    return [f"{page} {claim}", f"{page}. {claim}.", f"{claim} {page}", f"{page} ({claim})"]


@pytest.mark.parametrize("page", ["<html><script>alert(1)</script>", "<html><input value='a'>"])
def test_a_page_that_shows_what_no_text_says_leaves_it_open(page: str) -> None:
    """What a script writes, or a field holds, may be what became of a text."""
    assert not text_says_no_more(page, 404)


BESIDE = [
    *('<b data-sent="2">', "<b data-2>", "<b out>", '<h1 aria-label="2 of 5 are out">', "<b 2>"),
    *('<meta name="description" content="2 of 5 are out">', '<option label="2 of 5">', "<p/ 2>"),
    *('<body onload="done(2)">', "<img alt='2 of 5'>", '<meta content="5; url=/a">', "<two-out>"),
    *("<script>report(2, 5)</script>", "<script data-done='2' src='/a.js'></script>", "<x y = 2>"),
    *("<style>h1:after{content:'2 of 5'}</style>", '<style>b{content:"\\f00c"}</style>'),
    *('<style><!-- b:after{content:"2 of 5"} --></style>', "<style>/*<*/b{content:'2'}</style>"),
    *('<style>a<b i{content:"2"}</style>', '<style>b{con\\74 ent:"2"}</style>'),
    *('<style>b{con\\tent:"2"}</style>', '<style>b{content/**/:"2"}</style>'),
    *('<style>ol{list-style-type:"2 of 5"}</style>', '<style>a{}<!-- b{content:"2"}'),
    *('<style>@counter-style x{symbols:"2 of 5"}</style>', "<style>@import 'data:,x';</style>"),
    *("<link rel=stylesheet href='data:text/css,b{}'>", "<script src=data:text/javascript,f(2)>"),
    *(
        '<link rel="next" href="/messages/8812">',
        '<link rel=item href="/m/a-7">',
        "<a href='/m/7'>",
    ),
    *('<base href="/messages/8812">', '<iframe src="/messages/8812">', "<frame src=/sms/a1>"),
    *('<meta http-equiv="refresh" content="5;url=/v1/sms/status?uid=8a7f-bc">',),
    *('<meta http-equiv="refresh" content="0; /m/a-7">', "<a href='/sent'>", "<a href='#a7'>"),
    *(
        '<a href="/messages/8812">',
        "<form action=/sms/8812>",
        "<!-- 2 -->",
        "<p>\uf00c",
        "&#xf00c;",
    ),
    *(
        "<p>Request ID: 8812",
        "<p>Error ID: 8812",
        "<summary title='out'>",
        "<?php 2 ?>",
        "<b x='>2'>",
    ),
]
LAYOUT = [
    '<div class="ok-2" id="c2" style="top:2px" align=center width="200" tabindex=2>',
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">',
    '<meta name="robots" content="noindex, nofollow"><link rel="icon" href="/a.png?v=1234">',
    "<style>a{justify-content:center}b{content:'';color:red} .content{top:0}</style>",
    '<a href="https://www.cloudflare.com/5xx-error-landing"></a><hr /><img src=/a.png alt="">',
    '<link rel="shortcut icon" href="data:image/png;base64,iVBORw0KGgo="><link rel=next href=/b>',
    '<style>.sm\\:w-1\\/2{width:50%} ul{list-style:none}a{font-family:"Open Sans"}</style>',
    "<style><!-- body{color:red} --></style><style>/* content */ b{content:none}</style>",
    '<meta http-equiv="refresh" content="5; url=/v1/sms/send"><a href="/api/v2.1/send#top"></a>',
    '<a href="mailto:root@localhost"></a><a href="javascript:history.back()"></a><a href="/"></a>',
    "<script src='/a.js' async></script><script>\n</script><input value='' disabled>",
]


@pytest.mark.parametrize("page", [(404, "Not Found"), (429, "Too Many Requests"), (404, "")])
@pytest.mark.parametrize("piece", BESIDE)
def test_what_stands_beside_the_text_of_a_page_may_tell(page: tuple[int, str], piece: str) -> None:
    """In any attribute but those of layout, in a script, in a style sheet, in a font of icons."""
    status, text = page

    assert not text_says_no_more(f"<html>{piece}<h1>{text}</h1>", status)
    assert not text_says_no_more(f"<html><h1>{text}</h1>{piece}", status)


@pytest.mark.parametrize("piece", LAYOUT)
def test_what_lays_a_page_out_tells_nothing(piece: str) -> None:
    """Names and numbers of styles are in the pages of all servers."""
    assert text_says_no_more(f"<html>{piece}<h1>404 Not Found</h1>", 404)


@pytest.mark.parametrize("body", SAY_MORE)
def test_a_body_that_can_not_be_read_may_say_that_a_text_was_taken(body: str) -> None:
    """An id of a text, a word of state, and whatever looks like data that nobody has read."""
    assert (False, True) == (text_says_no_more(body, 404), text_may_say_taken(body))


@pytest.mark.parametrize("body", DOUBTFUL)
def test_words_that_are_not_those_of_the_status_leave_it_open(body: str) -> None:
    """They say nothing of a text that was taken, and are no proof that none was."""
    assert not text_says_no_more(body, 404)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<style",
        "<script>",
        "<!--",
        "<p ",
        "&#",
        "404 ",
        "id ",
        "id-",
        " ",
        "*",
        "url /",
        "title=",
    ],
)
def test_hostile_bodies_are_read_to_their_end(piece: str) -> None:
    """No pattern looks at one place many times: this would take seconds."""
    for start in ("", "404 id", "<html>404 id"):
        assert not text_says_no_more(start + piece * (6_000 // len(piece)) + "x1", 404)


def test_what_is_longer_than_any_page_is_not_judged() -> None:
    """A stock page has some thousand characters."""
    assert text_says_no_more("<h1>Not Found</h1>" + " " * 30_000, 404)
    assert not text_says_no_more("<h1>Not Found</h1>" + " " * 32_000 + "<hr>", 404)
