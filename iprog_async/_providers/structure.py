"""The project's one cattrs converter: answers become attrs objects, or are unclear."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, NewType, TypeVar

import cattrs

from iprog_async._core.amounts import parse_amount
from iprog_async._core.json_types import is_object
from iprog_async._core.redaction import one_line
from iprog_async._http.calls import UnclearAnswer


M = TypeVar("M")

Id = NewType("Id", str)
"""An opaque id; gateways send it as a string or as a number. What stands for none is no id."""

Text = NewType("Text", str)
"""Text that some gateways send as a number: a phone number, a code."""

# What gateways write for an id that there is none of, and for one that went wrong.
_NO_ID = re.compile(
    r"[\W_0]*+(null|none|nil|nan|undefined|unknown|n/?a|true|false|error|fail(ed|ure)?)?[\W_0]*|-\d+",
    re.IGNORECASE,
)
# An id is one piece; a sentence in its place is none.
_TOKEN = re.compile(r"[^\s\"'(),;<>\[\]\\{}]++")
# In nearly every id, and in no word for none.
_COUNTING = frozenset("123456789")
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)


def id_or_none(value: object) -> str | None:
    """Read an id; `None` for what stands for none, such as `0`, `"null"` or `"Error 22"`."""
    if not isinstance(value, str):
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        value = str(value)
    text = value.strip()
    if _TOKEN.fullmatch(text) is None:
        return None
    if text[:1] != "-" and not _COUNTING.isdisjoint(text):
        return text
    return None if _NO_ID.fullmatch(text) else text


# Written where there is no error.
_NO_ERROR = frozenset(("", "0", "false", "no", "none", "null", "ok"))


def names_errors(body: object) -> bool:
    """Return whether a body has an `error` or `errors` that is filled, in itself or its `data`.

    A success that has one says two things, and proves neither.
    """
    if not is_object(body):
        return False
    return _has_error(body) or (
        "data" in body and is_object(body["data"]) and _has_error(body["data"])
    )


def _has_error(part: dict[str, Any]) -> bool:
    return ("error" in part and _is_filled(part["error"])) or (
        "errors" in part and _is_filled(part["errors"])
    )


def _is_filled(value: object) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in _NO_ERROR
    return bool(value)


def count_or_none(value: object) -> int | None:
    """Read a count: a whole number, as a number or as text; `None` if it is none."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    if isinstance(value, int):
        return value
    return int(value) if _WHOLE.fullmatch(value.strip()) else None


def _amount(value: object, _: Any) -> Decimal:
    return parse_amount(value)


def _id(value: object, _: Any) -> str:
    found = id_or_none(value)
    if found is None:
        raise ValueError(f"{value!r} is no id")
    return found


def _text_or_number(value: object, _: Any) -> Text:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise ValueError(f"{value!r} is neither text nor number")
    return Text(str(value))


def _text(value: object, _: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _integer(value: object, _: Any) -> int:
    count = None if isinstance(value, float) else count_or_none(value)
    if count is None:
        raise ValueError(f"{value!r} is no whole number")
    return count


def _flag(value: object, _: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _converter(*, says_where: bool) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=says_where)
    converter.register_structure_hook(Decimal, _amount)
    converter.register_structure_hook_func(lambda cls: cls is Id, _id)
    converter.register_structure_hook_func(lambda cls: cls is Text, _text_or_number)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _integer)
    converter.register_structure_hook(bool, _flag)
    return converter


# To keep in mind where something may go wrong takes time, and nearly always nothing does.
_CONVERTER = _converter(says_where=False)
_THOROUGH = _converter(says_where=True)


@lru_cache(maxsize=256)
def _hook_of(model: type[Any]) -> Callable[[object, Any], Any]:
    """Return what structures a model; the converter itself would look for it each time."""
    return _CONVERTER.get_structure_hook(model)


def structure(data: object, model: type[M]) -> M:
    """Turn parsed JSON into an attrs object; keys the model does not know are ignored.

    Raises:
        UnclearAnswer: A key is missing or of the wrong kind; the reason names its place.
    """
    # mypy takes no class of a type variable for hashable.
    known: Any = model
    try:
        found: M = _hook_of(known)(data, model)
        return found
    except Exception:
        # Hostile data can make any hook fail in its own way; none may get past here.
        return _structure_thoroughly(data, model)


def _structure_thoroughly(data: object, model: type[M]) -> M:
    try:
        return _THOROUGH.structure(data, model)
    except Exception as exc:
        problems = cattrs.transform_error(exc)
        raise UnclearAnswer(one_line("; ".join(problems[:3]))) from None
