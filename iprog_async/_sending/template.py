"""Texts with named holes, filled for one recipient after another."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping

from iprog_async._core.errors import InvalidMessageError


class Template:
    """A text such as `"Hi {name}"`; `{{` and `}}` stand for braces.

    Only plain names are fields: what `str.format` offers besides could show more of a program
    than the one who wrote the text may see.

    Args:
        text: The text, with the names of what is filled in between braces.

    Raises:
        InvalidMessageError: It is empty, a brace has no partner, or a field is no plain name.
    """

    def __init__(self, text: str) -> None:
        if not text.strip():
            raise InvalidMessageError("the text is empty")
        try:
            self._parts = tuple(_parts(text))
        except ValueError as exc:
            raise InvalidMessageError(
                f"the text can't be read: {exc}; for a brace itself, write {{{{ or }}}}"
            ) from None
        self.fields = tuple(dict.fromkeys(name for _, name in self._parts if name is not None))
        """Names of the fields, in order of appearance."""

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the text for one recipient.

        Args:
            values: What each field is filled with, by its name, such as a row of `csv.DictReader`.
                Blanks around a value are left out.

        Raises:
            InvalidMessageError: A field has no value, or only blanks: nobody gets a text with
                a hole in it.
        """
        words: list[str] = []
        for literal, name in self._parts:
            words.append(literal)
            if name is not None:
                words.append(value_of(values, name))
        return "".join(words)


def value_of(values: Mapping[str, object], name: str) -> str:
    """Return a value without the blanks around it; raises `InvalidMessageError` for none."""
    given = values.get(name)
    value = "" if given is None else str(given).strip()
    if not value:
        raise InvalidMessageError(f"{name!r} is empty")
    return value


def _parts(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield what stands before each field, and its name; the last field has none."""
    for literal, name, spec, conversion in string.Formatter().parse(text):
        if name is not None:
            name = name.strip()
            _check(name, spec, conversion)
        yield literal, name


def _check(name: str, spec: str | None, conversion: str | None) -> None:
    if not name:
        raise ValueError("{} names no column")
    if spec or conversion or any(sign in name for sign in ".[]{}"):
        shown = name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        raise ValueError(f"{{{shown}}} is no plain name of a column")
