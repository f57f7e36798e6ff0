"""What a send takes along to its request: its claim in a journal, and how it is withdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from iprog_async._core.errors import SmsError
from iprog_async._core.hot_path import put_back, value
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._http.expiry import LeaveBy


class Claim(Protocol):
    """What has to be on record before the messages of one request may leave."""

    @property
    def leaves_by(self) -> float:
        """Until when, by `uptime`, the messages may leave that `take` has put on record."""
        ...

    def take(self) -> asyncio.Future[SmsError | None]:
        """Put on record that the request is about to leave.

        Returns:
            What is done when it is; its result is the error if that is impossible.
        """
        ...

    def release(self) -> None:
        """Put on record that a request for which `take` was called certainly did not leave."""
        ...

    def hold(self) -> None:
        """Note that a request may have left: from now on `release` changes nothing."""
        ...

    def part(self, positions: Sequence[int]) -> Claim:
        """Return a claim of some of the messages, for a request that carries only them.

        Whoever asks one gateway after the other takes a part for each request, so that none
        takes back what went out with another.

        Args:
            positions: Which messages, by their position in this claim.
        """
        ...

    def give_back(self) -> None:
        """Put on record that no message of this claim was sent, by whatever request, and waits."""
        ...


class Permit(Protocol):
    """What has to allow the messages of one request at the moment at which it leaves."""

    @property
    def leaves_by(self) -> float:
        """Until when, by `uptime`, the messages may leave."""
        ...

    async def confirm(self) -> None:
        """Make sure that they may still be sent.

        Raises:
            WithdrawnError: One of them may not, or not as it is; nothing was sent.
        """
        ...

    def part(self, positions: Sequence[int]) -> Permit:
        """Return the permit of some of the messages, for a request that carries only them.

        Args:
            positions: Which messages, by their position in this permit.
        """
        ...


T = TypeVar("T")


class WithdrawnError(SmsError):
    """A text was withdrawn before it left: it certainly was not sent, and waits."""


class Withdrawal:
    """Withdraws what one task is about to send, as long as it waits.

    What is past its waiting goes on to its outcome.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = False
        self._withdrawn = False

    @property
    def withdrawn(self) -> bool:
        """Whether nothing more may leave."""
        return self._withdrawn

    def belongs_to(self, task: asyncio.Task[None]) -> None:
        """Note which task sends."""
        self._task, self._loop = task, task.get_loop()

    def withdraw(self) -> None:
        """Let nothing more leave: whatever waits, now or later, ends with `WithdrawnError`."""
        if self._withdrawn:
            return
        self._withdrawn = True
        # A policy that is asked as its text leaves, and stops the run, waits for nothing: it would
        # be caught later, when the text is on its way.
        if self._waiting and self._task not in (None, asyncio.current_task(self._loop)):
            self._task.cancel()

    async def wait(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something while nothing is on its way.

        Raises:
            WithdrawnError: The text was withdrawn; it was not sent.
        """
        if asyncio.current_task(self._loop) is not self._task:
            # A task that ours started, such as a source that asks a gateway for its rows: it
            # has our context, and what it waits for is nothing that this run sends.
            return await waiting
        if self._withdrawn:
            # It is never awaited, and would warn of that.
            waiting.close()
            raise _withdrawn_error()
        self._waiting = True
        try:
            return await waiting
        except asyncio.CancelledError:
            # Somebody else may have cancelled the task as well.
            if self._withdrawn and self._task is not None and self._task.uncancel() == 0:
                raise _withdrawn_error() from None
            raise
        finally:
            self._waiting = False


@value
class SendContext:
    """What belongs to the send of a task, and no adapter has to know.

    Args:
        claim: Its claim; `None` where no journal is kept.
        withdrawal: What withdraws its texts; `None` where nobody does.
        unknown_bound: How many people its run lets become unknown; `None` where it is no run's.
        permit: The policies' word for it; `None` where there are none.
        leave_by: Until when its texts may leave; `None` where that does not matter.
    """

    claim: Claim | None = None
    withdrawal: Withdrawal | None = None
    unknown_bound: int | None = None
    permit: Permit | None = None
    leave_by: LeaveBy | None = None

    def carrying(
        self, claim: Claim | None, permit: Permit | None, leave_by: LeaveBy | None
    ) -> SendContext:
        """Return the same for a request with this claim and this permit, and this end."""
        return SendContext(claim, self.withdrawal, self.unknown_bound, permit, leave_by)


active_send: ContextVar[SendContext] = ContextVar("active_send", default=SendContext())  # noqa: B039 - nobody changes it
"""The send that this task is making."""

_NO_SEND = SendContext()


class OutsideSend:
    """Runs code of users, which may send texts of its own: they have no part in the active send.

    Nor have the tasks that it starts, which keep the context that they find.
    """

    def __enter__(self) -> None:
        self._token = active_send.set(_NO_SEND)

    def __exit__(self, *_: object) -> None:
        put_back(active_send, self._token)


def withdrawable(waiting: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """Return what to await for something while nothing is on its way.

    Awaiting it raises `WithdrawnError` if the text is withdrawn; it was not sent then.
    """
    withdrawal = active_send.get().withdrawal
    return waiting if withdrawal is None else withdrawal.wait(waiting)


def is_withdrawn() -> bool:
    """Return whether the text that this task sends was withdrawn."""
    withdrawal = active_send.get().withdrawal
    return withdrawal is not None and withdrawal.withdrawn


def was_withdrawn(outcome: Outcome) -> bool:
    """Return whether a text was withdrawn, which is no outcome that anybody sees."""
    return isinstance(outcome, NotSent) and isinstance(outcome.error, WithdrawnError)


def _withdrawn_error() -> WithdrawnError:
    return WithdrawnError("the run was stopped before this text left; it was not sent")


_IN_FLIGHT = "the request was on its way"


def note_in_flight(exc: asyncio.CancelledError, words: str) -> None:
    """Say on a cancellation that a send was on its way, so that nobody repeats it blindly."""
    exc.add_note(f"{words}: {_IN_FLIGHT}")


def was_in_flight(exc: asyncio.CancelledError) -> bool:
    """Return whether a cancellation caught a send that may have left."""
    notes: list[str] = getattr(exc, "__notes__", [])
    return any(note.endswith(_IN_FLIGHT) for note in notes)
