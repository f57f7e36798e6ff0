"""Calling back what waits to be sent: in a queue, for a rate, in a pause, or between two tries."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from iprog_async._core.errors import SmsError
from iprog_async._core.outcomes import NotSent, Outcome


T = TypeVar("T")


class RecalledError(SmsError):
    """A text was called back before it left: it certainly was not sent, and waits."""


class Recall:
    """Calls back what one task is about to send, as long as it waits.

    What is past its waiting goes on to its outcome.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = False
        self._called_back = False

    def belongs_to(self, task: asyncio.Task[None]) -> None:
        """Note which task sends."""
        self._task, self._loop = task, task.get_loop()

    def call_back(self) -> None:
        """Let nothing more leave: whatever waits, now or later, ends with `RecalledError`."""
        if self._called_back:
            return
        self._called_back = True
        if self._waiting and self._task is not None:
            self._task.cancel()

    async def wait(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something while nothing is on its way.

        Raises:
            RecalledError: The text was called back; it was not sent.
        """
        if asyncio.current_task(self._loop) is not self._task:
            # A task that ours started, such as a source that asks a gateway for its rows: it
            # has our context, and what it waits for is nothing that this run sends.
            return await waiting
        if self._called_back:
            # It is never awaited, and would complain.
            waiting.close()
            raise _recalled()
        self._waiting = True
        try:
            return await waiting
        except asyncio.CancelledError:
            # Somebody else may have cancelled the task as well.
            if self._called_back and self._task is not None and self._task.uncancel() == 0:
                raise _recalled() from None
            raise
        finally:
            self._waiting = False


active_recall: ContextVar[Recall | None] = ContextVar("active_recall", default=None)
"""What calls back the texts of this task; `None` where nobody does."""


def recallable(waiting: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """Return what to await for something while nothing is on its way.

    Awaiting it raises `RecalledError` if the text is called back; it was not sent then.
    """
    recall = active_recall.get()
    return waiting if recall is None else recall.wait(waiting)


def was_recalled(outcome: Outcome) -> bool:
    """Return whether a text was called back, which is no outcome that anybody sees."""
    return isinstance(outcome, NotSent) and isinstance(outcome.error, RecalledError)


def _recalled() -> RecalledError:
    return RecalledError("the run was stopped before this text left; it was not sent")
