"""Gives the classes made by attrs the signature that calling them has.

The reference is read from the sources, where such a class has fields and no `__init__`.
"""

from __future__ import annotations

import importlib
import inspect
from enum import Enum
from typing import Any

import attrs
from griffe import Class, Extension, Function, Parameter, ParameterKind, Parameters


_KINDS: dict[object, ParameterKind] = {
    inspect.Parameter.POSITIONAL_ONLY: ParameterKind.positional_only,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: ParameterKind.positional_or_keyword,
    inspect.Parameter.KEYWORD_ONLY: ParameterKind.keyword_only,
}


class AttrsSignatures(Extension):
    """Adds an `__init__` to every class that attrs makes one for."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Look at the class as it is at run time."""
        if "__init__" in cls.members or cls.is_alias:
            return
        found = _load(cls)
        if found is None or not attrs.has(found):
            return
        init = Function(
            "__init__",
            parameters=Parameters(
                Parameter("self", kind=ParameterKind.positional_or_keyword), *_parameters(found)
            ),
            returns="None",
            parent=cls,
        )
        cls.set_member("__init__", init)


def _load(cls: Class) -> type[Any] | None:
    module = importlib.import_module(cls.module.path)
    found = getattr(module, cls.name, None)
    return found if isinstance(found, type) else None


def _parameters(cls: type[Any]) -> list[Parameter]:
    fields = attrs.fields_dict(cls)
    signature = inspect.signature(cls)
    return [_parameter(given, fields) for given in signature.parameters.values()]


def _parameter(given: inspect.Parameter, fields: dict[str, Any]) -> Parameter:
    annotation = fields[given.name].type if given.name in fields else given.annotation
    return Parameter(
        given.name,
        kind=_KINDS[given.kind],
        annotation=annotation if isinstance(annotation, str) else _name_of(annotation),
        default=None if given.default is inspect.Parameter.empty else _default(given.default),
    )


def _name_of(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _default(value: object) -> str:
    """Return a default as one writes it; what can't be written is `...`, which is Python, too."""
    if value is attrs.NOTHING:
        return "..."
    words = str(value) if isinstance(value, Enum) else repr(value)
    return "..." if "<" in words else words
