"""Texts that are made of whole phrases.

Word by word nothing can be believed: "only", "requests", "allowed" and "2" are each harmless, and
"Only 2 requests were allowed" tells that two texts went out. So what may be said is listed in
phrases, each of which says no more than that nothing was done, whatever stands beside it; a word or
a number that belongs to none of them leaves a text open.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache


Phrases = tuple[str, ...]
"""Regular expressions of whole phrases, in lower case and with single blanks.

Of two that begin alike the longer one comes first, and every repeat has a bound.
"""

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


@cache
def _pattern(phrases: Phrases) -> re.Pattern[str]:
    # Large, and most processes never need it: not at import.
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(phrases)})(?![^\W_])")


def words_beside(phrases: Phrases, text: str) -> list[str]:
    """Return the words and numbers of a text that belong to no phrase, in lower case."""
    plain = " ".join(text.replace("\u2019", "'").lower().split())
    return _WORD.findall(_pattern(phrases).sub(" ", plain))


# Of private use, as in fonts of icons, and whatever nobody knows.
_UNKNOWN = ("Cn", "Co", "Cs")


def has_symbol(text: str) -> bool:
    """Return whether there is a sign such as a tick in a text, or a character that was lost."""
    return any(
        (kind := unicodedata.category(char)).startswith("S") or kind in _UNKNOWN
        for char in text
        if char > "~"
    )
