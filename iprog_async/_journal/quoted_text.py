"""Keeping a text out of what is on record about it, however a gateway repeats it in an error."""

from __future__ import annotations

import re
from bisect import bisect_left


MARK = "…"
"""Stands for what was left out, and for what was cut off."""

# Fewer letters and digits than that may be a part of other words.
_FEWEST = 8
# Of any script; and of ASCII, for what is escaped beyond it.
_LETTERS = (re.compile(r"[^\W_]"), re.compile(r"[A-Za-z0-9]"))
# As Python, JSON and pages write characters, whose names are no letters of the text.
_ESCAPE = re.compile(
    r"\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)|&#?\w{1,31};", re.ASCII | re.DOTALL
)


def without_text(words: str, text: str) -> str:
    """Return an error's words with "…" for a text, if they repeat it.

    White space and marks may be written in another way than in the text. It may also be cut, of
    which a "…" tells: then its beginning is left out.

    Args:
        words: What is said of the text.
        text: The text.
    """
    words = words.replace(text, MARK) if text else words
    for letter in _LETTERS:
        wanted = "".join(letter.findall(text))
        # Mostly nothing of it is there, and that is seen at once.
        if len(wanted) >= _FEWEST and _first_of(text, letter) in words:
            words = _without(words, words, wanted, letter)
            words = _without(words, _ESCAPE.sub(_blanks, words), wanted, letter)
    return words


def _first_of(text: str, letter: re.Pattern[str]) -> str:
    found = re.search(f"(?:{letter.pattern})+", text)
    return "" if found is None else found[0][:_FEWEST]


def _blanks(escape: re.Match[str]) -> str:
    """Return as many blanks: every letter stays at its place."""
    return " " * len(escape[0])


def _without(words: str, read: str, wanted: str, letter: re.Pattern[str]) -> str:
    """Leave out where these letters stand in this order, whatever is between them.

    Args:
        words: What is said.
        read: The same as it is searched, as long.
        wanted: The letters.
        letter: What one is.
    """
    places = [found.start() for found in letter.finditer(read)]
    said = "".join(read[place] for place in places)
    spans: list[tuple[int, int]] = []
    for found in re.finditer(re.escape(wanted), said):
        spans.append((places[found.start()], places[found.end() - 1] + 1))
    for cut in re.finditer(MARK, words):
        end = bisect_left(places, cut.start())
        size = _overlap(said[:end], wanted)
        if size >= _FEWEST:
            spans.append((places[end - size], cut.start()))
    for start, end in sorted(spans, reverse=True):
        words = f"{words[:start]}{MARK}{words[end:].removeprefix(MARK)}"
    return words


def _overlap(said: str, wanted: str) -> int:
    """Return how long a beginning of what is wanted is the end of what is said."""
    sizes = range(min(len(said), len(wanted)), 0, -1)
    return next((size for size in sizes if said.endswith(wanted[:size])), 0)
