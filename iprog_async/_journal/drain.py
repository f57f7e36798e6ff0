"""Taking all that a thread has left for another one."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import TypeVar


T = TypeVar("T")


def drained(left: deque[T]) -> list[T]:
    """Take what there is, in order; others may be adding to it, or taking from it."""
    taken: list[T] = []
    with suppress(IndexError):
        while True:
            taken.append(left.popleft())
    return taken
