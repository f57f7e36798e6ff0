"""What every send does several times over, in the fewest steps that Python allows."""

from __future__ import annotations

import sys
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

import attrs


if TYPE_CHECKING:
    # Whoever changes one is told by the type checkers.
    from attrs import frozen as value
else:

    def value(cls: type[Any] | None = None, /, **options: Any) -> Any:
        """Make a class of values, as `attrs.frozen` does, for what each send makes anew.

        Nobody changes one, and type checkers hold everyone to that. At run time nothing stands
        guard, except in Python's development mode (`PYTHONDEVMODE=1`): to make a frozen one takes
        four times as many instructions, and these were an eighth of a send. Those who write
        adapters are handed some: `PreparedMessage`, `Answer`, `HttpCall`. What applications are
        handed, such as `Receipt` and the outcomes, is frozen always.
        """
        make = attrs.frozen if sys.flags.dev_mode else attrs.define
        return make(cls, **options)


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
