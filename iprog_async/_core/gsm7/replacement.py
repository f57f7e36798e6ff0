"""Texts written with the characters of GSM-7, where look-alikes are all that keeps them from it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal, TypeAlias

from attrs import field, frozen

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.gsm7.look_alikes import KIND_OF, STAND_INS, ChangeKind
from iprog_async._core.redaction import shown
from iprog_async._core.segments import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    Segments,
    count_segments,
    is_gsm7,
)


_MARKS = "\u0300-\u036f"
# What has to be written otherwise: a character with marks behind it, or one outside of GSM-7.
# All marks that make a letter of GSM-7 are in this block.
_PIECE = f"(?s:.)[{_MARKS}]+|[^{re.escape(''.join(GSM7_BASIC | GSM7_EXTENSION))}]"

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@frozen
class Gsm7Change:
    """Characters of a text that were written otherwise.

    Args:
        written: What the text had: a character, or a letter and the marks behind it.
        replaced_by: What stands there now; empty if it showed nothing.
        kind: What kind of look-alike it is; `"told"` if the caller named it.
        count: How many times.
    """

    written: str
    replaced_by: str
    kind: ChangeKind
    count: int = 1


@frozen
class Gsm7Text:
    """A text as it travels, and what was changed for that.

    Args:
        text: The text: in GSM-7, if anything was changed, else as it was given.
        before: Segments of the text as it was given.
        after: Segments of the text as it travels.
        changes: What was changed, each once, in order of appearance.
    """

    text: str
    before: Segments
    after: Segments
    changes: tuple[Gsm7Change, ...] = ()

    @property
    def saved(self) -> int:
        """Segments that the changes save."""
        return self.before.count - self.after.count


def _to_pairs(also: Mapping[str, str] | Iterable[tuple[str, str]]) -> Pairs:
    return tuple(dict(also).items())


@frozen
class Gsm7:
    """The setting `encoding="gsm-7"`, with replacements of your own.

    Args:
        also: What else may be written otherwise, by your choice: characters outside of GSM-7 (a
            sign, a letter, an emoji) and what is to stand for them, such as `{"₱": "PHP "}`.

    Raises:
        ConfigurationError: A replacement is not in GSM-7, or what it is for is.
    """

    also: Pairs = field(default=(), converter=_to_pairs)

    def __attrs_post_init__(self) -> None:
        for written, instead in self.also:
            if is_gsm7(written):
                raise ConfigurationError(f"{written!r} is in GSM-7, and is never replaced")
            if not is_gsm7(instead):
                raise ConfigurationError(f"{instead!r}, for {written!r}, is not in GSM-7")


EncodingSetting: TypeAlias = Literal["auto", "gsm-7"] | Gsm7
"""How texts are written: `"auto"`, as they are given; `"gsm-7"`, or a `Gsm7` with more of it,
with the characters of GSM-7 in place of those that only look like them, where that saves a
segment."""

_PLAIN = Gsm7()


def read_setting(setting: object) -> Gsm7 | None:
    """Return what a setting lets be replaced; `None` if texts go out as they are given.

    Raises:
        ConfigurationError: It is no setting.
    """
    if setting == "auto":
        return None
    if setting == "gsm-7":
        return _PLAIN
    if isinstance(setting, Gsm7):
        return setting
    raise ConfigurationError(f'encoding {shown(setting)} is neither "auto" nor "gsm-7" nor a Gsm7')


def to_gsm7(text: str, *, also: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> Gsm7Text:
    """Return a text as `encoding="gsm-7"` sends it, and what is changed for that.

    It is changed only if the whole text then is in GSM-7 and has fewer segments. Look-alikes
    alone are replaced (typographic quotes, dashes, the ellipsis, blanks, ligatures, accents that
    stand behind their letter); a letter, a sign or an emoji only if `also` names it.

    Args:
        text: What the phone is to show.
        also: As for `Gsm7`.

    Raises:
        ConfigurationError: A replacement is not in GSM-7, or what it is for is.
    """
    found = rewrite(text, Gsm7(also))
    if found is None:
        segments = count_segments(text)
        return Gsm7Text(text, segments, segments)
    return found


def rewrite(text: str, setting: Gsm7) -> Gsm7Text | None:
    """Return a text as a setting has it sent; `None` if it goes out as it is given."""
    before = count_segments(text)
    # Most texts are in GSM-7, and nothing more is done for them.
    return _rewritten(text, setting) if before.forced_by and before.count > 1 else None


@lru_cache(maxsize=512)
def _rewritten(text: str, setting: Gsm7) -> Gsm7Text | None:
    found = _replaced(text, setting.also)
    if found is None:
        return None
    written, changes = found
    before, after = count_segments(text), count_segments(written)
    # Signs that show nothing may have been all there was.
    if after.count < before.count and written.strip():
        return Gsm7Text(written, before, after, changes)
    return None


def _replaced(text: str, also: Pairs) -> tuple[str, tuple[Gsm7Change, ...]] | None:
    """Return a text in GSM-7 with what was changed, or `None` if something has no stand-in."""
    told = dict(also)
    counts: Counter[Gsm7Change] = Counter()
    parts: list[str] = []
    end = 0
    for match in _pattern(tuple(sorted(told, key=len, reverse=True))).finditer(text):
        change = _change(match[0], told)
        if change is None:
            return None
        counts[change] += 1
        parts += text[end : match.start()], change.replaced_by
        end = match.end()
    changes = (
        Gsm7Change(each.written, each.replaced_by, each.kind, count)
        for each, count in counts.items()
    )
    return "".join(parts) + text[end:], tuple(changes)


@lru_cache(maxsize=64)
def _pattern(told: tuple[str, ...]) -> re.Pattern[str]:
    # What was told goes first, the longest before what it begins with.
    return re.compile("|".join([*map(re.escape, told), _PIECE]))


def _change(piece: str, told: Mapping[str, str]) -> Gsm7Change | None:
    if piece in told:
        return Gsm7Change(piece, told[piece], "told")
    if piece in STAND_INS:
        return Gsm7Change(piece, STAND_INS[piece], KIND_OF[piece])
    # The same characters for Unicode: a letter with its accent, whichever way it is written.
    composed = unicodedata.normalize("NFC", piece)
    return Gsm7Change(piece, composed, "equivalents") if is_gsm7(composed) else None
