"""What a public package exports says so, wherever it is written."""

from __future__ import annotations

import inspect
from contextlib import suppress
from typing import Any, get_type_hints

import attrs


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
            exported.__module__ = package["__name__"]


def _resolve_annotations(cls: type) -> None:
    """Replace annotations that are text: their names are known where the class is written.

    Converters, such as cattrs, look them up in the module that the class names.
    """
    # A name may be there for type checkers only.
    with suppress(NameError, TypeError):
        hints = get_type_hints(cls, include_extras=True)
        cls.__annotations__ = {name: hints[name] for name in inspect.get_annotations(cls)}
