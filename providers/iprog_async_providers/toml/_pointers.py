"""JSON pointers (RFC 6901): where in a body a value goes, and where in an answer one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

from attrs import frozen

from iprog_async.adapter import is_array, is_object, shown, veiled


ANY = "*"
"""In pointers to words: any key."""


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@frozen
class Pointer:
    """The place of a value in JSON.

    Args:
        tokens: Its keys, from the top.
    """

    tokens: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a pointer such as `/data/id`; raises `ValueError` if it is none."""
        if not text.startswith("/"):
            raise ValueError(
                f"{shown(text)} is no JSON pointer: it begins with a slash, as in /data/id"
            )
        parts = text[1:].split("/")
        return cls(tuple(part.replace("~1", "/").replace("~0", "~") for part in parts))

    def find(self, data: object) -> object:
        """Return the value that is there; `MISSING` if there is none."""
        for token in self.tokens:
            if is_object(data) and token in data:
                data = data[token]
            elif is_array(data) and token.isdecimal() and int(token) < len(data):
                data = data[int(token)]
            else:
                return MISSING
        return data

    def covers(self, other: Pointer) -> bool:
        """Return whether `find_all` can find what another pointer points to."""
        others = [token for token in other.tokens if not token.isdecimal()]
        return len(others) == len(self.tokens) and all(
            token in (ANY, its) for token, its in zip(self.tokens, others, strict=True)
        )

    def find_all(self, data: object) -> Iterator[object]:
        """Yield the values that are there, of each item where a list is on the way."""
        waiting: list[tuple[object, Sequence[str]]] = [(data, self.tokens)]
        while waiting:
            value, tokens = waiting.pop(0)
            if is_array(value):
                waiting += [(item, tokens) for item in value]
            elif not tokens:
                yield value
            elif is_object(value):
                keys = value if tokens[0] == ANY else [tokens[0]]
                waiting += [(value[key], tokens[1:]) for key in keys if key in value]


@frozen
class Place(Pointer):
    """Where a value goes in the body of a request: a name at the top, or a pointer."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the name of a field, or a pointer such as `/to/0`."""
        return super().parse(text) if text.startswith("/") else cls((text,))

    def put(self, body: dict[str, Any], value: object) -> None:
        """Put a value there; what is missing on the way is made, numbers as places in lists.

        Raises:
            ValueError: Something else is there already, or a list would have a gap.
        """
        where: Any = body
        for token, following in zip(self.tokens, (*self.tokens[1:], None), strict=True):
            new: Any = value if following is None else [] if following.isdecimal() else {}
            where = self._entered(where, token, new, last=following is None)

    def _entered(self, where: Any, token: str, new: Any, *, last: bool) -> Any:
        """Return what is at a key, `new` where nothing was."""
        if is_array(where):
            place = int(token) if token.isdecimal() else -1
            if place == len(where):
                where.append(new)
                return new
            if 0 <= place < len(where) and not last:
                return where[place]
        elif is_object(where):
            if token not in where:
                where[token] = new
                return new
            if not last:
                return where[token]
        raise ValueError(
            f"/{'/'.join(map(veiled, self.tokens))} can't be put beside the other fields"
        )
