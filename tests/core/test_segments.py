from __future__ import annotations

from typing import Any

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import Segments, count_segments


# It ships no types.
smsutil_split: Any = getattr(smsutil, "split")  # noqa: B009 - else its missing types spread

GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
EMOJI = "😀👍🏽🇵🇭"
OTHERS = "çÁâêñ“”…я漢"


def _around(head: str, body: str, count: int, tail: str) -> str:
    return head + body * count + tail


KINDS: list[st.SearchStrategy[str]] = [
    st.text(GSM7),
    st.text(EXTENSION),
    st.text(GSM7 + EXTENSION),
    st.text(OTHERS),
    st.text(EMOJI),
    st.text(GSM7 + EXTENSION + OTHERS + EMOJI),
    # The boundaries are at hundreds of units, where text() seldom gets by itself.
    st.builds(_around, st.just(""), st.sampled_from("a€éя😀"), st.integers(1, 700), st.just("")),
    st.builds(
        _around,
        st.sampled_from(["", "a", "€", "😀"]),
        st.sampled_from(["a", "a€", "я", "я😀", "€"]),
        st.integers(1, 320),
        st.sampled_from(["", "a", "€", "я", "😀"]),
    ),
]


@given(st.one_of(KINDS).filter(bool))
def test_counts_agree_with_smsutil(text: str) -> None:
    """Encoding, segments and units are those of another implementation of the standard."""
    split = smsutil_split(text)
    gsm7 = split.encoding == "gsm0338"
    units = split.total_bytes if gsm7 else split.total_bytes // 2

    counted = count_segments(text)

    expected = ("GSM-7" if gsm7 else "UCS-2", len(split.parts), units)
    assert expected == (counted.encoding, counted.count, counted.units)


@given(st.one_of(KINDS))
def test_what_is_left_fits_and_one_more_does_not(text: str) -> None:
    """As many units as `left` says can be appended without a further segment, and no more."""
    counted = count_segments(text)
    unit = "a" if counted.encoding == "GSM-7" else "я"

    full = count_segments(text + unit * counted.left)
    over = count_segments(text + unit * (counted.left + 1))

    assert (max(counted.count, 1), 0) == (full.count, full.left)
    assert full.count < over.count


@pytest.mark.parametrize(
    ("text", "encoding", "count", "units", "left"),
    [
        ("", "GSM-7", 0, 0, 160),
        ("a" * 160, "GSM-7", 1, 160, 0),
        ("a" * 161, "GSM-7", 2, 161, 145),
        ("a" * 306, "GSM-7", 2, 306, 0),
        ("a" * 307, "GSM-7", 3, 307, 152),
        ("a" * 313, "GSM-7", 3, 313, 146),
        ("€" * 80, "GSM-7", 1, 160, 0),
        ("я" * 70, "UCS-2", 1, 70, 0),
        ("я" * 71, "UCS-2", 2, 71, 63),
        ("я" * 134, "UCS-2", 2, 134, 0),
        ("я" * 135, "UCS-2", 3, 135, 66),
        ("😀" * 35, "UCS-2", 1, 70, 0),
        # An escape would straddle unit 153: the segment keeps 152, the pair moves on.
        ("a" * 152 + "€" + "a" * 7, "GSM-7", 2, 161, 144),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306, 152),
        # A surrogate pair would straddle unit 67.
        ("я" * 66 + "😀" + "я" * 3, "UCS-2", 2, 71, 62),
        ("я" * 66 + "😀" + "я" * 66, "UCS-2", 3, 134, 66),
    ],
)
def test_boundaries(text: str, encoding: str, count: int, units: int, left: int) -> None:
    """Segments end at exactly 160 and 153, or 70 and 67 units, and split no character."""
    counted = count_segments(text)

    assert (encoding, count, units, left) == (
        counted.encoding,
        counted.count,
        counted.units,
        counted.left,
    )


def test_characters_that_forced_ucs2_are_named_once_in_order() -> None:
    """Every character outside GSM-7 is named, where it first appears."""
    assert ("“", "ç", "”", "😀") == count_segments("“ça” 😀 ç ”").forced_by


def test_gsm7_forces_nothing() -> None:
    """A text of the two GSM-7 tables is not forced into anything."""
    assert () == count_segments(GSM7 + EXTENSION).forced_by


def test_escape_character_is_no_character_of_gsm7() -> None:
    """ESC only leads to the extension table (3GPP TS 23.038, 6.2.1.1); smsutil counts it as one."""
    expected = Segments("UCS-2", 1, 2, 68, ("\x1b",))

    assert "gsm0338" == smsutil_split("a\x1b").encoding
    assert expected == count_segments("a\x1b")


def test_empty_text_has_no_segment() -> None:
    """There is nothing to send in an empty text; smsutil says one part, of UTF-16."""
    assert 1 == len(smsutil_split("").parts)
    assert 0 == count_segments("").count
