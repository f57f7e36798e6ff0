"""The phone numbers in a request that no gateway has read, for people to know it by."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from iprog_async._core.json_types import is_array, is_object
from iprog_async.sandbox._inbox.secret_names import is_secret
from iprog_async.sandbox._simulation.exchange import Exchange


_LARGEST = 16 * 1024
"""Bytes of the largest body that is read; it is read again with each event of the page."""
_NUMBER = re.compile(r"[+(]{0,2}[0-9](?:[ ()-]{0,2}[0-9]){8,14}")


def numbers_in(exchange: Exchange) -> list[str]:
    """Return what is written like phone numbers and nothing else, as it is written.

    A fault meets a request before any gateway does, so fields are told by their values; one that
    is named as a secret is left out.
    """
    fields = _pairs(exchange.query)
    body = exchange.body or b""
    if len(body) <= _LARGEST:
        fields += _fields_of(body)
    parts = (part.strip() for value in fields for part in value.split(","))
    return list(dict.fromkeys(part for part in parts if _NUMBER.fullmatch(part)))


def _fields_of(body: bytes) -> list[str]:
    try:
        return list(_values(json.loads(body)))
    except (ValueError, RecursionError):
        return _pairs(body)


def _pairs(encoded: bytes) -> list[str]:
    pairs = parse_qsl(encoded.decode("utf-8", "replace"))
    return [value for name, value in pairs if not is_secret(name)]


def _values(data: object) -> Iterator[str]:
    if is_object(data):
        for name, value in data.items():
            if not is_secret(name):
                yield from _values(value)
    elif is_array(data):
        for value in data:
            yield from _values(value)
    elif isinstance(data, (str, int)) and not isinstance(data, bool):
        yield str(data)
