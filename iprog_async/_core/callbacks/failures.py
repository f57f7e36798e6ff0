"""What comes out of users' code instead of an answer, and how their objects are shown."""

from __future__ import annotations

import asyncio


FAILURES = (Exception, asyncio.CancelledError)
"""What to catch around users' code, which may await a task of its own that somebody cancelled."""


def is_for_this_task(failure: BaseException) -> bool:
    """Return whether a failure of awaited code is in truth a cancellation of the running task.

    Code that awaits nothing is cancelled by nobody: what it raises is its own.
    """
    if not isinstance(failure, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def shown(value: object) -> str:
    """Return the `repr` of a user's object, or of what it is where it can't say.

    Such as an object of a database's row whose session is closed.
    """
    try:
        return repr(value)
    except FAILURES:
        return object.__repr__(value)
