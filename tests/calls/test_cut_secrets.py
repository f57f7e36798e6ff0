"""What is shown in part is masked first: half a secret is not known as one."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import OutcomeUnknownError, RetryPolicy, SmsClient
from iprog_async._core.redaction import Redactor
from iprog_async._engines.base import WireReply, WireRequest
from iprog_async._http.codec import decode
from iprog_async._http.exchange_log import exchanges_shown, log_exchange
from iprog_async_providers import UgsmsV2Provider


# As long as a signed token gets; no five characters of it come twice.
LONG = "eyJ" + "".join(f"{number:x}g" for number in range(0x1000, 0x103C))
SHORT = "q7Zx-4Kd9-m2Wv-8Ryt-c5Lb-j1Np-s6Hf"
REQUEST = WireRequest("GET", "https://sms.example/", (), b"")
SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "in an address": lambda secret: "".join(f"%{ord(char):02X}" for char in secret),
    "in a page": lambda secret: "".join(f"&#x{ord(char):06X};" for char in secret),
    "in a page in an address": lambda secret: quote(
        "".join(f"&#x{ord(char):x};" for char in secret)
    ),
}


def shows(shown: str, secret: str, spell: Callable[[str], str] = str) -> bool:
    """Return whether five characters of a secret can be read, one behind the other."""
    parts = (spell(secret[at : at + 5]) for at in range(len(secret) - 4))
    return any(part in shown for part in parts)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", [SHORT, LONG], ids=["short", "long"])
def test_no_part_of_a_secret_is_quoted_of_a_body(secret: str, spelling: str) -> None:
    """Wherever it stands, how often, and however it is spelled."""
    spell = SPELLINGS[spelling]
    written = spell(secret)
    for before in (0, 20, 150, 1_995):
        for body in ("x" * before + f"={written} " * 8, f"{written}={written}" + "x" * before):
            answer = decode(WireReply(502, {}, body.encode()), Redactor((secret,)))
            assert not shows(answer.excerpt, secret, spell)


def test_what_is_quoted_is_no_shorter_than_it_was() -> None:
    """An answer with a secret in it is quoted around that, and so is a page's title."""
    redactor = Redactor((LONG,))
    words = f"Bad gateway: token {LONG} was passed on"
    page = f"<html><title>Not {LONG} again</title>{'<p>' * 9_000}"

    assert "Bad gateway: token *** was passed on" == redactor.beginning(words, 2_000)
    quoted = decode(WireReply(502, {}, page.encode()), redactor).excerpt
    assert "an HTML page titled 'Not *** again'" == quoted


@given(
    st.text("ab/&%;", max_size=60),
    st.text("ab/&%;", max_size=60),
    st.integers(0, 3_000),
    st.booleans(),
)
def test_a_beginning_is_one_of_the_masked_text(
    before: str, behind: str, most: int, goes_on: bool
) -> None:
    """What is left out at the end of a long text is all that differs from masking all of it."""
    redactor = Redactor((SHORT,))
    text = f"{before * 20}{SHORT}{behind * 20}"

    shown = redactor.beginning(text, most, goes_on=goes_on)

    assert redactor.text(text).startswith(shown)
    assert len(shown) <= most


@pytest.mark.parametrize("cut", range(1, len(SHORT)))
def test_a_text_that_goes_on_ends_before_a_secret_that_is_cut(cut: int) -> None:
    """Of a beginning that ends within a secret nobody sees the beginning of that."""
    shown = Redactor((SHORT,)).beginning("x" * 900 + SHORT[:cut], 2_000, goes_on=True)

    assert shown
    assert {"x"} == set(shown)


@pytest.mark.parametrize("before", [1, 200])
@pytest.mark.parametrize("cut", range(5, len(SHORT), 4))
def test_no_part_of_a_secret_is_quoted_of_an_answer_that_was_cut(cut: int, before: int) -> None:
    """Neither by an error, nor by whoever looks at what was answered."""
    said = f"{'Dump: ' * before}key={SHORT[:cut]}".encode()
    reply, redactor = WireReply(500, {}, said, whole=False), Redactor((SHORT,))
    lines: list[str] = []
    with exchanges_shown(lines.append):
        log_exchange(REQUEST, reply, redactor, confidential=False)
    shown = [decode(reply, redactor).excerpt, *lines]

    assert [] == [each for each in shown if shows(each, SHORT)]
    assert (before > 1) is ("< HTTP 500 Dump: Dump: " in lines[-1])


@pytest.mark.parametrize("length", range(90, 200, 7))
async def test_no_part_of_a_secret_is_in_the_ids_of_a_text(length: int) -> None:
    """An id from a header field may be an address with the key at its end."""
    link = f"https://ugsms.com/v2/sms/{'x' * length}?api_key={SHORT}"
    failed = {"successful_messages": [], "failed_messages": [{"index": 0, "error": "Bad number"}]}
    answer = httpx.Response(
        207, json={"success": False, "data": failed}, headers={"X-Message-Reference": link}
    )
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))
    provider = UgsmsV2Provider(SHORT, key_in="query")
    async with SmsClient(provider, http=http, retry=RetryPolicy.off()) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send("0701234567", "Hi")

    (reference,) = caught.value.references
    assert reference.startswith("x-message-reference: https://ugsms.com/v2/sms/xxx")
    assert not shows(reference, SHORT)
    assert not shows(repr(caught.value), SHORT)
