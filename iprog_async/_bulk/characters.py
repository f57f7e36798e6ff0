"""The characters that make a text travel as UCS-2, and what they cost; pure decisions."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Any

from attrs import define, field, frozen

from iprog_async._core.segments import Segments, count_segments


_MOST_KEPT = 200
# What people write for it in GSM-7 is longer; all others have a stand-in of one character.
_LONGER = {"\u2026": "...", "\u2122": "(TM)", "\u20b1": "PHP"}
# Marks and joiners that belong to the character before them.
_PART_OF_ANOTHER = ("Mn", "Me", "Cf")


@frozen
class CostlyCharacter:
    """A character that made texts travel as UCS-2.

    Args:
        character: The character.
        texts: How many texts have it.
        segments: Segments of these texts.
        segments_without: What they would have in GSM-7. A text with several such characters
            counts for each, and has fewer segments only without all of them.
    """

    character: str
    texts: int
    segments: int
    segments_without: int

    @property
    def code_point(self) -> str:
        """Its code point, such as `U+2019`."""
        return code_point(self.character)

    @property
    def name(self) -> str:
        """Its name in Unicode."""
        return name_of(self.character)

    @property
    def extra(self) -> int:
        """Credits that its texts cost more."""
        return self.segments - self.segments_without

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "character": self.character,
            "code_point": self.code_point,
            "name": self.name,
            "texts": self.texts,
            "segments": self.segments,
            "segments_without": self.segments_without,
            "extra": self.extra,
        }

    def __str__(self) -> str:
        texts = f"{self.texts} text{'' if self.texts == 1 else 's'}"
        each, rest = divmod(self.segments, self.texts)
        each_without, rest_without = divmod(self.segments_without, self.texts)
        if rest or rest_without:
            each, each_without = self.segments, self.segments_without
        words = f"{each} segment{'' if each == 1 else 's'} instead of {each_without}"
        cost = f"{words}, +{self.extra} credit{'' if self.extra == 1 else 's'}"
        return f"{shown(self.character)} in {texts}: {cost if self.extra else 'no credit more'}"


def name_of(character: str) -> str:
    """Return the name of a character in Unicode."""
    return unicodedata.name(character, "no name")


def code_point(character: str) -> str:
    """Return the code point of a character, such as `U+2019`."""
    return f"U+{ord(character):04X}"


def glyph(character: str) -> str:
    """Return what there is to see of a character, which may be nothing."""
    if not character.isprintable() or character.isspace():
        return ""
    # A mark needs something to stand on.
    return f"\u25cc{character}" if unicodedata.combining(character) else character


def shown(character: str) -> str:
    """Return a character for people: with its name, which is all there is to see of some."""
    if len(character) != 1:
        # Several code points, such as a letter and its accent, have no name of their own.
        return f"{character} ({' '.join(map(code_point, character))})"
    label = f"{code_point(character)} {name_of(character)}"
    seen = glyph(character)
    return f"{seen} ({label})" if seen else label


@lru_cache(maxsize=512)
def segments_without(text: str) -> int:
    """Return how many segments a text has with GSM-7 characters in place of what forces UCS-2.

    What one letter and a mark behind it make is composed to one, where there is such a one.
    """
    segments = count_segments(text)
    if not segments.forced_by:
        return segments.count
    composed = unicodedata.normalize("NFC", text)
    table = {ord(char): _in_gsm7(char) for char in count_segments(composed).forced_by}
    return count_segments(composed.translate(table)).count or 1


def _in_gsm7(char: str) -> str:
    if unicodedata.category(char) in _PART_OF_ANOTHER:
        return ""
    return _LONGER.get(char, "?")


@define
class CharacterTally:
    """Counts the texts of each character that forces UCS-2, in memory that has a bound."""

    texts: int = 0
    """Texts that travel as UCS-2."""
    extra: int = 0
    """Credits that they cost more than in GSM-7."""
    _counts: dict[str, list[int]] = field(factory=dict[str, list[int]])

    def add(self, text: str, segments: Segments) -> None:
        """Count a text."""
        if not segments.forced_by:
            return
        without = segments_without(text)
        self.texts += 1
        self.extra += segments.count - without
        for char in segments.forced_by:
            count = self._counts.get(char)
            if count is None:
                if len(self._counts) >= _MOST_KEPT:
                    continue
                count = self._counts[char] = [0, 0, 0]
            count[0] += 1
            count[1] += segments.count
            count[2] += without

    def result(self) -> tuple[CostlyCharacter, ...]:
        """Return the characters, the costliest first."""
        found = [CostlyCharacter(char, *count) for char, count in self._counts.items()]
        return tuple(sorted(found, key=lambda one: (-one.extra, -one.texts)))
