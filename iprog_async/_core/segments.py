"""How a text splits into SMS segments (3GPP TS 23.038 and 23.040)."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from attrs import frozen


Encoding = Literal["GSM-7", "UCS-2"]

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
_GSM7 = GSM7_BASIC | GSM7_EXTENSION
# One septet for each character, and nothing that can't be split: so are most texts. As bytes they
# are looked through in a fifth of the time that a pattern takes.
_PLAIN = "".join(filter(str.isascii, GSM7_BASIC)).encode()

# Units in a text that fits one segment, and in each segment of a longer one.
LIMITS: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@frozen
class Segments:
    """How a text travels.

    Args:
        encoding: `"GSM-7"`, or `"UCS-2"` as soon as one character is outside GSM-7.
        count: Number of segments, each of which is billed.
        units: Length in the encoding's units: septets, or UTF-16 code units.
        left: Units that still fit without a further segment.
        forced_by: The characters that forced UCS-2, each once, in order of appearance.
    """

    encoding: Encoding
    count: int
    units: int
    left: int
    forced_by: tuple[str, ...] = ()


def is_gsm7(text: str) -> bool:
    """Return whether each character of a text is in GSM-7."""
    return _GSM7.issuperset(text)


@lru_cache(maxsize=512)
def count_segments(text: str) -> Segments:
    """Count the segments of a text, without splitting an escape or a surrogate pair.

    Args:
        text: What the phone shows; an empty text has no segment.

    Returns:
        Encoding, segments, units, what is left, and the characters that forced UCS-2.
    """
    if text.isascii() and not text.encode().translate(None, _PLAIN):
        return _plain(len(text))
    outside = set(text) - _GSM7
    if not outside:
        return _count(text, "GSM-7", GSM7_EXTENSION)
    forced_by = tuple(dict.fromkeys(char for char in text if char in outside))
    return _count(text, "UCS-2", {char for char in outside if char > "\uffff"}, forced_by)


@lru_cache(maxsize=512)
def _plain(length: int) -> Segments:
    return _in_units("GSM-7", length)


def _in_units(encoding: Encoding, units: int, forced_by: tuple[str, ...] = ()) -> Segments:
    """Return the segments of a text that may be split anywhere."""
    single, multi = LIMITS[encoding]
    if units <= single:
        return Segments(encoding, min(units, 1), units, single - units, forced_by)
    count = -(-units // multi)
    return Segments(encoding, count, units, count * multi - units, forced_by)


def _count(
    text: str,
    encoding: Encoding,
    wide: set[str] | frozenset[str],
    forced_by: tuple[str, ...] = (),
) -> Segments:
    if wide.isdisjoint(text):
        return _in_units(encoding, len(text), forced_by)
    single, multi = LIMITS[encoding]
    units = len(text) + sum(char in wide for char in text)
    if units <= single:
        return Segments(encoding, 1, units, single - units, forced_by)
    count, used = 1, 0
    for char in text:
        width = 2 if char in wide else 1
        if used + width > multi:
            count, used = count + 1, 0
        used += width
    return Segments(encoding, count, units, multi - used, forced_by)
