"""Telling secrets by the names of their fields, also in text that is no whole JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator

from iprog_async._core.sealed import MASK


_SECRET = re.compile(
    r"token|secret|passw|pwd|api[-_]?key|authori[sz]ation|cookie|credential|user_?name"
    r"|status_link|(?:^|_)(?:otp|pin|key)(?:$|_code$)",
    re.IGNORECASE,
)
# What was matched is never given back, and no name begins inside another: the time that a body
# takes grows with its length and not with the square of it.
_NAMED = re.compile(r"""(?<![\w-])([\w-]++)(?:\\*+["'])?\s*+[:=]\s*+""")
# Where it can't be told how a value ends, it is all that follows.
_VALUE = re.compile(
    r"""
    "(?:[^"\\]|\\.)*+"?                                    # quoted, perhaps only half of it
    | '(?:[^'\\]|\\.)*+'?
    | (?:[\[{]|\\++["']).*+                                # nested, or JSON inside a JSON text
    | (?:-?\d[\d.eE+-]*+|true|false|null)(?=\s*+[,}\]])    # bare, as JSON has it
    | [^&\r\n]*+                                           # bare, as people and forms write it
    """,
    re.VERBOSE | re.DOTALL,
)


def is_secret(name: str) -> bool:
    """Return whether a field or header of this name holds what nobody should see."""
    return _SECRET.search(name) is not None


def mask_loosely(text: str) -> str:
    """Return text that holds names and values in some notation, with those of secrets masked."""
    parts: list[str] = []
    shown = 0
    for start, end in _secret_values(text):
        parts += text[shown:start], MASK
        shown = end
    return "".join([*parts, text[shown:]])


def _secret_values(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (named := _NAMED.search(text, at)) is not None:
        at = named.end()
        # Its last branch matches anything, if only the empty text.
        if is_secret(named[1]) and (value := _VALUE.match(text, at)) is not None:
            yield value.span()
            at = value.end()
