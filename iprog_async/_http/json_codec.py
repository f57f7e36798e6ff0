"""JSON as bytes and back: by orjson where it is installed (extra `fast`), by Python's own `json`.

What is read and written is the same with both. orjson does the frequent thing, in a fraction of the
instructions; what the two see differently is left to `json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from iprog_async._core.json_types import DEEPEST, is_object
from iprog_async._core.sealed import Secret


if TYPE_CHECKING:
    import orjson
else:
    try:
        import orjson
    except ImportError:
        orjson = None


def read_json(text: str) -> object:
    """Return the value of a JSON text.

    Raises:
        ValueError: It is none, something is behind it, or it has more levels than `DEEPEST`.
        RecursionError: It is nested deeper than Python can read.
    """
    data: object
    if orjson is not None:
        try:
            data = orjson.loads(text)
        except ValueError:
            # Half a character can be written in JSON; orjson reads none.
            pass
        else:
            if not _has_long_number(data):
                return data
    data = _read_slowly(text)
    _has_long_number(data)
    return data


def write_json(body: object) -> bytes:
    """Return a value as JSON, as short as it can be written.

    Raises:
        TypeError: It holds something that JSON has not.
        ValueError: It holds half a character, or itself.
    """
    if orjson is not None and _holds_text_alone(body):
        try:
            return orjson.dumps(body)
        except TypeError:
            # Half a character, or a key that is no text: `json` says what it thinks of it.
            pass
    return _ENCODER.encode(body).encode()


def _holds_text_alone(body: object) -> bool:
    """Return whether a value is an object of texts; orjson writes what `json` refuses, too."""
    if not is_object(body):
        return False
    for value in body.values():
        kind = _kind_of(value)
        if kind is not str and kind is not Secret:
            return False
    return True


# What JSON holds is of any type, and of the type of that the type checkers know nothing.
_kind_of: Callable[[object], type[object]] = type
_BLANKS = " \t\n\r"  # Those of JSON (RFC 8259, 2).


def _has_long_number(data: Any, levels: int = DEEPEST) -> bool:
    """Return whether there is a number in data that orjson may have cut.

    Raises:
        ValueError: The data has more levels than whoever reads it may count on.
    """
    if levels == 0:
        raise ValueError("nested too deep")
    kind = _kind_of(data)
    found = False
    if kind is dict:
        data = data.values()
    elif kind is not list:
        data = (data,)
    for each in data:
        kind = _kind_of(each)
        if kind is str or kind is int:
            continue
        if kind is float:
            # The largest whole number that orjson reads as one; of a larger one it makes a
            # fraction, whose last digits are gone.
            if not -9223372036854775808.0 < each < 9223372036854775808.0:
                found = True
        elif kind is dict or kind is list:
            found = _has_long_number(each, levels - 1) or found
    return found


def _read_slowly(text: str) -> object:
    text = text.strip(_BLANKS)
    # The decoder's `decode` looks for white space with two patterns.
    data, end = _DECODER.raw_decode(text)
    if end != len(text):
        raise ValueError("something behind the JSON")
    return data


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


# Made once: json.dumps and json.loads make a new one on each call that has options.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_DECODER = json.JSONDecoder(parse_constant=_no_constant)
