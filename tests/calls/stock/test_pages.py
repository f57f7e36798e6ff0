"""What a server's own page says beside its status, and what in it may be about a text."""

from __future__ import annotations

import pytest

from iprog_async._http.bare_status import text_says_no_more


_LARAVEL = """<!DOCTYPE html>
<html>
    <head>
        <meta charset="UTF-8" />
        <meta http-equiv="refresh" content="0;url='{0}'" />

        <title>Redirecting to {0}</title>
    </head>
    <body>
        Redirecting to <a href="{0}">{0}</a>.
    </body>
</html>"""
_APACHE = """<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>301 Moved Permanently</title>
</head><body>
<h1>Moved Permanently</h1>
<p>The document has moved <a href="{0}">here</a>.</p>
</body></html>
"""
_SAME = [
    "https://sms.example/api/v3/sms/send",
    "https://www.sms.example/api/v3/sms/send/",
    "https://sms2.example:8443/apiv2/v1.2/sendSMS.php",
    "https://sms.example/elsewhere",
    "https://sms.example/v1?api_token=ab12cd345ef",
    "https://sms.example/v1/sms/send?numbers=0701234567&amp;sender_id=Shop&amp;message_body=Hi+you",
]
_OF_A_TEXT = [
    "https://sms.example/messages/8812",
    "https://sms.example/v1?id=8812",
    "https://sms.example/v1?api_token=ab12&amp;uid=8812",
    "https://sms.example/v1?count=200",
    "https://sms.example/v1?status=queued",
    "https://sms.example/v1#8812",
    "https://sms.example/messages/ab-12",
    "https://sms.example/messages/7",
    "https://sms.example/%6dessages/%38",
    "https://sms.example/messages/deadbeef",
    "https://sms.example/m/dQwAwXgXcQ",
    "https://sms.example/sms/sent",
    "https://sms.example/thank-you",
    "https://sms.example/compose?msg=Message+sent",
    "https://sms.example/v1;uid=a7",
]


@pytest.mark.parametrize("page", [_LARAVEL, _APACHE], ids=["Laravel", "Apache"])
@pytest.mark.parametrize(
    ("status", "name"), [(301, "Moved Permanently"), (308, "Permanent Redirect")]
)
def test_a_page_that_leads_to_the_same_elsewhere_says_no_more(
    page: str, status: int, name: str
) -> None:
    """It repeats the query, with the key and the numbers; of any other status it proves nothing."""
    page = page.replace("301 Moved Permanently", f"{status} {name}")

    assert [] == [each for each in _SAME if not text_says_no_more(page.format(each), status)]
    assert not text_says_no_more(page.format(_SAME[1]), 404)


@pytest.mark.parametrize("page", [_LARAVEL, _APACHE], ids=["Laravel", "Apache"])
@pytest.mark.parametrize("address", _OF_A_TEXT)
def test_a_page_that_leads_to_a_text_leaves_it_open(page: str, address: str) -> None:
    """One of many, an id, a count or a state is of what became of the request."""
    assert not text_says_no_more(page.format(address), 301)


def test_any_address_that_a_page_refreshes_to_is_looked_at() -> None:
    """As that of a link is, and in the form that a browser follows alone."""
    told = [
        f'<meta http-equiv="refresh" content="{value}">'
        for value in ("0;url=/messages/8812", "2", "0; 2 of 5", "0;url=/a 2 of 5", "2;url=")
    ]

    assert text_says_no_more('<p>404<meta http-equiv="Refresh" content="0; URL=/b">', 404)
    assert [] == [each for each in told if text_says_no_more(f"<p>404{each}", 404)]


_KEPT = [
    *('http-equiv="Cache-control" content="no-cache, no-store, must-revalidate"',),
    *('http-equiv="Pragma" content="no-cache"', 'http-equiv="Expires" content="0"'),
    "http-equiv=expires content=-1",
]
_TOLD_AS_KEPT = [
    *('http-equiv="Expires" content="2"', 'content="0"', 'name="sms" content="0"'),
    *('content="no-cache"', 'http-equiv="Pragma" content="no-cache 2"'),
    'http-equiv="Content-Type" content="0"',
]


@pytest.mark.parametrize("attributes", _KEPT)
def test_how_long_a_page_is_kept_says_no_more(attributes: str) -> None:
    """Pages have in them what their servers do not say."""
    assert text_says_no_more(f"<html><meta {attributes}><h1>404 Not Found</h1>", 404)


@pytest.mark.parametrize("attributes", _TOLD_AS_KEPT)
def test_the_same_words_elsewhere_may_tell(attributes: str) -> None:
    """A number or a word under another name is one of the page."""
    assert not text_says_no_more(f"<html><meta {attributes}><h1>404 Not Found</h1>", 404)
