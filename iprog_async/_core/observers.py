"""Telling the users' own code what becomes of requests and texts, as it happens."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Literal

from attrs import field, frozen

from iprog_async._core.callbacks.failures import FAILURES, shown
from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._core.hot_path import put_back
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.outcomes import Accepted, Outcome
from iprog_async._core.receipts import Receipt


logger = logging.getLogger("iprog_async")


@frozen(kw_only=True)
class AttemptEnded:
    """One request has ended: its answer was read, or there will be none.

    A request that is cancelled has no such event; its submission has one, with unknown outcomes.

    Args:
        provider: Name of the provider that was asked; with a router, of its member.
        what: What it was to do, in words: `"send the text"`, `"read the status"`.
        number: 1 for the first request of a call, 2 for its first repetition, and so on.
        seconds: How long the request took, once it had a connection slot.
        ended_at: When it ended, in seconds since 1970.
        server: Host of the gateway.
        sending: Whether it was part of `send` or a run; a `SubmissionEnded` follows then. Not
            so for a vendor's own operations, of which some text people, too.
        http_status: Status of the answer; `None` where there was none.
        error: What the answer, or the lack of one, means; `None` for a success.
    """

    provider: str
    what: str
    number: int
    seconds: float
    ended_at: float
    server: str
    sending: bool
    http_status: int | None
    error: SmsError | None = field(repr=False)


@frozen(kw_only=True)
class SubmissionEnded:
    """Messages that travelled together have come to their outcomes.

    A single send is a submission of one message, a bulk run has one for each batch. It holds
    every request that was made for it: repetitions, and those of a router's members.

    Args:
        provider: Name of the client's provider.
        numbers: The recipients as E.164, in the order of the outcomes.
        outcomes: One for each message.
        attempts: The requests, in the order in which they ended; none where a journal knew the
            outcome, or nothing could be asked.
        seconds: How long it took, with queue and waits.
        ended_at: When it ended, in seconds since 1970.
    """

    provider: str
    numbers: Sequence[str] = field(repr=False)
    outcomes: Sequence[Outcome] = field(repr=False)
    attempts: Sequence[AttemptEnded]
    seconds: float
    ended_at: float


@frozen(kw_only=True)
class SendEnded:
    """One message that was to be sent has come to its outcome.

    Each message that was handed to the gateway has one, of a call of `send` or of a run, and so
    has a `send` whose key a journal knew, though nothing is sent again. What is refused before
    has none: a `send` with a bad number or text raises its error at once, and the rows of a run
    that were never handed over (bad, suppressed, repeated, settled by an earlier run, given up)
    are among its outcomes only. Operations of a vendor's own, such as one-time passwords and
    campaigns, have none either: each of their requests is an `AttemptEnded`.

    Args:
        provider: Name of the provider that took it or was asked last; else the client's.
        state: `"accepted"`, `"not_sent"` or `"unknown"`.
        to: The number, masked: fit for a log.
        number: The number as E.164.
        segments: Number of SMS segments.
        seconds: How long it took, with queue and waits.
        outcome: The outcome itself, with the message, the receipt or the error.
    """

    provider: str
    state: Literal["accepted", "not_sent", "unknown"]
    to: str
    number: str = field(repr=False)
    segments: int
    seconds: float
    outcome: Outcome = field(repr=False)

    @property
    def message(self) -> Message:
        """What was to be sent; it holds the number and the text."""
        return self.outcome.message

    @property
    def receipt(self) -> Receipt | None:
        """The gateway's receipt; `None` where it accepted nothing."""
        return self.outcome.receipt if isinstance(self.outcome, Accepted) else None

    @property
    def failed(self) -> bool:
        """Whether the gateway accepted it, and said in the same answer that it failed."""
        return isinstance(self.outcome, Accepted) and self.outcome.failed

    @property
    def error(self) -> SmsError | None:
        """What went wrong; `None` for an accepted text."""
        return None if isinstance(self.outcome, Accepted) else self.outcome.error


class Observer:
    """Is told what happens, as `SmsClient(…, observers=[…])`; override what you want to know.

    The methods are called on the event loop and must not block. What they raise is logged and
    changes nothing: no text is lost, sent again or held up by it.
    """

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Learn that a request has ended, be it of a send, a read, or a vendor's own operation."""

    def submission_ended(self, event: SubmissionEnded) -> None:
        """Learn that messages which travelled together have come to their outcomes."""

    def send_ended(self, event: SendEnded) -> None:
        """Learn that a message has come to its outcome."""


class Observers:
    """All observers of a client; false if there are none.

    Args:
        observers: In the order in which they are told.

    Raises:
        ConfigurationError: One is no `Observer`.
    """

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        given: object = observers
        if not isinstance(given, Iterable):
            raise ConfigurationError("observers= takes a list, also of one observer")
        self._all = tuple(observers)
        self._failed: set[int] = set()
        for observer in self._all:
            _check(observer)

    def __bool__(self) -> bool:
        return bool(self._all)

    def notify(self, notify: Callable[[Observer], None]) -> None:
        """Call each observer; one that raises is logged, the first time."""
        # What a task asks that an observer starts is no part of the submission it is told of.
        token = _attempts.set(None)
        for observer in self._all:
            try:
                notify(observer)
            except FAILURES:
                # Nobody cancels a function that awaits nothing: it came from the observer.
                if id(observer) not in self._failed:
                    self._failed.add(id(observer))
                    name = type(observer).__name__
                    logger.exception("the observer %s failed; later failures are not shown", name)
        put_back(_attempts, token)

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Tell of a request, and note it for the submission that it belongs to."""
        attempts = _attempts.get()
        if attempts is not None:
            attempts.append(event)
        self.notify(lambda observer: observer.attempt_ended(event))


def _check(observer: object) -> None:
    if not isinstance(observer, Observer):
        raise ConfigurationError(
            f"observers are objects of subclasses of Observer, not {shown(observer)}"
        )
    for method in (observer.attempt_ended, observer.submission_ended, observer.send_ended):
        if inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"{type(observer).__name__}.{method.__name__} is an async function, and nobody "
                "would await it; make it a plain one, which may start a task"
            )


NULL_OBSERVERS = Observers()

_attempts: ContextVar[list[AttemptEnded] | None] = ContextVar("attempts", default=None)


def is_submitting() -> bool:
    """Return whether a request that is made now is part of sending texts."""
    return _attempts.get() is not None


class Submission:
    """Notes the requests that are made for some messages, between being made and `end`.

    Args:
        provider: Name of the client's provider.
        batch: The messages.
        observers: Who is told in the end.
    """

    def __init__(
        self, provider: str, batch: Sequence[PreparedMessage], observers: Observers
    ) -> None:
        self._provider = provider
        self._batch = batch
        self._observers = observers
        self._attempts: list[AttemptEnded] = []
        self._started = time.perf_counter()
        self._token = _attempts.set(self._attempts)

    def end(self, outcomes: Sequence[Outcome] | None) -> None:
        """Tell of it, unless it was cut short and has no outcomes."""
        put_back(_attempts, self._token)
        if outcomes is None:
            return
        event = SubmissionEnded(
            provider=self._provider,
            numbers=tuple(prepared.e164 for prepared in self._batch),
            outcomes=tuple(outcomes),
            attempts=tuple(self._attempts),
            seconds=time.perf_counter() - self._started,
            ended_at=time.time(),
        )
        self._observers.notify(lambda observer: observer.submission_ended(event))
