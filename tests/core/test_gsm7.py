"""Texts that travel in GSM-7 because what kept them from it only looked different."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import ConfigurationError, Gsm7, Gsm7Change, count_segments, to_gsm7
from iprog_async._core.gsm7.look_alikes import STAND_INS, TABLE, LookAlikes
from iprog_async._core.gsm7.replacement import read_setting
from iprog_async._core.segments import GSM7_BASIC, GSM7_EXTENSION, is_gsm7


GSM7 = "".join(sorted(GSM7_BASIC | GSM7_EXTENSION))
FILL = "a" * 100

LOOK_ALIKES = "".join(STAND_INS)
# Letters, joined ones and signs that are none of ours to change.
KEPT = "\u0153\u0111\u0142\u00e7\u02bb\u02bc\u0391\u0430\u20b1`\u2022\U0001f642\u0301\u0303\u2764"

_PIECES = st.one_of(
    st.text(GSM7, max_size=200),
    st.text(LOOK_ALIKES + "ab", max_size=50),
    st.sampled_from(["e\u0301", "n\u0303", "C\u0327", "x\u0302", "\u212b", "\u2126", *KEPT]),
    st.text(max_size=10),
    st.integers(1, 170).map(lambda count: "a" * count),
)
TEXTS = st.lists(_PIECES, max_size=6).map("".join)
ALMOST_GSM7 = st.lists(
    st.sampled_from([*LOOK_ALIKES, "e\u0301", "n\u0303", "ab ", "a" * 50, "\u20ac"]), max_size=20
).map("".join)
ALSO = st.sampled_from([{}, {"\u20b1": "PHP "}, {"\U0001f642": ":)", "\u0111": "d"}])


def _letters(text: str) -> list[str]:
    """Return the letters of a text, whichever way their accents are written."""
    for joined in (joined for row in TABLE if row.kind == "ligatures" for joined in row.stand_ins):
        text = text.replace(joined, STAND_INS[joined])
    composed = unicodedata.normalize("NFC", text)
    return [char for char in composed if unicodedata.category(char)[0] in "LN"]


@given(st.one_of(TEXTS, ALMOST_GSM7), ALSO)
def test_text_that_is_changed_has_fewer_segments_and_is_in_gsm7(
    text: str, also: dict[str, str]
) -> None:
    """It is one or the other: unchanged, or in GSM-7 with fewer segments."""
    found = to_gsm7(text, also=also)

    assert (count_segments(text), count_segments(found.text)) == (found.before, found.after)
    if found.changes:
        assert ("GSM-7", True) == (found.after.encoding, found.saved > 0)
    else:
        assert text == found.text


@given(st.one_of(TEXTS, ALMOST_GSM7), ALSO)
def test_what_was_changed_is_changed_no_further(text: str, also: dict[str, str]) -> None:
    """A text that was written for GSM-7 stays as it is, by whatever setting."""
    once = to_gsm7(text, also=also).text

    assert once == to_gsm7(once, also=also).text


@given(st.text(GSM7))
def test_text_in_gsm7_is_never_changed(text: str) -> None:
    """There is nothing to gain."""
    assert (text, ()) == (to_gsm7(text).text, to_gsm7(text).changes)


@given(st.one_of(TEXTS, ALMOST_GSM7))
def test_letters_and_digits_stay(text: str) -> None:
    """A name is written with the letters that it has, at most without a joint between them."""
    assert _letters(text) == _letters(to_gsm7(text).text)


@given(ALMOST_GSM7)
def test_changes_tell_how_to_get_from_one_text_to_the_other(text: str) -> None:
    """Whoever makes the changes that are told has the text that travels."""
    found = to_gsm7(text)
    # A letter with its accent first: the accent alone is no change.
    by_hand = text
    for change in sorted(found.changes, key=lambda change: -len(change.written)):
        assert change.count == text.count(change.written)
        by_hand = by_hand.replace(change.written, change.replaced_by)

    assert found.text == by_hand


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\u201cIt\u2019s\u201d ", '"It\'s" '),
        ("\u201eJa\u201c \u00abn\u2019on\u00bb \u2039x\u203a ", '"Ja" "n\'on" \'x\' '),
        ("6\u2032 2\u2033, l\u00b4or ", "6' 2\", l'or "),
        ("9\u201312 \u2014 no\u2011one \u22125 ", "9-12 - no-one -5 "),
        ("wait\u2026 \u2025 ", "wait... .. "),
        ("a\u00a0b\u202fc\u3000d\te ", "a b c d e "),
        ("a\u2028b\u2029c ", "a\nb\nc "),
        ("\ufeffa\u200bb\u00adc\u2068d\u2069\u200e ", "abcd "),
        ("\ufb01ne o\ufb03ce \ufb05 ", "fine office st "),
        ("Pen\u0303a, Rene\u0301, u\u0308ber ", "Pe\u00f1a, Ren\u00e9, \u00fcber "),
        ("\u2126 \u212b ", "\u03a9 \u00c5 "),
    ],
)
def test_look_alikes(text: str, expected: str) -> None:
    """Each kind of look-alike becomes what people type."""
    assert expected + FILL == to_gsm7(text + FILL).text


@pytest.mark.parametrize("sign", KEPT)
def test_nothing_that_says_something_is_replaced(sign: str) -> None:
    """A letter, a sign or an emoji stays, and the quotes beside it, which then cost nothing."""
    text = f"\u2019{sign}\u2026{FILL}"

    assert (text, ()) == (to_gsm7(text).text, to_gsm7(text).changes)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("It\u2019s", "one segment is the least"),
        ("\u2026" * 60, "three dots for each are longer than UCS-2"),
        ("\u2019" * 300 + "\U0001f642", "the emoji keeps it in UCS-2"),
        ("\u200b" * 100, "nothing would be left"),
        ("\u200b \u00ad" * 40, "nothing but blanks would be left"),
        ("", "there is nothing"),
    ],
)
def test_text_stays_where_nothing_is_saved(text: str, why: str) -> None:
    """Where no segment is saved, phones show the text as it was written."""
    found = to_gsm7(text)

    assert (text, (), 0) == (found.text, found.changes, found.saved), why


def test_changes_are_told() -> None:
    """Each change is there once, with its kind and how often it was made."""
    expected = (
        Gsm7Change("\u2019", "'", "quotes", 2),
        Gsm7Change("e\u0301", "\u00e9", "equivalents", 1),
        Gsm7Change("\u20b1", "PHP ", "told", 1),
    )

    found = to_gsm7("It\u2019s Rene\u0301\u2019s: \u20b15" + FILL, also={"\u20b1": "PHP "})

    assert expected == found.changes
    assert (2, 1, 1) == (found.before.count, found.after.count, found.saved)


def test_longest_replacement_goes_first() -> None:
    """What is told of a longer sign is not undone by what it begins with."""
    also = {"\u2764": "love", "\u2764\ufe0f": "<3"}

    assert "<3 love" + FILL == to_gsm7("\u2764\ufe0f \u2764" + FILL, also=also).text


def test_what_is_told_goes_before_the_table() -> None:
    """Who wants another dash gets it."""
    assert "a--b" + FILL == to_gsm7("a\u2014b" + FILL, also={"\u2014": "--"}).text


@pytest.mark.parametrize(
    ("also", "words"),
    [
        ({"a": "b"}, "'a' is in GSM-7"),
        ({"": "b"}, "'' is in GSM-7"),
        ({"\u20b1": "\u20ac\u20b1"}, "'\u20b1', is not in GSM-7"),
    ],
)
def test_replacements_that_make_no_sense(also: dict[str, str], words: str) -> None:
    """A replacement is for what is outside of GSM-7, and inside of it."""
    with pytest.raises(ConfigurationError, match=words):
        to_gsm7("x", also=also)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.kind)
def test_table_is_for_what_is_outside_of_gsm7(row: LookAlikes) -> None:
    """Each look-alike is outside of GSM-7 and its stand-in inside, and it is in one row."""
    for written, instead in row.stand_ins.items():
        assert (False, True) == (is_gsm7(written), is_gsm7(instead))
        assert [row] == [one for one in TABLE if written in one.stand_ins]


def test_blanks_are_those_of_unicode() -> None:
    """No blank of Unicode is left out, but the one that shows a line: U+1680."""
    blanks = {char for char in map(chr, range(0x110000)) if unicodedata.category(char) == "Zs"}

    assert blanks - {" ", "\u1680"} <= STAND_INS.keys()


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("auto", None), ("gsm-7", Gsm7()), (Gsm7({"\u20b1": "P"}), Gsm7({"\u20b1": "P"}))],
)
def test_settings(setting: object, expected: Gsm7 | None) -> None:
    """By default nothing is replaced."""
    assert expected == read_setting(setting)


@pytest.mark.parametrize("setting", ["GSM-7", "ucs-2", "", None, 7, True])
def test_no_setting(setting: object) -> None:
    """A word that is misspelt is no setting, instead of one that does nothing."""
    with pytest.raises(ConfigurationError, match="neither"):
        read_setting(setting)
