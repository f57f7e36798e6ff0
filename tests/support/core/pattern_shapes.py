"""Which regular expressions look at one character many times, by what they are made of."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any, Literal

from attrs import evolve, frozen


# They have no public name.
op: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

Use = Literal["whole", "front", "search"]
"""Whether a pattern has to match all of a text, its beginning, or any part of it."""

Chars = frozenset[str]

_ALL: Chars = frozenset(string.printable + "\u00e9\u0663\u2013\u00a0")
_WORD: Chars = frozenset(char for char in _ALL if re.match(r"\w", char))
# A repeat that ends sooner costs so many times as much, and not the square.
_BOUNDED = 400
# Of the ways through a pattern with very many choices, so many are looked at.
_MOST_PATHS = 200
_CLASSES = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}


# They are looked up in many tables, with all that is in them.
@frozen(cache_hash=True)
class Step:
    """A part of one way through a pattern.

    Args:
        chars: The characters that it may match.
        needed: Whether it matches one at least.
        endless: Whether it repeats without a bound.
        gives_back: Whether it tries again with fewer.
        kind: `"edge"` and `"ahead"` match nothing, and may fail; `"boundary"` is that of
            a word; `"not behind"` forbids its characters in front.
        inner: The ways through one round of what it repeats, or through what is looked at ahead.
    """

    chars: Chars = frozenset()
    needed: bool = False
    endless: bool = False
    gives_back: bool = True
    kind: str = "chars"
    inner: tuple[Path, ...] = ()

    def goes_over(self, chars: Chars) -> bool:
        """Return whether it can match any number of some of these characters."""
        if self.inner:
            return any(_go_over(path, chars) for path in self.inner)
        return not self.chars.isdisjoint(chars)


Path = tuple[Step, ...]


def slow_parts(pattern: re.Pattern[Any], use: Use) -> list[str]:
    """Return what in a pattern takes the square of a text's length, or more.

    Two repeats that share a text between them; one whose rounds can be cut in several ways; and,
    in a search, one that begins anew within what it went over before.

    Args:
        pattern: It is looked at, and not run.
        use: How it is used.
    """
    written = pattern.pattern
    text = written.decode("latin-1") if isinstance(written, bytes) else written
    whole = _paths(parser.parse(text, pattern.flags), pattern.flags)
    # Each once: what is looked at ahead in front of everything is the same on all paths.
    ways: dict[Use, dict[Path, None]] = {"whole": {}, "front": {}, "search": {}}
    ways[use].update(dict.fromkeys(whole))
    for path in whole:
        # What is looked at ahead need not reach the end.
        ahead: Use = "search" if use == "search" else "front"
        for place, step in enumerate(path):
            if step.kind == "ahead":
                ways[ahead].update(dict.fromkeys(path[:place] + inner for inner in step.inner))
    found = {
        part
        for how, paths in ways.items()
        for others in [tuple(paths)]
        for path in others
        for part in _slow_in(path, how, others)
    }
    return sorted(found)


def _slow_in(path: Path, use: Use, others: Sequence[Path]) -> Iterator[str]:
    endless = [place for place, step in enumerate(path) if step.endless]
    for place in endless:
        step = path[place]
        if any(_is_cut_anyhow(inner) for inner in step.inner):
            yield f"a repeat in the repeat at {place}"
        for later in (later for later in endless if later > place):
            shared = step.chars & path[later].chars
            if (
                step.gives_back
                and step.goes_over(shared)
                and path[later].goes_over(shared)
                and _go_over(path[place + 1 : later], shared)
                and not _always_matches(path[: later + 1], use, others)
            ):
                yield f"the repeats at {place} and {later}"
        if (
            use == "search"
            and _go_over(path[:place], step.chars)
            and not _begins_once(path[:place], step)
            and not _always_matches(path[: place + 1], use, others)
        ):
            yield f"a search anew within the repeat at {place}"


def _go_over(steps: Iterable[Step], chars: Chars) -> bool:
    """Return whether steps can match some of these characters and nothing else."""
    return all(not step.chars.isdisjoint(chars) for step in steps if step.needed)


def _is_cut_anyhow(inner: Path) -> bool:
    """Return whether what is repeated holds a repeat, and nothing that tells the rounds apart."""
    return any(
        step.endless and _go_over(inner[:place] + inner[place + 1 :], step.chars)
        for place, step in enumerate(inner)
    )


def _begins_once(before: Path, repeat: Step) -> bool:
    """Return whether no search can begin within what a repeat goes over."""
    if before and before[0].kind == "start":
        return True
    for step in reversed(before):
        if step.kind == "boundary" and repeat.chars <= _WORD:
            return True
        if step.kind == "not behind" and repeat.chars <= step.chars:
            return True
        if step.needed and not step.chars <= repeat.chars:
            return False
    return False


def _always_matches(begun: Path, use: Use, others: Sequence[Path]) -> bool:
    """Return whether a pattern that came so far has a way on that can't fail."""
    return any(
        other[: len(begun)] == begun and not _may_fail(other[len(begun) :], begun[-1], use)
        for other in others
    )


def _may_fail(rest: Path, last: Step, use: Use) -> bool:
    if use == "whole" and (rest or not last.chars >= _ALL):
        return True
    if rest and rest[0].kind == "boundary" and last.chars >= _WORD:
        # It has taken all letters that there are.
        rest = rest[1:]
    return any(step.needed or step.kind != "chars" for step in rest)


# How a pattern is taken apart.


def _paths(parsed: Iterable[tuple[Any, Any]], flags: int) -> list[Path]:
    ways: list[Path] = [()]
    for kind, given in parsed:
        further = _ways(kind, given, flags)
        ways = [way + more for way in ways for more in further][:_MOST_PATHS]
    return ways


def _ways(kind: Any, given: Any, flags: int) -> list[Path]:
    match str(kind):
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
            return [(Step(_chars(kind, given, flags), needed=True),)]
        case "SUBPATTERN":
            return _paths(given[3], (flags | given[1]) & ~given[2])
        case "ATOMIC_GROUP":
            return _paths(given, flags)
        case "BRANCH":
            return [path for choice in given[1] for path in _paths(choice, flags)]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _repeated(*given, gives_back=str(kind) != "POSSESSIVE_REPEAT", flags=flags)
        case "ASSERT" | "ASSERT_NOT":
            return _looked_at(*given, flags=flags, forbids=str(kind) == "ASSERT_NOT")
        case "AT":
            return [(Step(kind=_EDGES.get(str(given), "edge")),)]
        case _:
            raise ValueError(f"a pattern with {kind}, which is not looked at here")


_EDGES = {
    "AT_BEGINNING": "start",
    "AT_BEGINNING_STRING": "start",
    "AT_BOUNDARY": "boundary",
}


def _repeated(low: int, high: Any, repeated: Any, *, gives_back: bool, flags: int) -> list[Path]:
    inner = _paths(repeated, flags)
    if high == 1:
        return [*([()] if low == 0 else []), *inner]
    if high is not op.MAXREPEAT and high <= _BOUNDED:
        return [
            tuple(evolve(step, needed=step.needed and low > 0) for step in path) for path in inner
        ]
    chars = frozenset[str]().union(*(step.chars for path in inner for step in path))
    return [(Step(chars, low > 0, endless=True, gives_back=gives_back, inner=tuple(inner)),)]


def _looked_at(direction: int, given: Any, *, flags: int, forbids: bool) -> list[Path]:
    inner = _paths(given, flags)
    if direction > 0:
        return [(Step(kind="ahead", inner=tuple(inner)),)]
    chars = frozenset[str]().union(*(step.chars for path in inner for step in path))
    return [(Step(chars, kind="not behind"),)] if forbids else [(Step(kind="edge"),)]


def _chars(kind: Any, given: Any, flags: int) -> Chars:
    match str(kind):
        case "ANY":
            return _ALL if flags & re.DOTALL else _ALL - {"\n"}
        case "NOT_LITERAL":
            return _ALL - _of_class([(op.LITERAL, given)], flags)
        case "LITERAL":
            return _of_class([(kind, given)], flags)
        case _:
            negated = str(given[0][0]) == "NEGATE"
            found = _of_class(given[negated:], flags)
            return _ALL - found if negated else found


def _of_class(items: Iterable[tuple[Any, Any]], flags: int) -> Chars:
    found: set[str] = set()
    for kind, given in items:
        match str(kind):
            case "LITERAL":
                found.add(chr(given))
            case "RANGE":
                found |= {char for char in _ALL if given[0] <= ord(char) <= given[1]}
            case _:
                found |= _of_category(str(given).removeprefix("CATEGORY_"), flags)
    if flags & re.IGNORECASE:
        found |= {char.swapcase() for char in found}
    return frozenset(found)


def _of_category(name: str, flags: int) -> Chars:
    pattern = re.compile(_CLASSES[name.removeprefix("NOT_")], flags & re.ASCII)
    found = frozenset(char for char in _ALL if pattern.match(char))
    return _ALL - found if name.startswith("NOT_") else found
