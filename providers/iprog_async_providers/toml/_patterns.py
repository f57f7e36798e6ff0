"""Which regular expressions may prove a refusal: mostly fixed words, and little that varies.

What matches any sentence also matches one that says the opposite. So a pattern is read here, by
the few parts that it may have, and everything else is refused: an unknown part proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from attrs import evolve, frozen

from iprog_async.adapter import doubts


FEWEST_FIXED = 3
"""Letters and digits that have to be in whatever a pattern matches."""
MOST_LOOSE = 40
"""Characters that its wildcards may match, all together."""

_TOKEN = re.compile(
    r"(?P<repeat>[*+?]|\{\d*(?:,\d*)?\})"
    r"|(?P<open>\((?:\?:)?)(?!\?)"
    r"|(?P<close>\))"
    r"|(?P<choice>\|)"
    r"|(?P<edge>[\^$])"
    r"|(?P<any>\.|\\[dDsSwW]|\[\^?\]?(?:\\.|[^\]\\])*\])"
    r"|(?P<literal>\\[^A-Za-z0-9]|[^\\\[\]{}()*+?|^$.])",
    re.DOTALL | re.ASCII,
)
_COUNTS = re.compile(r"\{(?:(\d+)|\d*,(\d+))\}", re.ASCII)


def check_pattern(pattern: str) -> None:
    """Raise `ValueError` if a pattern is none that can prove a refusal."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as exc:
        raise ValueError(f"pattern is no regular expression: {exc}") from None
    found = _choice(_tokens(pattern))
    if found.fixed < FEWEST_FIXED:
        raise ValueError(
            f"pattern has fewer than {FEWEST_FIXED} letters or digits that are always there, so "
            "it may match anything; give words, or a pattern: a status alone proves no refusal"
        )
    if found.loose > MOST_LOOSE:
        raise ValueError(
            f"pattern has wildcards for more than {MOST_LOOSE} characters, which may match a "
            "sentence that says the opposite"
        )


def is_explained(pattern: str, text: str) -> bool:
    """Return whether a text is a pattern's own words, and its wildcards match nothing that tells.

    A wildcard may stand for a number or a name. What it matches that speaks of a text as sent, or
    of what may come after that, is said by the gateway and not by the file.
    """
    found = _with_groups(pattern).fullmatch(text)
    if found is None:
        return False
    loose = [span for span in found.regs[1:] if span[0] < span[1]]
    return not any(
        start < last and first < end for start, end in doubts(text) for first, last in loose
    )


def words_of(pattern: str) -> list[str]:
    """Return a pattern's own words, apart where it has a choice, with gaps for wildcards."""
    words = [""]
    for token in _tokens(pattern):
        if token.kind in ("open", "close", "choice", "repeat"):
            words.append("")
        else:
            words[-1] += token.text.removeprefix("\\") if token.kind == "literal" else " "
    return words


@lru_cache(maxsize=256)
def _with_groups(pattern: str) -> re.Pattern[str]:
    """Return what matches the same, with a group around each part that may be anything."""
    return re.compile(_choice(_tokens(pattern)).grouped, re.IGNORECASE)


@frozen
class _Part:
    """What a part of a pattern matches, in characters.

    Args:
        fixed: Letters and digits of its own in the least that it matches.
        loose: The most that may be anything.
        longest: The most in all.
        plain: The part, as it is written, without groups that are numbered.
        grouped: The same, with a numbered group around whatever may be anything.
    """

    fixed: int = 0
    loose: int = 0
    longest: int = 0
    plain: str = ""
    grouped: str = ""


@frozen
class _Token:
    kind: str
    text: str


def _tokens(pattern: str) -> Iterator[_Token]:
    place = 0
    while place < len(pattern):
        found = _TOKEN.match(pattern, place)
        if found is None or found.lastgroup is None:
            raise ValueError(
                "pattern may have words, ., \\d, \\w, \\s, [...], (a|b), ? and {1,20}, and nothing "
                "else: no flags, look-arounds or back-references"
            )
        yield _Token(found.lastgroup, found[0])
        place = found.end()


def _choice(tokens: Iterator[_Token]) -> _Part:
    """Read alternatives up to the end of their group."""
    branches, parts = list[_Part](), list[_Part]()
    for token in tokens:
        if token.kind == "close":
            break
        if token.kind == "choice":
            branches.append(_sequence(parts))
            parts = []
        elif token.kind == "repeat":
            parts.append(_repeated(parts.pop(), token.text))
        elif token.kind == "open":
            inner = _choice(tokens)
            plain, grouped = f"(?:{inner.plain})", f"(?:{inner.grouped})"
            parts.append(evolve(inner, plain=plain, grouped=grouped))
        else:
            parts.append(_single(token))
    branches.append(_sequence(parts))
    plain = "|".join(each.plain for each in branches)
    if len(branches) > 1 and all(branch.longest <= 1 for branch in branches):
        # (a|b|c) is another way to write [abc].
        return _Part(0, 1, 1, plain, f"({plain})")
    return _Part(
        min(each.fixed for each in branches),
        max(each.loose for each in branches),
        max(each.longest for each in branches),
        plain,
        "|".join(each.grouped for each in branches),
    )


def _single(token: _Token) -> _Part:
    if token.kind == "edge":
        return _Part(0, 0, 0, token.text, token.text)
    if token.kind == "any":
        return _Part(0, 1, 1, token.text, f"({token.text})")
    return _Part(int(token.text.isalnum()), 0, 1, token.text, token.text)


def _sequence(parts: Sequence[_Part]) -> _Part:
    return _Part(
        sum(each.fixed for each in parts),
        sum(each.loose for each in parts),
        sum(each.longest for each in parts),
        "".join(each.plain for each in parts),
        "".join(each.grouped for each in parts),
    )


def _repeated(part: _Part, count: str) -> _Part:
    loose, longest = _lengths(part, count)
    plain = part.plain + count
    # A group that is repeated holds its last match only: all of it is in one.
    return _Part(0, loose, longest, plain, f"({plain})" if loose else part.grouped + count)


def _lengths(part: _Part, count: str) -> tuple[int, int]:
    """Return how much a repeated part may match, of anything and in all."""
    if count == "?":
        # Also behind another count, where it asks for as little as possible.
        return part.loose, part.longest
    counts = _COUNTS.fullmatch(count)
    if counts is None:
        raise ValueError(
            "pattern has a wildcard without an end, which may match a sentence that says the "
            r"opposite: write how long it may be, such as \S{1,20}"
        )
    most = int(counts[1] or counts[2])
    if most <= 1:
        return part.loose, part.longest
    return part.longest * most, part.longest * most
