"""Keeping a text out of what is on record about it, however a gateway repeats it in an error."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable


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
    cuts = [cut.start() for cut in re.finditer(MARK, words)]
    begun = beginnings(said, wanted) if cuts else ()
    for cut in cuts:
        end = bisect_left(places, cut)
        size = begun[end - 1] if end else 0
        if size >= _FEWEST:
            spans.append((places[end - size], cut))
    return _marked(words, spans)


def _marked(words: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return words with one mark for each place that is left out, and what it touches of others."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(spans):
        if start > done or not parts:
            parts += (words[done:start], MARK)
        done = max(done, end)
        done += words.startswith(MARK, done)
    return "".join([*parts, words[done:]])


def beginnings(said: str, wanted: str) -> list[int]:
    """Return, for each letter, the longest beginning of what is wanted that ends with it.

    In one pass, as Knuth, Morris and Pratt search: a gateway may write "…" a thousand times.
    """
    back = [0]
    for letter in wanted[1:]:
        back.append(longer(wanted, back, back[-1], letter))
    sizes: list[int] = []
    size = 0
    for letter in said:
        size = longer(wanted, back, size, letter)
        sizes.append(size)
    return sizes


def longer(wanted: str, back: list[int], size: int, letter: str) -> int:
    """Return how long a beginning is with one letter more, or the longest that it ends with.

    Args:
        wanted: What it is a beginning of.
        back: For each beginning, the longest shorter one that it ends with.
        size: How long it was.
        letter: What follows.
    """
    while size and (size == len(wanted) or wanted[size] != letter):
        size = back[size - 1]
    return size + 1 if wanted[size] == letter else 0
