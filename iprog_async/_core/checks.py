"""Arguments that are plainly of a wrong type, answered with what was meant.

No value is shown that may hold a credential.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from attrs import Attribute

from iprog_async._core.errors import ConfigurationError
from iprog_async._core.messages import Message
from iprog_async._core.redaction import shown
from iprog_async._core.schedules import is_aware, unaware_words


class Synchronous:
    """Base of the classes of `iprog_async.sync`: modules below it can tell them by this one."""


def check_provider(given: object) -> None:
    """Raise `ConfigurationError` for what is plainly no provider."""
    if isinstance(given, type) or not callable(getattr(given, "bind", None)):
        what = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise ConfigurationError(
            f"a provider is an object such as IprogProvider(api_token), not {what}; for an "
            "address there are SmsClient.from_url and provider_from_url"
        )


def check_messages(given: object) -> None:
    """Raise an error for what can't be read message by message.

    Raises:
        TypeError: It is nothing of the kind.
        ConfigurationError: It is a generator that has ended, and would look like an empty list.
    """
    readable = any(hasattr(given, name) for name in ("__aiter__", "__iter__", "__getitem__"))
    # A string would be read letter by letter.
    if not readable or isinstance(given, (str, bytes, Message)):
        raise TypeError(
            "messages is an iterable or async iterable of Message(to, text), "
            f"not {type(given).__name__}; nothing was sent"
        )
    if _has_ended(given):
        raise ConfigurationError(
            "messages is a generator that has been read already, and has nothing left: make a "
            "new one, say by calling the function again that made it. Nothing was sent"
        )


def _has_ended(given: object) -> bool:
    if inspect.isgenerator(given):
        return given.gi_frame is None
    return inspect.isasyncgen(given) and given.ag_frame is None


def check_type(name: str, given: object, *kinds: type[object]) -> None:
    """Raise `ConfigurationError` unless an argument is of its type, or `None`."""
    if given is not None and not isinstance(given, kinds):
        check_asynchronous(name, given)
        raise ConfigurationError(f"{name}= takes a {kinds[0].__name__}, not {shown(given)}")


def check_storable(name: str, given: str | None) -> None:
    """Raise `ConfigurationError` for a name that no database can hold."""
    if given is not None and any(not is_storable(letter) for letter in given):
        raise ConfigurationError(
            f"{name}= has the character 0 or half a character: {given!r}. Nothing was sent"
        )


def is_storable(letter: str) -> bool:
    """Return whether a database can hold a character: not 0, nor half of one."""
    return letter != "\0" and not "\ud800" <= letter <= "\udfff"


def check_asynchronous(name: str, given: object) -> None:
    """Raise `ConfigurationError` for a journal or a list of `iprog_async.sync`."""
    if isinstance(given, Synchronous):
        raise ConfigurationError(
            f"{name}= is a {type(given).__name__} of iprog_async.sync: pass its .asynchronous, "
            "or use the SmsClient of iprog_async.sync. Nothing was sent"
        )


def check_moment(name: str, given: object) -> None:
    """Raise `ConfigurationError` unless an argument is an aware datetime."""
    if not is_aware(given):
        raise ConfigurationError(unaware_words(f"{name}=", given))


def check_seconds(name: str, given: object) -> None:
    """Raise `ConfigurationError` unless an argument is a number above zero."""
    # The other way round, not a number would pass.
    if not isinstance(given, (int, float)) or not given > 0:
        raise ConfigurationError(
            f"{name} is a number of seconds, more than zero, not {shown(given)}"
        )


def whole_number(
    least: int = 1, most: int | None = None
) -> Callable[[Any, Attribute[Any], Any], None]:
    """Return an attrs validator for a setting that is a whole number, such as `max_batch`.

    It raises `ConfigurationError` for anything else, and names the setting. One that may be `None`
    takes `attrs.validators.optional(whole_number(…))`.

    Args:
        least: The lowest that it may be.
        most: The highest; any if `None`.
    """
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"

    def check(_: object, attribute: Attribute[Any], given: object) -> None:
        # True is no 1 here, and a number with a fraction no count.
        if type(given) is not int or given < least or (most is not None and given > most):
            raise ConfigurationError(
                f"{attribute.name} is a whole number {bounds}, not {shown(given)}"
            )

    return check
