"""Modules by the names that they had in version 0.1.0: what it pickled asks for them."""

from __future__ import annotations

import sys
from typing import Any

from iprog_async._core import messages, outcomes, receipts
from iprog_async._core.errors import SmsError


def _rebuild(  # pyright: ignore[reportUnusedFunction] - pickled errors call it
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


def register() -> None:
    """Let what was pickled find its classes: unpickling imports the package first."""
    sys.modules.update(_FORMER)
