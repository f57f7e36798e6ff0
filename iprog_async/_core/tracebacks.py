"""Errors without what they passed through: the frames below may hold credentials.

Error trackers store the local variables of each frame of a traceback. So an error leaves this
library with the frames of its caller alone; what it has to say is in its words and attributes.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from iprog_async._core.errors import SmsError
from iprog_async._core.sealed import seal_hidden_fields


P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

_GUARDED = "_iprog_async_guarded"


def drop_frames(error: E, outer: BaseException | None = None) -> E:
    """Take an error out of the frames that it came through, and out of what it came from.

    The cause that one of our errors names stays, without its frames.

    Args:
        error: An error that was just caught.
        outer: What the caller was handling already; it is not ours, and stays as it is.
    """
    exc: BaseException | None = error
    seen = {id(outer)}
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        exc.__traceback__ = None
        exc.__context__ = None
        if not isinstance(exc, SmsError):
            exc.__cause__ = None
        for part in parts_of(exc):
            drop_frames(part, outer)
        exc = exc.__cause__
    if error is not outer:
        error.__context__ = outer
    return error


def parts_of(error: BaseException) -> tuple[BaseException, ...]:
    """Return the exceptions of a group; none of any other exception."""
    parts: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return parts if isinstance(error, BaseExceptionGroup) else ()


async def discreetly(work: Awaitable[T]) -> T:
    """Await something; an error that leaves it holds none of its frames."""
    try:
        return await work
    except BaseException as exc:
        error = exc
    try:
        raise drop_frames(error, sys.exception())
    finally:
        # They would keep each other alive until the garbage collector comes.
        del error


def discreet(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that is given credentials: its errors hold none of its frames."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as exc:
            error = exc
        # This frame is in the traceback, too.
        del args, kwargs
        try:
            raise drop_frames(error, sys.exception())
        finally:
            del error

    return guarded


class InitSignature:
    """The signature of a class with a `__new__` that only passes on: that of its `__init__`."""

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        """Return it, for `help()`, editors and generated documentation."""
        signature = inspect.signature(owner.__init__)  # type: ignore[misc]
        _, *parameters = signature.parameters.values()
        return signature.replace(parameters=parameters)


def guard_constructor(cls: type) -> None:
    """Make the constructor of a class discreet, and have it seal the credentials it was given."""
    if _GUARDED in vars(cls):
        return
    init: Callable[..., None] = cls.__init__  # type: ignore[misc]

    @discreet
    @functools.wraps(init)
    def guarded(self: object, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)
        if type(self) is cls:
            seal_hidden_fields(self)

    cls.__init__ = guarded  # type: ignore[misc]
    setattr(cls, _GUARDED, True)
