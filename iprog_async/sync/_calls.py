"""One call of a thread to the loop: the thread waits, and does what the loop asks of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, copy_context
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from attrs import define, frozen

from iprog_async._core.errors import (
    ClientClosedError,
    OutcomeUnknownError,
    SmsError,
    WrongLoopError,
)
from iprog_async._core.receipts import Receipt
from iprog_async._http.send_context import SendContext, active_send, was_in_flight
from iprog_async.sync._loop_thread import LoopThread, loop_thread


T = TypeVar("T")


@define(eq=False)
class Errand:
    """Something that a task of the loop wants done in the thread that waits for it."""

    work: Callable[[], object]
    done: asyncio.Future[Any]


Inbox = SimpleQueue[object]
"""What a waiting thread hears: an `Errand`, a task that has ended, or `None`: look again."""

Describe = Callable[[asyncio.CancelledError], str]
"""Says what it means for the text that its call was cancelled."""


@frozen
class Called:
    """What a thread has called, in the words of an error.

    Args:
        name: What it is.
        instead: What to do where an event loop runs.
        left: What was certainly not done.
    """

    name: str
    instead: str
    left: str


CLIENT = Called("client", "use iprog_async.SmsClient and await its methods", "Nothing was sent")
_LONGEST_DEAFNESS = 0.5  # seconds
_ITS_OTHER_FORM = "await the methods of its .asynchronous"
JOURNAL = Called("journal", _ITS_OTHER_FORM, "The journal was neither read nor changed")
SUPPRESSIONS = Called(
    "list of suppressed numbers", _ITS_OTHER_FORM, "The list was neither read nor changed"
)


def check_thread(called: Called = CLIENT) -> None:
    """Raise `WrongLoopError` in a thread that runs an event loop: waiting would stop it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise WrongLoopError(
        f"this {called.name} is for synchronous code, and an event loop runs in this thread, which "
        f"would stand still: {called.instead}, or call this one in a thread of its own, by "
        f"asyncio.to_thread. {called.left}"
    )


def this_thread(called: Called) -> LoopThread:
    """Return where the loop of this process is, for a thread that is to wait for it.

    Args:
        called: What is called, for the error.

    Raises:
        WrongLoopError: An event loop runs in this thread.
        ClientClosedError: The interpreter is exiting.
    """
    check_thread(called)
    return loop_thread()


class Call(Generic[T]):
    """A coroutine that runs on the loop; once it has ended, its task is in an inbox.

    It has the context variables of the thread that starts it, such as the current span, but for
    those of a send that this thread may be part of.

    Args:
        thread: Where the loop is.
        coroutine: What to do there.
        inbox: Where its task goes, and where errands come in.
    """

    def __init__(self, thread: LoopThread, coroutine: Coroutine[Any, Any, T], inbox: Inbox) -> None:
        self._thread = thread
        self._inbox = inbox
        self._coroutine = coroutine
        self._context = copy_context()
        self._task: asyncio.Task[T] | None = None
        self._refused = False

    def start(self) -> None:
        """Start it.

        Raises:
            ClientClosedError: The interpreter is exiting; nothing was sent.
        """
        try:
            self._thread.call(self._begin, context=self._context)
        except ClientClosedError:
            self._refused = True
            # It is never awaited, and would complain.
            self._coroutine.close()
            raise

    def _begin(self) -> None:
        active_send.set(SendContext())
        self._task = task = self._thread.start(self._coroutine, self._context)
        task.add_done_callback(self._inbox.put)

    def is_end(self, heard: object) -> bool:
        """Return whether what was heard is the end of this call."""
        return heard is self or (heard is not None and heard is self._task)

    def cancel(self) -> None:
        """Cancel it; called on the loop."""
        if self._task is not None:
            self._task.cancel()
        else:
            # Interrupted before it could begin.
            self._coroutine.close()
            self._inbox.put(self)

    def wait(self, describe: Describe | None = None) -> T:
        """Start it, wait for its end, doing errands, and return its result.

        What interrupts the waiting, such as Ctrl-C, cancels it, and carries a note that says what
        became of it.

        Args:
            describe: Says what a cancellation means.
        """
        try:
            self.start()
            while not self.is_end(hear(self._thread, self._inbox)):
                pass
        except BaseException as interruption:
            if self._thread.is_current and not self._refused:
                self._abandon(interruption, describe)
            raise
        return self.result()

    def _abandon(self, interruption: BaseException, describe: Describe | None) -> None:
        self._thread.post(self.cancel)
        while not self.is_end(_next_of(self._inbox)):
            pass
        note = self._outcome(describe)
        if note:
            interruption.add_note(note)

    def _outcome(self, describe: Describe | None) -> str:
        """Return what became of the call, in words."""
        try:
            result = self._finished()
        except asyncio.CancelledError as exc:
            return describe(exc) if describe is not None else "\n".join(notes_of(exc))
        except SmsError as exc:
            return str(exc)
        except Exception:
            return ""
        return f"the text was accepted: {result.ref}" if isinstance(result, Receipt) else ""

    def result(self) -> T:
        """Return the result of a call that has ended, or raise its error."""
        try:
            return self._finished()
        except asyncio.CancelledError as exc:
            cancelled = exc
        # By the end of the interpreter, which leaves nothing running, or by what was called itself.
        is_ending = self._thread.is_ending
        if was_in_flight(cancelled):
            words = "\n".join(notes_of(cancelled))
            why = "the interpreter exited" if is_ending else "it was cancelled"
            raise OutcomeUnknownError(words, provider="", reason=why)
        if not is_ending:
            raise cancelled
        raise ClientClosedError("the interpreter is exiting; this call sent nothing")

    def _finished(self) -> T:
        if self._task is None:
            raise asyncio.CancelledError
        return self._task.result()


def notes_of(exc: BaseException) -> list[str]:
    """Return the notes that an exception carries."""
    return getattr(exc, "__notes__", [])


def hear(thread: LoopThread, inbox: Inbox) -> object:
    """Return the next thing that comes in; an errand is done, and `None` returned."""
    heard = _next_of(inbox)
    if isinstance(heard, Errand):
        _do(thread, heard)
        return None
    return heard


def _next_of(inbox: Inbox) -> object:
    # Of a signal that comes in the moment in which it goes to wait, Python hears only as it wakes.
    while True:
        with suppress(Empty):
            return inbox.get(timeout=_LONGEST_DEAFNESS)


def _do(thread: LoopThread, errand: Errand) -> None:
    try:
        result = errand.work()
    except BaseException:
        # Such as Ctrl-C in the midst of it.
        error = RuntimeError("the source of the messages was interrupted")
        thread.post(_settle, errand.done, None, error)
        raise
    # It may have forked, and this be the child.
    thread.check()
    thread.post(_settle, errand.done, result, None)


def _settle(done: asyncio.Future[object], result: object, error: Exception | None) -> None:
    if done.done():
        # Nobody waits for it any more.
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def call(
    thread: LoopThread,
    coroutine: Coroutine[Any, Any, T],
    *,
    inbox: Inbox | None = None,
    describe: Describe | None = None,
) -> T:
    """Wait for a coroutine on the loop, and return its result; see `Call`."""
    return Call(thread, coroutine, SimpleQueue() if inbox is None else inbox).wait(describe)


def close(thread: LoopThread, closing: Coroutine[Any, Any, object]) -> None:
    """Wait until something is closed on the loop.

    A generator that nobody holds any more is closed by whichever thread collects it; if that is
    the loop's own, which can't wait for itself, it is closed a moment later.
    """
    if thread.is_here:
        # Whatever this thread was at is none of its business.
        thread.start(closing, Context())
    else:
        call(thread, closing)
