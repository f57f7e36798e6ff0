"""What every send does several times over, in the fewest steps that Python allows."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    # Whoever changes one is told by the type checkers.
    from attrs import frozen as value
else:
    # At run time nothing stands guard: a frozen one takes four times as many instructions to make,
    # and these were an eighth of a send. What users are handed is frozen.
    from attrs import define as value

__all__ = ["put_back", "value"]


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
