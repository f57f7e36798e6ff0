"""Which texts a refusal's pattern explains: its own words, and wildcards that match no news."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async_providers.toml._patterns import check_pattern, is_explained


ANYTHING = r"Error: .{1,40}"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (ANYTHING, "Error: SMSC timed out, message was sent"),
        (ANYTHING, "Error: DLR off; message_id: 8812"),
        (ANYTHING, "Error: DLR off. Message QUEUED"),
        (ANYTHING, "Error: DLR off (status ok)"),
        (ANYTHING, "Error: sm0123"),
        (ANYTHING, "Error: 550e8400-e29b-41d4-a716-446655440000"),
        (r"Invalid.{0,40}", "Invalid DLR URL, message queued"),
        (r"Failed \S{1,20} .{0,20}", "Failed DLR: text delivered"),
        (r"Failed (\w{1,9} ){1,3}", "Failed text was sent "),
        (r"Failed [a-z]{1,6}[a-z]{1,6}", "Failed delivered"),
        (r"Failed, was sen\w{1,2}", "Failed, was sent"),
        (r"Session timed \w{1,3}", "Session timed out"),
        (r"Unknown key: timed .{1,9}", "Unknown key: timed out"),
        (r"Invalid( or .{1,9})?", "Invalid or sent"),
        (r"Invalid(?: or .{1,9}|, .{1,9}){0,1}?", "Invalid, sent"),
        (r"Not sent: .{1,20}", "Not sent: first part sent"),
    ],
)
def test_a_wildcard_that_matches_news_explains_nothing(pattern: str, text: str) -> None:
    """What the gateway says beside the file's words may be that the text went out."""
    check_pattern(pattern)

    assert re.fullmatch(pattern, text, re.IGNORECASE)
    assert not is_explained(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (ANYTHING, "Error: 639171234567 is no mobile number"),
        (r"Invalid number \d{1,15}\.?", "invalid number 639171234567"),
        (r"Unknown sender '.{1,11}'", "Unknown sender 'ACME'"),
        (r"Session timed out for \d{1,9}", "Session timed out for 17"),
        (r"Message not sent: (credit|limit) \d{1,9}", "Message not sent: credit 0"),
        (r"(Unknown|Wrong) (key|token)", "Unknown token"),
        (r"Route (a|b|c) closed( for \d{1,3})?", "Route b closed"),
    ],
)
def test_the_words_of_a_pattern_may_be_any(pattern: str, text: str) -> None:
    """Whoever wrote the file knows them, with a number or a name that varies."""
    check_pattern(pattern)

    assert is_explained(pattern, text)


_PARTS = st.sampled_from(
    ["No ", "route", r"\d{1,3}", ".{0,4}", "(a|b)", "(key|to.{0,2})?", "(?:x{2}|y)", "[^ ]", "o?"]
)
_PIECES = st.sampled_from(["No ", "route", "17", "a", "b", "key", "to", "xx", "y", "o", " "])


@given(st.lists(_PARTS, max_size=6).map("".join), st.lists(_PIECES, max_size=6).map("".join))
def test_what_a_pattern_explains_is_what_it_matches(pattern: str, text: str) -> None:
    """Looking at the wildcards makes a pattern match nothing more, and nothing less."""
    matched = re.fullmatch(pattern, text, re.IGNORECASE) is not None

    assert matched == is_explained(pattern, text)
