"""Which texts ask for no more texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iprog_async import ConfigurationError, StopWords
from iprog_async._suppressions.keywords import LANGUAGES, fold


ALL = StopWords.of()
WORDS = [
    (code, word, wish)
    for code, language in LANGUAGES.items()
    for wish, words in (("stop", language.stop), ("start", language.start))
    for word in words
]


@pytest.mark.parametrize(("code", "word", "wish"), WORDS)
def test_word_is_known(code: str, word: str, wish: str) -> None:
    """Each word of each language means what it stands for, alone and among all others."""
    assert [wish] * 2 == [words.meaning(word) for words in (StopWords.of(code), ALL)]


@pytest.mark.parametrize(
    "text",
    ["stop", " STOP\n", "Stop.", "«stop!»", "\uff33\uff34\uff2f\uff30", "stop 🛑", "s\u0301top"],
)
def test_spelling_makes_no_difference(text: str) -> None:
    """Case, blanks, signs, accents and full-width letters are no part of a word."""
    assert "stop" == ALL.meaning(text)


@pytest.mark.parametrize(
    "text",
    ["", "🛑", "please stop", "stop it", "don't stop", "stopp", "yes", "unstoppable", "s t o p"],
)
def test_other_texts_ask_for_nothing(text: str) -> None:
    """A text that has more in it than the word, or another word, asks for nothing."""
    assert ALL.meaning(text) is None


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    """What was folded stays as it is, so that words and texts are compared alike."""
    assert fold(text) == fold(fold(text))


@given(st.sampled_from(WORDS), st.text(alphabet=" .!?-\n\t*\"'"))
def test_signs_around_a_word_do_not_matter(word: tuple[str, str, str], signs: str) -> None:
    """A word between any signs is the word."""
    assert word[2] == ALL.meaning(f"{signs}{word[1].title()}{signs}")


def test_languages_are_chosen() -> None:
    """Only the words of the chosen languages count, and one's own besides."""
    words = StopWords.of("en").adding(stop=["Wag na"], start="balik")
    assert ["stop", "stop", "start", None] == [
        words.meaning(text) for text in ("STOP", "wag na!", "Balik", "acha")
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: StopWords.of("xx"), "no stop words for 'xx'"),
        (lambda: StopWords(stop=["..."]), "a letter or a digit"),
        (lambda: StopWords(stop=["yes"], start=["YES!"]), "yes: a word can't ask both"),
        (lambda: StopWords.of("en").adding(start=["stop"]), "can't ask both"),
    ],
)
def test_words_that_make_no_sense(make: object, words: str) -> None:
    """A word for both, without letters, or of a language that is not known is an error."""
    assert callable(make)
    with pytest.raises(ConfigurationError, match=words):
        make()
