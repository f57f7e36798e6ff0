"""Telling parsed JSON apart, in a way that type checkers follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeGuard


def is_object(data: object) -> TypeGuard[dict[str, Any]]:
    """Return whether parsed JSON is an object."""
    return isinstance(data, dict)


def is_array(data: object) -> TypeGuard[list[Any]]:
    """Return whether parsed JSON is an array."""
    return isinstance(data, list)


DEEPEST = 100
"""How many levels JSON may have; versions of Python differ in how many they can read."""


def is_deep(data: object) -> bool:
    """Return whether parsed JSON has more levels than whoever reads it may count on."""
    level = [data]
    for _ in range(DEEPEST + 1):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(data: object) -> Iterable[object]:
    if is_object(data):
        return data.values()
    return data if is_array(data) else ()
