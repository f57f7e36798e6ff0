"""Messages that are read in the thread of whoever asked for them, and not on the loop.

There a generator may block, use a database's cursor that belongs to its thread, and send texts.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from itertools import islice
from typing import cast

from attrs import frozen

from iprog_async._bulk.suppression import (
    AskedBefore,
    IsSuppressed,
    Suppress,
    check_suppress,
    checked_answer,
)
from iprog_async._core.callbacks.failures import FAILURES
from iprog_async._core.checks import check_messages
from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.outcomes import NotSent
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import SmsProvider
from iprog_async.sync._calls import Errand, Inbox


# What is read for one errand: more and more of a source that is quick, one by one of a slow one,
# whose first message must not wait for the second.
_MOST = 64
_QUICK = 0.001  # seconds for a message


@frozen
class _Read:
    """Some messages, and why there are no more, if so."""

    messages: list[Message]
    ended: bool
    error: Exception | None


class ThreadMessages:
    """An async iterable of messages, each of which is read in the thread that does the errands.

    Args:
        messages: Where they come from.
        inbox: Where the thread hears of errands.
    """

    def __init__(self, messages: Iterable[Message], inbox: Inbox) -> None:
        self._messages = iter(messages)
        self._inbox = inbox
        self._size = 1

    async def __aiter__(self) -> AsyncGenerator[Message]:
        """Yield the messages, as they are read."""
        loop = asyncio.get_running_loop()
        while True:
            done: asyncio.Future[_Read] = loop.create_future()
            self._inbox.put(Errand(self._read, done))
            read = await done
            for message in read.messages:
                yield message
            if read.error is not None:
                raise read.error
            if read.ended:
                return

    def _read(self) -> _Read:
        started = time.monotonic()
        messages: list[Message] = []
        error: Exception | None = None
        try:
            # One by one: what came before an error must not be lost with it.
            for message in islice(self._messages, self._size):
                messages.append(message)
        except Exception as exc:
            error = exc
        ended = len(messages) < self._size
        quick = time.monotonic() - started < _QUICK * self._size
        self._size = min(_MOST, 2 * self._size) if quick else 1
        return _Read(messages, ended, error)


def read_in_thread(messages: Iterable[Message], inbox: Inbox) -> Iterable[Message] | ThreadMessages:
    """Return messages as a run takes them: a list as it is, which runs no code of the caller's.

    Args:
        messages: Where they come from.
        inbox: Where the thread that reads hears of errands.
    """
    return messages if isinstance(messages, (list, tuple)) else ThreadMessages(messages, inbox)


def check_source(messages: object) -> None:
    """Raise an error for what a thread can't read message by message.

    Raises:
        TypeError: It is nothing of the kind.
        ConfigurationError: It is a generator that has ended.
    """
    check_messages(messages)
    if hasattr(messages, "__aiter__") and not hasattr(messages, "__iter__"):
        raise TypeError(
            "messages is an iterable of Message(to, text) here; an async one is read by "
            "iprog_async.SmsClient. Nothing was sent"
        )


@frozen
class _Said:
    """What a function said of the number of a message.

    Args:
        position: Where the message is in the run.
        number: The number that was asked about.
        answer: Returns what was said, or raises it.
    """

    position: int
    number: str
    answer: Callable[[], object]


class _Answers(AskedBefore):
    """What a function said of numbers: it is asked in one thread, and heard on the loop.

    Args:
        ask: The function.
        provider: Knows how to read national numbers.
    """

    def __init__(self, ask: IsSuppressed, provider: SmsProvider) -> None:
        self._ask = ask
        self._provider = provider
        # In the order of the messages. One end is the thread's and one the loop's: what is done to
        # it is a single step each, or the two would undo each other's.
        self._given: deque[_Said] = deque()

    def is_suppressed(self, prepared: PreparedMessage) -> object:
        """Return the answer for a message that was read, or raise what came instead of one."""
        while self._given and self._given[0].position <= prepared.index:
            said = self._given.popleft()
            if (said.position, said.number) == (prepared.index, prepared.e164):
                return checked_answer(said.answer())
            # The run found something else wrong with that message, and did not ask.
        raise InvalidMessageError(
            f"suppress= could not be asked about {prepared.e164}: without its text this number is "
            "another one, or none. It was not sent"
        )

    def noting(self, messages: Iterable[Message]) -> Iterator[Message]:
        """Yield messages, each once the function was asked about its number."""
        for position, message in enumerate(messages):
            try:
                number = read_number(self._provider, message.to)
            except Exception:
                # The run says why it is not sent, and asks nobody.
                yield message
                continue
            self._given.append(_Said(position, number, self._answer(number)))
            yield message

    def _answer(self, number: str) -> Callable[[], object]:
        try:
            answer = self._ask(number)
        except FAILURES as exc:
            return _raising(exc)
        return lambda: answer


def _raising(error: BaseException) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


def suppressing(
    messages: Iterable[Message], suppress: Suppress | None, provider: SmsProvider
) -> tuple[Iterable[Message], Suppress | None]:
    """Return messages and `suppress=` such that the caller's code runs in the caller's thread.

    Args:
        messages: What is to be sent.
        suppress: What the caller gave.
        provider: Knows how to read national numbers.
    """
    given = suppress
    if suppress is None or isinstance(suppress, (str, os.PathLike)):
        return messages, given
    check_suppress(suppress)
    if not callable(suppress):
        # Such as a query, which must not be made on the loop.
        return messages, list(suppress)
    if _is_to_be_awaited(suppress):
        # It is refused with the right words.
        return messages, given
    answers = _Answers(suppress, provider)
    # The client hands it on to the run as it is.
    return answers.noting(messages), cast("Suppress", answers)


def _is_to_be_awaited(ask: IsSuppressed) -> bool:
    return any(map(inspect.iscoroutinefunction, (ask, type(ask).__call__)))


LeftOut = Callable[[NotSent], None]


def telling(
    messages: Iterable[Message], found: list[NotSent], left_out: LeftOut | None
) -> Iterable[Message]:
    """Return messages; before each one is read, tell of those that were left out up to now.

    Args:
        messages: What is read.
        found: Where the loop puts what it leaves out.
        left_out: Whom to tell, in this thread.
    """
    if left_out is None:
        return messages

    def read() -> Iterator[Message]:
        for message in messages:
            tell(found, left_out)
            yield message

    return read()


def tell(found: list[NotSent], left_out: LeftOut | None) -> None:
    """Tell of what was left out since the last time."""
    if left_out is not None and found:
        # The loop may add to it meanwhile.
        told = found[:]
        del found[: len(told)]
        for outcome in told:
            left_out(outcome)
