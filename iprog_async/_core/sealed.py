"""Values that travel and are never shown: an error tracker stores the locals of every frame.

They are equal to what they hold, and `str()` gives it; a `repr` never does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Self, SupportsIndex, TypeVar, cast

from attrs import fields


MASK = "***"

T = TypeVar("T")


class Unpicklable:
    """What holds a credential: a copy is the same object, and none goes to another process."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            "what holds a credential can't be pickled: build a provider or client of its own in "
            "each process, for example from the environment"
        )


class _Sealed(Unpicklable):
    """What both kinds have in common; it is mixed into immutable types."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{MASK}'"

    def __rich_repr__(self) -> Iterator[str]:
        # Without it rich cuts long ones by itself, and shows the beginning.
        yield MASK

    def __sentry_repr__(self) -> str:
        return MASK


class Secret(_Sealed, str):
    """A credential, or a text that holds one: `str()` gives it, `repr()` shows `'***'`."""

    __slots__ = ()

    def __add__(self, other: str, /) -> Secret:
        return Secret(str.__add__(self, other))

    def __radd__(self, other: str, /) -> Secret:
        return Secret(str.__add__(other, self))

    def __getitem__(self, key: SupportsIndex | slice, /) -> Secret:
        return Secret(str.__getitem__(self, key))


class SealedBytes(_Sealed, bytes):
    """Bytes of a request, credentials included."""

    __slots__ = ()

    def __getitem__(self, key: Any, /) -> Any:
        part = cast("int | bytes", bytes.__getitem__(self, key))
        return part if isinstance(part, int) else SealedBytes(part)


def seal(text: str) -> Secret:
    """Return a text as a secret; one that is sealed already as it is."""
    return text if type(text) is Secret else Secret(text)


def seal_all(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return texts as secrets."""
    return tuple(map(seal, texts))


def seal_values(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Return pairs, such as header fields, with their values as secrets."""
    return tuple((name, seal(value)) for name, value in pairs) if pairs else pairs


def seal_mapping(values: Mapping[str, str]) -> dict[str, str]:
    """Return a mapping with its values as secrets."""
    return {name: seal(value) for name, value in values.items()}


def seal_hidden_fields(made: object) -> None:
    """Seal the texts in an attrs object's fields that its repr leaves out: they are credentials."""
    for field in fields(cast("Any", type(made))):
        value = getattr(made, field.name, None)
        if not field.repr and type(value) is str:
            object.__setattr__(made, field.name, Secret(value))
