"""Characters that look like characters of GSM-7, by kind, and why each kind may be replaced.

The lists of the large gateways (Twilio's and Sinch's "smart encoding") were read for it; they also
take letters, such as the okina of Hawaiian names, and signs that say something else, such as
arrows. What is here says the same to whoever reads it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal, TypeAlias

from attrs import frozen


ChangeKind: TypeAlias = Literal[
    "quotes", "dashes", "ellipsis", "blanks", "invisible", "ligatures", "equivalents", "told"
]
"""What kind of change it is: which look-alikes, or `"equivalents"`, which Unicode says are the same
(an accent behind its letter), or `"told"`, one that the caller named."""


@frozen
class LookAlikes:
    """Characters of one kind, with what stands for them.

    Args:
        kind: What they are.
        why: Why nobody misses them.
        stand_ins: What stands for each.
    """

    kind: ChangeKind
    why: str
    stand_ins: Mapping[str, str]


def _all(characters: str, stand_in: str) -> dict[str, str]:
    return dict.fromkeys(characters, stand_in)


def _decomposed(characters: str) -> dict[str, str]:
    return {char: unicodedata.normalize("NFKC", char) for char in characters}


TABLE = (
    LookAlikes(
        "quotes",
        "Keyboards and word processors put them in place of the quotes that people type. Letters "
        "that look like them (U+02BB, U+02BC) stay, and so does the backtick: people do type it.",
        _all("\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u00b4", "'")
        | _all("\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb", '"'),
    ),
    LookAlikes(
        "dashes",
        "Hyphens, dashes and the minus differ in length alone.",
        _all("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    ),
    LookAlikes(
        "ellipsis",
        "It is made of dots; Unicode decomposes it into them.",
        _decomposed("\u2025\u2026"),
    ),
    LookAlikes(
        "blanks",
        "They differ from a blank in their width, or in whether a line may break there.",
        _all(
            "\t\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
            "\u202f\u205f\u3000",
            " ",
        )
        | _all("\u2028\u2029", "\n"),
    ),
    LookAlikes(
        "invisible",
        "They come along when a text or a number is copied, and show nothing: marks of a place to "
        "break a word, of a file's encoding, or of the direction that GSM-7 has anyway.",
        _all("\u00ad\u200b\u2060\ufeff\u200e\u202a\u202c\u2066\u2068\u2069", ""),
    ),
    LookAlikes(
        "ligatures",
        "Letters in one piece, as typesetters join them; Unicode decomposes them. A letter of its "
        "own, such as \u0153, is none.",
        {
            joined: unicodedata.normalize("NFKC", joined)
            for joined in map(chr, range(0xFB00, 0xFB07))
        },
    ),
)

STAND_INS: Mapping[str, str] = {
    written: instead for row in TABLE for written, instead in row.stand_ins.items()
}
"""What stands for each look-alike; accents behind their letter are composed by `unicodedata`."""

KIND_OF: Mapping[str, ChangeKind] = {
    written: row.kind for row in TABLE for written in row.stand_ins
}
