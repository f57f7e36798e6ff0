"""Where an address leads: to the same call elsewhere, or to what became of a text.

"/v2/sms/send" is any door, and "/messages/8812", "/sent" or "?id=8812" is one that opens once a
text is there.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator, Sequence
from urllib.parse import parse_qsl, unquote, urlsplit

from iprog_async._http.acceptance import says_taken, signs_of_acceptance


_QUERY = re.compile(r"""(?<=[\w/])\?(?=[\w%.~\[\]-]{1,60}=)[^\s"'<>#]{1,8000}""")
_ADDRESS = re.compile(r"""https?://[^\s"'<>]{0,2000}""", re.IGNORECASE)
# "0;url='/v2'"
_REFRESH = re.compile(r"\d{1,2} ?[;,] ?(?:url ?= ?)?+['\"]?([^\s'\"]{1,2000})['\"]?", re.IGNORECASE)
_BETWEEN = re.compile(r"[/\\;&=!]")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# A digit in any other part of a path may be that of one of many.
_NUMBERED = re.compile(
    r"(?:[a-z]{1,12}[-_.]?)?v\d{1,2}(?:[._]\d{1,2}){0,2}(?:[-_.]?(?:alpha|beta|rc)\d{0,2})?"
    r"|(?:api|html|http|oauth|php|rest)-?\d(?:\.\d)?|[1-9]\.\d|~[a-z]{1,16}\d{1,3}"
    r"|(?:app|cluster|gateway|gw|host|node|server|site|web)-?\d{1,2}"
    r"|(?:error[-_]?)?[45]\d\d\.(?:s?html?|php|aspx?|jsp)|error[-_]?[45]\d\d"
    r"|[45]xx-error-landing",
    re.IGNORECASE,
)
# "/api/2/send", "/404", "/error/403"; anywhere else a number alone is that of one of many.
_VERSIONED = frozenset(("api", "rest"))
_VERSION = re.compile(r"[1-9]")
_ERROR = re.compile(r"[45]\d\d")
_OF_ERRORS = frozenset(("", "error", "errors"))
_HEX = re.compile(r"[a-f-]{8,}", re.IGNORECASE)
_SWITCH = re.compile(r"(?<=[a-z])[A-Z]")
_SHORTEST_ID = 8
# What of an address is looked at; in more there may be anything.
_MOST_PIECES = 50
_LONGEST = 4_000
# What is shown to whoever handed something in.
_HANDED_IN = frozenset(("confirmation", "outbox", "receipt", "thank", "thanks", "thankyou"))


def leads_to_one(address: str, asked: str = "", fields: Collection[str] = ()) -> bool:
    """Return whether an address may lead to one of many, or tells what became of a text.

    Args:
        address: The address, whole or without its host.
        asked: The address that was asked: what stands in its path, too, tells nothing.
        fields: The names in its query.
    """
    try:
        parts, known = urlsplit(address.strip()), _segments(urlsplit(asked).path)
    except ValueError:
        return True
    if parts.scheme.lower() in ("data", "sms"):
        return True
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if parts.query and not pairs:
        return True
    path, fragment = _segments(parts.path), _segments(parts.fragment)
    pairs = [(name, value) for name, value in pairs if name not in fields]
    if len(path) > _MOST_PIECES or _are_too_many(pairs):
        return True
    return (
        any(each not in known and _is_one(each, *around) for *around, each in _around(path))
        or any(each not in known and _is_one(each, "#", "") for each in fragment)
        or any(_tells_in(name, value) or _is_of_one(name, value, asked) for name, value in pairs)
    )


def _around(path: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield what is before, and behind, each segment of a path, and itself."""
    yield from zip(("", *path), (*path[1:], ""), path, strict=False)


def _is_of_one(name: str, value: str, asked: str) -> bool:
    """Return whether a pair of a query may be of one of many: an address in it is read as one."""
    if value.startswith(("/", "http://", "https://")) and "?" not in value:
        return _has_digit(name) or leads_to_one(value, asked)
    return _has_digit(name + value)


def _are_too_many(pairs: Sequence[tuple[str, str]]) -> bool:
    """Return whether the pairs of a query are more, or longer, than is looked at."""
    return (
        len(pairs) > _MOST_PIECES or sum(len(name) + len(value) for name, value in pairs) > _LONGEST
    )


def _segments(path: str) -> list[str]:
    return [each for each in _BETWEEN.split(unquote(path)) if each]


def _is_one(segment: str, before: str, behind: str) -> bool:
    words = [word.lower() for word in _WORD.findall(segment)]
    if says_taken(" ".join(words)) or not _HANDED_IN.isdisjoint(words):
        return True
    if _has_digit(segment):
        if before.lower() in _OF_ERRORS and not behind and _ERROR.fullmatch(segment):
            return False
        if before.lower() in _VERSIONED and behind and _VERSION.fullmatch(segment):
            return False
        return _NUMBERED.fullmatch(segment) is None
    # "dQwAwXgXcQ"
    is_mixed = 4 * len(_SWITCH.findall(segment)) >= max(len(segment), _SHORTEST_ID)
    return is_mixed or _HEX.fullmatch(segment) is not None


def _has_digit(text: str) -> bool:
    return any(map(str.isnumeric, text))


def addresses_in(text: str) -> Iterator[str]:
    """Yield the whole addresses in plain text."""
    for found in _ADDRESS.finditer(text):
        yield found[0].rstrip(".,;:!?)")


def refreshes_to(value: str) -> str:
    """Return the address that a page or a header field sends a reader on to; nothing if to none."""
    found = _REFRESH.fullmatch(value.strip())
    return found[1] if found else ""


def without_queries(page: str) -> str:
    """Return a page without the queries of its addresses, but for those that tell of a text.

    A redirection leads to the same request elsewhere, with its numbers and its key; one with an id
    or a count leads to what became of it.
    """
    return _QUERY.sub(lambda query: query[0] if _tells(query[0]) else "", page)


def _tells(query: str) -> bool:
    fields = parse_qsl(html.unescape(query[1:]), keep_blank_values=True)
    return _are_too_many(fields) or any(_tells_in(name, value) for name, value in fields)


def _tells_in(name: str, value: str) -> bool:
    return bool(signs_of_acceptance({name: value}))
