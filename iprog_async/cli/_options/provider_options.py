"""`--option`: settings that one gateway alone has for a text, by the names that its adapter gives.

No vendor is named here: what an adapter's `options_type` takes is what can be given.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from cyclopts import Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._routing.members import options_types
from iprog_async.cli._options.shared import pairs


Options = Annotated[
    tuple[str, ...],
    Parameter(
        name="--option",
        negative="",
        show_default=False,
        help="A setting that this gateway alone has for a text, such as type=unicode; can be "
        "given again. The gateway's page in the documentation lists them.",
    ),
]


def options_for(provider: Any, given: tuple[str, ...]) -> object | None:
    """Return the adapter's own options object; `None` if nothing was given.

    Args:
        provider: A gateway, or a router, whose members' options can be given.
        given: What was written, each as `NAME=VALUE`.

    Raises:
        InvalidMessageError: No gateway has such a setting, or its value makes no sense.
    """
    settings = pairs(given, "--option", "type=unicode")
    if not settings:
        return None
    kinds = {kind: _names(kind) for kind in options_types(provider)}
    fitting = [kind for kind, names in kinds.items() if settings.keys() <= set(names)]
    if not fitting:
        known = ", ".join(name for names in kinds.values() for name in names)
        raise InvalidMessageError(
            f"--option {' '.join(settings)}: {provider.name} has no such setting of a text; "
            f"it has: {known or 'none'}"
        )
    return _made(fitting[0], settings)


def _names(kind: type[object]) -> list[str]:
    """Return the arguments that a class of options takes."""
    return [] if kind is object else list(inspect.signature(kind).parameters)


def _made(kind: type[Any], settings: dict[str, str]) -> object:
    hints = _hints(kind)
    values = {name: _value(name, text, hints.get(name, str)) for name, text in settings.items()}
    try:
        return kind(**values)
    except (ValueError, TypeError) as exc:
        raise InvalidMessageError(f"--option: {exc}") from None


def _hints(kind: type[Any]) -> dict[str, object]:
    try:
        return get_type_hints(kind)
    except NameError:
        # What only checkers import is not there to look at: the class checks its values itself.
        return {}


def _value(name: str, text: str, hint: object) -> object:
    """Return a text as the type that the adapter wants; as it is, where it is no plain type."""
    choices = list(_choices(hint))
    for choice in choices:
        if not isinstance(choice, type):
            if _words(choice) == text:
                return choice
        elif choice is not int or text.isdecimal():
            return int(text) if choice is int else text
    shown = ", ".join("a number" if choice is int else _words(choice) for choice in choices)
    one_of = "one of " if len(choices) > 1 else ""
    raise InvalidMessageError(f"--option {name}={text}: it is {one_of}{shown}")


def _words(choice: object) -> str:
    return str(choice).lower() if isinstance(choice, bool) else str(choice)


def _choices(hint: object) -> Iterator[object]:
    """Yield the values and types that a hint allows, without `None`."""
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    elif get_args(hint):
        for part in get_args(hint):
            yield from _choices(part)
    elif hint is bool:
        yield from (True, False)
    elif hint is not NoneType:
        yield hint
