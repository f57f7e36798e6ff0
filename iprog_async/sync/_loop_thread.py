"""The process's one event loop for synchronous code, in a thread of its own.

A fork copies the thread that forks and no other: the child's copy of the loop never runs again, and
shares its selector and its sockets with the parent. So the child leaves it alone, does not even
close it, and starts a loop of its own when it first needs one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol, TypeVar

from iprog_async._core.errors import ClientClosedError


T = TypeVar("T")

# How long a fork waits for the loop to come to a point where it holds no lock.
_LONGEST_PARKING = 1.0
# How long the interpreter's exit waits for what was cancelled, once every client is closed.
_LONGEST_FAREWELL = 10.0
_FORKED = (
    "this process was forked off in the middle of a run of its parent, which goes on there; "
    "begin another one here. Nothing was sent from this process"
)


class Closable(Protocol):
    """What is to be closed before the loop ends."""

    def close(self) -> None:
        """Close it; called in any thread but the loop's."""
        ...


class LoopThread:
    """An event loop that runs in a daemon thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.opening = threading.RLock()
        """Held by the thread that opens a client; a signal handler may want it once more."""
        self.clients: set[Closable] = set()
        """Clients that are open on the loop."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name="iprog-async", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether it runs in this process, and not in the one that this was forked off from."""
        return self is _current

    @property
    def is_ending(self) -> bool:
        """Whether the interpreter is exiting."""
        return _ended

    @property
    def is_here(self) -> bool:
        """Whether it is this very thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def start(self, coroutine: Coroutine[Any, Any, T], context: Context) -> asyncio.Task[T]:
        """Run a coroutine; called in the loop's own thread.

        Args:
            coroutine: What to run.
            context: The context variables it has.
        """
        task = self.loop.create_task(coroutine, context=context)
        # The loop itself would let it be collected before its end.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def call(self, function: Callable[..., object], *args: Any, context: Context) -> None:
        """Have a function called on the loop soon.

        Raises:
            ClientClosedError: The loop is of another process, or the interpreter is exiting;
                nothing was sent.
        """
        self.check()
        try:
            self.loop.call_soon_threadsafe(function, *args, context=context)
        except RuntimeError:
            raise _exiting() from None

    def check(self, forked: str | None = None) -> None:
        """Raise `ClientClosedError` where the loop does not run.

        Args:
            forked: What to say in a process that was forked off.
        """
        if not self.is_current:
            raise _exiting() if _ended else ClientClosedError(forked or _FORKED)

    def post(self, function: Callable[..., object], *args: Any) -> None:
        """Have a function called on the loop soon, if the loop still runs."""
        if self.is_current:
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(function, *args)

    def _run(self) -> None:
        loop = self.loop
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(_cancel_all())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    def park(self) -> threading.Event | None:
        """Hold the loop between two of its steps, where it has no lock of anybody's.

        Returns:
            What lets it go on once it is set; `None` in the loop's own thread.
        """
        if self.is_here or self.loop.is_closed():
            return None
        parked, go_on = threading.Event(), threading.Event()

        def wait() -> None:
            parked.set()
            go_on.wait()

        self.loop.call_soon_threadsafe(wait)
        parked.wait(_LONGEST_PARKING)
        return go_on

    def end(self) -> None:
        """Close every client, then cancel whatever is left, and end the thread."""
        for client in [*self.clients]:
            # What one of them meets must not keep the others open.
            with suppress(Exception):
                client.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_LONGEST_FAREWELL)


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


_lock = threading.RLock()
_current: LoopThread | None = None
_ended = False
# Never to be used or collected: what collects a task runs its `finally`, which could take the
# parent's sockets out of the selector that both processes share.
_inherited: list[LoopThread] = []
_parking = threading.local()


def loop_thread() -> LoopThread:
    """Return this process's loop; it is started by whoever asks first.

    Raises:
        ClientClosedError: The interpreter is exiting; nothing was sent.
    """
    global _current
    if _current is not None:
        return _current
    with _lock:
        if _ended:
            raise _exiting()
        if _current is None:
            _current = LoopThread()
        return _current


def _exiting() -> ClientClosedError:
    return ClientClosedError("the interpreter is exiting; nothing was sent")


def _end() -> None:
    global _current, _ended
    with _lock:
        ending, _ended = _current, True
    if ending is not None:
        ending.end()
        _current = None


# All finalizers, such as that of an open journal, are run by one function of the exit, which the
# first finalizer registers. What is registered after that function runs before it.
weakref.finalize(_end, int).detach()
atexit.register(_end)


def _before_fork() -> None:
    _parking.go_on = None if _current is None else _current.park()


def _after_fork_in_parent() -> None:
    if _parking.go_on is not None:
        _parking.go_on.set()


def _after_fork_in_child() -> None:
    global _current, _lock
    _lock = threading.RLock()
    if _current is not None:
        _inherited.append(_current)
        _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
