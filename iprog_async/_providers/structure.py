"""The project's one cattrs converter: answers become attrs objects, or are unclear."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NewType, TypeVar

import cattrs

from iprog_async._core.amounts import parse_amount
from iprog_async._core.redaction import one_line
from iprog_async._http.calls import UnclearAnswer


M = TypeVar("M")

Id = NewType("Id", str)
"""An opaque id; gateways send it as a string or as a number."""


def _amount(value: object, _: Any) -> Decimal:
    return parse_amount(value)


def _id(value: object, _: Any) -> Id:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError(f"{value!r} is no id")
    return Id(str(value))


def _text(value: object, _: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _integer(value: object, _: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def _flag(value: object, _: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


_converter = cattrs.Converter()
_converter.register_structure_hook(Decimal, _amount)
_converter.register_structure_hook_func(lambda cls: cls is Id, _id)
_converter.register_structure_hook(str, _text)
_converter.register_structure_hook(int, _integer)
_converter.register_structure_hook(bool, _flag)


def structure(data: object, model: type[M]) -> M:
    """Turn parsed JSON into an attrs object; keys the model does not know are ignored.

    Raises:
        UnclearAnswer: A key is missing or of the wrong kind; the reason names its place.
    """
    try:
        return _converter.structure(data, model)
    except Exception as exc:
        # Hostile data can make any hook fail in its own way; none may get past here.
        problems = cattrs.transform_error(exc)
        raise UnclearAnswer(one_line("; ".join(problems[:3]))) from None
