"""What a public package exports says so, wherever it is written; pickles find it for good."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, get_type_hints

import attrs
from attrs import NOTHING

from iprog_async._core import messages, outcomes, receipts
from iprog_async._core.errors import SmsError


def publish(package: dict[str, Any]) -> None:
    """Let the classes and functions that a package exports name the package as their module.

    Tracebacks and pickles then have that name. The module that they are written in is private
    and may change: what was pickled must be found all the same. What another package has
    published already stays there.

    Args:
        package: Its `globals()`, with `__all__`.
    """
    for name in package["__all__"]:
        exported = package[name]
        if hasattr(exported, "__qualname__") and "._" in exported.__module__:
            if attrs.has(exported):
                _resolve_annotations(exported)
                _fill_in_old_states(exported)
            exported.__module__ = package["__name__"]


def _resolve_annotations(cls: type) -> None:
    """Replace annotations that are text: their names are known where the class is written.

    Converters, such as cattrs, look them up in the module that the class names.
    """
    # A name may be there for type checkers only.
    with suppress(NameError, TypeError):
        hints = get_type_hints(cls, include_extras=True)
        cls.__annotations__ = {name: hints[name] for name in inspect.get_annotations(cls)}


def _fill_in_old_states(cls: Any) -> None:
    """Let a field have its default in what was pickled before there was such a field."""
    set_state: Callable[[Any, Any], None] | None = getattr(cls, "__setstate__", None)
    if set_state is None:
        return

    def fill_and_set_state(self: Any, state: dict[str, Any]) -> None:
        missing = (field for field in attrs.fields(cls) if field.name not in state)
        added = {field.name: _default(field) for field in missing if field.default is not NOTHING}
        set_state(self, {**added, **state})

    cls.__setstate__ = fill_and_set_state


def _default(field: attrs.Attribute[Any]) -> object:
    # attrs keeps `factory=…` as a default that has it.
    factory: Callable[[], object] | None = getattr(field.default, "factory", None)
    return field.default if factory is None else factory()


def know_former_modules() -> None:
    """Let what version 0.1.0 pickled find its classes: unpickling imports the package first."""
    sys.modules.update(_FORMER)


def _rebuild(  # pyright: ignore[reportUnusedFunction] - errors that were pickled call it
    cls: type[SmsError], args: tuple[Any, ...], state: dict[str, Any]
) -> SmsError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


_FORMER = {
    "iprog_async._errors": sys.modules[__name__],
    "iprog_async._messages": messages,
    "iprog_async._outcomes": outcomes,
    "iprog_async._receipts": receipts,
}
