from __future__ import annotations

import base64
import html
import json
import logging
import unicodedata
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from iprog_async import ConfigurationError
from iprog_async._core.redaction import Redactor, active_redactor, guard_http_logs
from iprog_async._engines.base import WireReply
from iprog_async._http.calls import NOT_JSON
from iprog_async._http.codec import decode
from iprog_async.adapter import MASK, clean_secret, mask_keys, one_line, words


SECRET = '1|ab/c+d "é%&<x>'
SPELLINGS = {
    "plain": SECRET,
    "url": quote(SECRET, safe=""),
    "url path": quote(SECRET),
    "form": quote_plus(SECRET),
    "lower-case url": quote(SECRET, safe="")
    .replace("%7C", "%7c")
    .replace("%2F", "%2f")
    .replace("%2B", "%2b")
    .replace("%C3", "%c3")
    .replace("%A9", "%a9")
    .replace("%3C", "%3c")
    .replace("%3E", "%3e"),
    "json": json.dumps(SECRET)[1:-1],
    "php json": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "utf-8 json": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "html": html.escape(SECRET),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_masked_in_text(spelling: str) -> None:
    """However a secret travels or is echoed, `***` stands for it."""
    redactor = Redactor((SECRET,))

    assert f"<{MASK}>" == redactor.text(f"<{spelling}>")
    assert redactor.touches(f"<{spelling}>".encode())


TOKEN = "k3y|with/odd+ch'a!r*s"
_QUOTED = quote(TOKEN, safe="")
ESCAPED = {
    "encodeURIComponent": quote(TOKEN, safe="!'()*"),
    "encodeURI": quote(TOKEN, safe="!'()*;/?:@&=+$,#"),
    "percent twice": quote(_QUOTED),
    "percent thrice": quote(quote(_QUOTED)),
    "JavaScript's escape": TOKEN.replace("|", "%u007C").replace("'", "%27"),
    "Laravel": html.escape(TOKEN).replace("&#x27;", "&#039;"),
    "Python's html": html.escape(TOKEN),
    "decimal": html.escape(TOKEN).replace("&#x27;", "&#39;"),
    ".NET": html.escape(TOKEN).replace("+", "&#x2B;").replace("&#x27;", "&#39;"),
    "HTML5": TOKEN.replace("|", "&vert;").replace("+", "&plus;").replace("'", "&apos;"),
    "HTML twice": html.escape(html.escape(TOKEN)),
    "HTML in a query": quote(html.escape(TOKEN), safe=""),
    "JSON of .NET": TOKEN.replace("+", "\\u002B").replace("'", "\\u0027"),
    "JSON, all of it": "".join(f"\\u{ord(char):04x}" for char in TOKEN),
    "JavaScript": TOKEN.replace("+", "\\x2B").replace("'", "\\'"),
    "JSON in JSON": json.dumps(json.dumps(TOKEN).replace("/", "\\/"))[3:-3],
    "the part behind the bar": "with/odd+ch'a!r*s",
}
ACCENTED = "p\u00e4ssw\u00f6rd-\u00c9123456"
_READ_BY_BYTES = ACCENTED.encode().decode("latin-1")
MISREAD = {
    "as a header field": _READ_BY_BYTES,
    "by Windows": "p\u00c3\u00a4ssw\u00c3\u00b6rd-\u00c3\u2030123456",
    "twice": _READ_BY_BYTES.encode().decode("latin-1"),
    "of Latin-1": ACCENTED.encode("latin-1").decode("utf-8", "replace"),
    "what can't be written": ACCENTED.encode("ascii", "replace").decode(),
    "accents by themselves": unicodedata.normalize("NFD", ACCENTED),
    "accents in an address": quote(unicodedata.normalize("NFD", ACCENTED)),
    "Latin-1 in an address": quote(ACCENTED.encode("latin-1")).lower(),
    "Python's bytes": repr(ACCENTED.encode()),
    "Python's bytes of Latin-1": repr(ACCENTED.encode("latin-1")),
    "Python's characters": "p\\U000000e4ssw\\U000000F6rd-\\U000000c9123456",
    "octal": "p\\303\\244ssw\\303\\266rd-\\303\\211123456",
    "JavaScript": "p\\u{e4}ssw\\u{F6}rd-\\u{00c9}123456",
    "JSON": json.dumps(_READ_BY_BYTES),
    "HTML": _READ_BY_BYTES.encode("ascii", "xmlcharrefreplace").decode(),
    "HTML's names": "p&auml;ssw&ouml;rd-&Eacute;123456",
}


@pytest.mark.parametrize("written", MISREAD.values(), ids=MISREAD)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_secret_is_known_by_whatever_its_letters_became(
    written: str, form: Literal["NFC", "NFD"]
) -> None:
    """Bytes that are read one by one, accents by themselves, and marks for what was lost."""
    shown = Redactor((unicodedata.normalize(form, ACCENTED),)).text(f"<{written}>")

    assert "123456" not in shown
    assert MASK in shown


def test_a_cut_secret_is_not_quoted_in_any_spelling() -> None:
    """Each of its characters may be that of an escape in an address."""
    token = "Zx9Qk7Lm2Vt5"
    written = "".join(f"%{byte:02X}" for char in token for byte in f"\\u{ord(char):04x}".encode())
    for cut in range(len(written)):
        said = f"{'w ' * 300}{written[:cut]}"
        assert "%" not in Redactor((token,)).beginning(said, 2_000, goes_on=True)


AROUND: dict[str, Callable[[str], str]] = {
    "object": lambda written: json.dumps({"status": 500, "message": f"Bad key {written}."}),
    "list": lambda written: json.dumps([f"Bad key {written}."]),
    "text": lambda written: json.dumps(f"Bad key {written}."),
    "written as it is": lambda written: f'["Bad key {written}."]',
    "broken": lambda written: f'{{"status": 500, "message": "Bad key {written}."',
    "page": lambda written: f"<html><title>Bad key {written}.</title>",
    "words": lambda written: f"Bad key {written}.",
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize("written", ESCAPED.values(), ids=ESCAPED)
def test_no_escape_hides_a_secret(written: str, around: Callable[[str], str]) -> None:
    """However an answer spells a secret, and whatever it is, what is shown of it has a mask."""
    answer = decode(WireReply(500, {}, around(written).encode()), Redactor((TOKEN,)))

    shown = answer.excerpt + ("" if answer.data is NOT_JSON else str(answer.data))
    assert f"Bad key {MASK}." in shown.replace(f"k3y|{MASK}", MASK)
    assert "odd" not in shown


_WAYS: list[Callable[[str], str]] = [
    quote,
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    lambda text: text.replace("/", "\\/"),
]


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=8),
    st.lists(st.sampled_from(_WAYS), max_size=3),
)
def test_layers_of_escapes_hide_no_secret(secret: str, ways: list[Callable[[str], str]]) -> None:
    """Three encoders behind each other make a secret no other text."""
    written = secret
    for way in ways:
        written = way(written)

    assert f"<{MASK}>" == Redactor((secret,)).text(f"<{written}>")


@given(st.text(st.sampled_from("%4&#x;1\\u0a-z+ "), max_size=40))
def test_text_without_a_secret_is_as_it_was(text: str) -> None:
    """Escapes are read for what they stand for, and never changed."""
    assert text == Redactor(("S3CRET-key",)).text(text)


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("2024", "MSG20240611001", "MSG20240611001"),
        ("2024", "pw=2024&x=1, 2024.", "pw=***&x=1, ***."),
        ("2024", "pw%3D2024", "pw%3D***"),
        ("1234", "0701234567", "0701234567"),
        ("acme", "acmes acme-77", "acmes ***-77"),
        ("p!w!", "xp!w!x", "x***x"),
        ("hunter-2", "xhunter-2x", "x***x"),
    ],
)
def test_a_weak_secret_is_masked_where_it_stands_by_itself(
    secret: str, text: str, expected: str
) -> None:
    """Four digits are also a part of dates and numbers, which are nobody's password."""
    assert expected == Redactor((secret,)).text(text)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_secrets_are_masked_in_answers(ascii_only: bool) -> None:
    """A secret in a value or key is masked, with characters escaped or not."""
    body = json.dumps({"echo": [f"x{SECRET}y"], SECRET: 1}, ensure_ascii=ascii_only).encode()

    answer = decode(WireReply(200, {}, body), Redactor((SECRET,)))

    assert {"echo": [f"x{MASK}y"], MASK: 1} == answer.data


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-32"])
def test_answers_are_read_as_utf_8_alone(coding: str) -> None:
    """JSON in another encoding, where no mask would fit, is neither read nor quoted."""
    body = json.dumps({"echo": SECRET}).encode(coding)

    answer = decode(WireReply(200, {}, body), Redactor((SECRET,)))

    assert (NOT_JSON, "") == (answer.data, answer.excerpt)


def test_code_of_digits_is_masked_as_a_number_too() -> None:
    """A one-time password that comes back as a JSON number is still the password."""
    body = b'{"a": 123456, "b": 1234567, "c": 1.5}'

    answer = decode(WireReply(200, {}, body), Redactor(("123456",)))

    assert {"a": MASK, "b": 1234567, "c": 1.5} == answer.data


def test_longer_secret_leaves_no_tail() -> None:
    """Where one secret begins another, the whole of the longer one goes."""
    assert MASK == Redactor(("token", "token-2")).text("token-2")


def test_short_secret_masks_nothing() -> None:
    """Three characters would mask half of every answer."""
    assert "abcabc" == Redactor(("abc",)).text("abcabc")


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le"])
def test_excerpt_holds_no_secret(coding: str) -> None:
    """The start of a web page is quoted in errors, without secrets in whatever encoding."""
    body = f"<html><title>{SECRET}</title></html>".encode(coding)

    answer = decode(WireReply(500, {}, body), Redactor((SECRET,)))

    assert answer.excerpt == (f"an HTML page titled '{MASK}'" if coding == "utf-8" else "")


@pytest.mark.parametrize("quotable", [True, False])
def test_confidential_answers_are_not_quoted(quotable: bool) -> None:
    """Where the answer may hold a code, no excerpt is kept."""
    answer = decode(WireReply(500, {}, b"your code is 123"), Redactor(()), quotable=quotable)

    assert quotable == bool(answer.excerpt)


def test_deep_answers_are_no_json() -> None:
    """An answer nested deeper than the stack is given up on, not crashed on."""
    for depth in (900, 100_000):
        body = b'{"a":' * depth + b'"\\u0061"' + b"}" * depth
        answer = decode(WireReply(200, {}, body), Redactor((SECRET,)))
        assert answer.data is NOT_JSON


@pytest.mark.parametrize(("depth", "expected"), [(100, True), (101, False)])
@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_depth_of_answers_that_are_read_is_that_of_no_version(
    depth: int, expected: bool, opening: bytes, closing: bytes
) -> None:
    """Python's own limits differ; ours is the same everywhere, and nobody after it counts."""
    body = opening * depth + b"1" + closing * depth
    answer = decode(WireReply(200, {}, body), Redactor(()))

    assert expected == (answer.data is not NOT_JSON)


@pytest.mark.parametrize(
    ("value", "header", "why"),
    [
        ("", False, "missing or empty"),
        (" \n", False, "missing or empty"),
        (None, False, "missing or empty"),
        (123, False, "missing or empty"),
        ("S3C\nRET", False, "line break or control"),
        ("S3CRET\x00", False, "line break or control"),
        ("S3C\u2028RET", False, "line break or control"),
        ("S3CRET\ud83d", False, "line break or control"),
        ("S3CRETé", True, "header can't carry"),
    ],
)
def test_secrets_that_can_not_travel_are_refused(value: object, header: bool, why: str) -> None:
    """The error names the credential and never shows it."""
    with pytest.raises(ConfigurationError, match=f"the api_key .*{why}") as caught:
        clean_secret(value, "api_key", header=header)

    assert "S3C" not in str(caught.value)


@pytest.mark.parametrize(("value", "header"), [(" S3CRET\r\n", True), ("S3CRET é ", False)])
def test_secrets_are_stripped(value: str, header: bool) -> None:
    """The newline of an env file goes, inner characters stay."""
    assert value.strip() == clean_secret(value, "api_key", header=header)


def test_redactor_shows_nothing() -> None:
    """Not even the keeper of secrets has them in its repr."""
    assert "Redactor()" == repr(Redactor((SECRET,)))


def test_values_of_secret_keys_are_masked_at_any_depth() -> None:
    """Some gateways return credentials and codes of their own."""
    data = [{"data": {"otp_code": "123", "api_key": None, "id": 1}}, "api_key"]

    assert [{"data": {"otp_code": MASK, "api_key": MASK, "id": 1}}, "api_key"] == mask_keys(data)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\r\n\tb\x1b[31m", "a b [31m"),
        ("a\ud800b", "a?b"),
        ("x" * 301, "x" * 299 + "…"),
        ("x" * 300, "x" * 300),
    ],
)
def test_words_of_a_gateway_become_one_line(text: str, expected: str) -> None:
    """No line break, escape code or half character of a gateway reaches a terminal."""
    assert expected == one_line(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a", ["a"]), (["a", 1, " ", "b"], ["a", "b"]), (None, []), ({"a": 1}, []), ("", [])],
)
def test_words_are_a_string_or_a_list_of_strings(value: object, expected: list[str]) -> None:
    """Gateways use both for their messages."""
    assert expected == words(value)


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "hpack.hpack"])
def test_records_of_http_libraries_are_masked(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """While a call is under way, its secrets show in no record of the libraries below."""
    guard_http_logs()
    guard_http_logs()
    caplog.set_level(logging.DEBUG, name)
    token = active_redactor.set(Redactor((SECRET,)))
    try:
        logging.getLogger(name).info("GET %s", f"http://x/?t={quote(SECRET)}")
        logging.getLogger(name).info("harmless %d", 1)
    finally:
        active_redactor.reset(token)
    logging.getLogger(name).info("no call: %s", "fine")

    assert ["GET http://x/?t=***", "harmless 1", "no call: fine"] == caplog.messages


@given(st.text(min_size=4), st.text(), st.text())
def test_no_secret_survives_in_an_answer(secret: str, head: str, tail: str) -> None:
    """Any secret in any surroundings is gone after decoding."""
    secret = base64.b64encode(secret.encode("utf-8", "replace")).decode()
    body = json.dumps({"message": head + secret + tail}).encode()

    answer = decode(WireReply(200, {}, body), Redactor((secret,)))

    assert secret not in json.dumps(answer.data)


_TOKENS = ["nb7e31f0", "b7e31f0n", "12345678"]
_PLAIN = ["", "a", "n", "1", "e", " ", "/", '"', "{", "7b31n", "***"]
# Mostly written by an escape, after which a secret may be elsewhere than it looks to be.
_ESCAPED = ["\n", "\b", "\\", "é", "\u2028"]
_TEXTS = st.lists(st.sampled_from([*_TOKENS * 8, *_PLAIN, *_ESCAPED]), max_size=6).map("".join)
_LEAVES = _TEXTS | st.none() | st.integers() | st.booleans()
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3)
)


@given(data=st.tuples(st.just("nb7e31f0"), _JSON), in_ascii=st.booleans(), in_php=st.booleans())
@pytest.mark.parametrize("secrets", [("nb7e31f0",), ("b7e31f0n", "nb7e31f0")])
def test_json_is_masked_as_its_data_is(
    secrets: tuple[str, ...], data: object, in_ascii: bool, in_php: bool
) -> None:
    """Masking what is written and masking what was read give the same, however it is written."""
    redactor = Redactor(secrets)
    written = json.dumps(data, ensure_ascii=in_ascii)
    if in_php:
        written = written.replace("/", "\\/")

    masked = redactor.json(written)

    assume(masked is not None)
    assert masked is not None  # for checkers
    assert redactor.data(json.loads(written)) == json.loads(masked)


def test_json_of_plain_secrets_is_masked_as_it_is_written() -> None:
    """A token of letters and digits has one spelling; any other one is looked for in the data."""
    written = '{"link":"https:\\/\\/sms.example\\/?t=nb7e31f0"}'

    assert '{"link":"https:\\/\\/sms.example\\/?t=***"}' == Redactor(("nb7e31f0",)).json(written)
    for token in ("1|nb7e31f0", "1234567890", "nb7e"):
        assert None is Redactor((token,)).json(written)
    assert None is Redactor(("nb7e31f0",)).json(written.replace("nb7", "\\u006eb7"))


def test_texts_that_look_the_same_when_masked_are_not_told_apart() -> None:
    """An id is never another one's."""
    ids = ["a-2024-1", "a-9999-1", "b-2024-1"]
    answer = decode(WireReply(200, {}, json.dumps(ids).encode()), Redactor(("2024", "9999")))

    assert {"a-***-1": "a-***-1", "b-***-1": "b-2024-1"} == answer.unmasked
