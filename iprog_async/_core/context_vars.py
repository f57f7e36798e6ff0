"""Giving a context variable back what it had."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any


def put_back(variable: ContextVar[Any], token: Token[Any]) -> None:
    """Undo `variable.set(…)` where that still matters.

    A coroutine that nobody awaits to its end is closed by the garbage collector, in whatever
    context that runs: there the value was never set, and there is nothing to undo.

    Args:
        variable: The variable.
        token: What its `set` returned.
    """
    try:  # noqa: SIM105 - `suppress` would take longer than all of it, in every request
        variable.reset(token)
    except ValueError:
        pass
