"""From messages to batches that may be sent; a run and its preview share every step."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from attrs import evolve, field, frozen

from iprog_async._bulk.duplicates import SeenTable
from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.source import Messages, MessageSource, WindowSize
from iprog_async._bulk.suppression import RowIsSuppressed, load_for_run
from iprog_async._core.callbacks.failures import FAILURES, shown
from iprog_async._core.clock import Clock
from iprog_async._core.errors import (
    DuplicateMessageError,
    InvalidMessageError,
    JournalError,
    NumberRepeatedError,
    RunHaltedError,
    SmsError,
    SuppressedError,
)
from iprog_async._core.messages import Batch, Message, PreparedMessage, check_not_after
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._journal.ledger import Ledger
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.batching import WindowPlanner
from iprog_async._sending.encoding import prepare
from iprog_async._sending.submit import overdue


# While the first window is read every connection waits; the others are read ahead.
_FIRST_WINDOW = 1_000
_LARGEST_WINDOW = 10_000
_SMALLEST_WINDOW = 100
_CHECKED_AT_ONCE = 64
# A source may go on for days: a text that is too few to travel does not wait for it as long.
_CARRIED_FOR = 5.0


@frozen
class Unsendable(Message):
    """A row of a source that could not be made a message: its outcome is its problem."""

    problem: InvalidMessageError = field(kw_only=True)


@frozen
class Window:
    """What became of some messages that were looked at together.

    Args:
        fresh: Those that are to be sent.
        refused: Outcomes of those that can't or must not be.
        known: Outcomes of those that an earlier run settled, by the journal.
        batches: What can be sent now; some of an earlier window, maybe.
        last: Whether nothing follows.
        problem: Why the journal could not be asked, if so: nothing more may be sent. What it was to
            be asked about is in none of these, until `give_up`.
    """

    fresh: Sequence[PreparedMessage]
    refused: Sequence[NotSent]
    known: Sequence[Outcome]
    batches: Sequence[Batch]
    last: bool
    problem: JournalError | None = None


@frozen
class Checked:
    """Messages that were read and checked, whatever a journal has of them.

    Args:
        fresh: Those that can be sent.
        late: Those whose time is over, each with its outcome if no earlier run sent it.
        refused: Outcomes of those that can't or must not be sent.
        last: Whether nothing follows.
    """

    fresh: list[PreparedMessage]
    late: Sequence[tuple[PreparedMessage, NotSent]]
    refused: list[NotSent]
    last: bool


class Preparation:
    """Reads messages a window at a time, checks them, and plans their batches.

    Args:
        provider: A provider.
        messages: An iterable or async iterable.
        options: How they are read.
        clock: What tells whether the time of a message is over.
    """

    def __init__(
        self, provider: SmsProvider, messages: Messages, options: BulkOptions, clock: Clock
    ) -> None:
        self._window_size = _window_size(provider, options)
        self._provider = provider
        self._clock = clock
        self._encoding = options.encoding
        self._sender_ids = options.sender_ids
        self._not_after = options.not_after
        self._suppress = options.suppress
        self._is_suppressed: RowIsSuppressed | None = None
        self._source = MessageSource(messages, self._window_size.now, options.linger)
        self._ledger: Ledger | None = None
        self._seen = None if options.deduplicated else SeenTable()
        per_number = options.one_per_number and not options.deduplicated
        self._numbers = SeenTable() if per_number else None
        self.one_per_number = options.one_per_number
        """Whether each number gets one message."""
        self._next_index = 0
        self._has_times = False
        self._late: list[tuple[PreparedMessage, NotSent]] = []
        self._unseen: list[PreparedMessage] = []
        self._planner = WindowPlanner(provider.batching)

    async def open(self, ledger: Ledger | None) -> None:
        """Get ready to read.

        Args:
            ledger: Knows what an earlier run settled.

        Raises:
            ConfigurationError: The numbers to suppress can't be read.
        """
        self._ledger = ledger
        if self._suppress is not None:
            self._is_suppressed = await load_for_run(self._suppress, self._provider)

    def stop(self) -> None:
        """Wake whoever waits for messages: there are no more, and nothing more is sent."""
        self._source.stop()
        if self._ledger is not None:
            self._ledger.stop()

    async def aclose(self) -> None:
        """Stop options."""
        await self._source.aclose()

    async def next_window(self) -> Window:
        """Read and sort out the next messages.

        Raises:
            Exception: Whatever the source raised.
        """
        checked = await self.next_checked()
        fresh, refused, last = checked.fresh, checked.refused, checked.last
        late = [prepared for prepared, _ in checked.late]
        known: list[Outcome] = []
        problem = None
        if self._ledger is not None:
            try:
                if late:
                    known = await self._ledger.settled(late)
                if fresh:
                    fresh, more = await self._ledger.admit(fresh)
                    known = [*known, *more]
            except JournalError as exc:
                problem = exc
        if late or problem is not None:
            had = {outcome.index for outcome in known}
            if problem is None:
                refused.extend(gone for _, gone in checked.late if gone.index not in had)
            else:
                # Nobody knows whether an earlier run sent the others, late or not.
                self._unseen += (one for one in (*late, *fresh) if one.index not in had)
                fresh = []
        fresh, more = await self._without_overdue(fresh, refused)
        known += more
        batches = self._planner.plan(fresh, final=last or self._source.pauses)
        # Where a journal is asked it is once for each window, behind all that waits to be written:
        # the fewer there are, the better.
        asked = self._ledger is not None and self._ledger.looks_up
        self._window_size.note(() if asked else batches)
        return Window(fresh, refused, known, batches, last, problem)

    async def give_up(self, waiting: Sequence[PreparedMessage], error: RunHaltedError) -> Window:
        """Return what became of all that was read and is not sent any more.

        Args:
            waiting: Messages of earlier windows that have no outcome.
            error: Why they are not sent.
        """
        waiting = [*waiting, *self._planner.carried, *self._unseen]
        known = [] if self._ledger is None else await self._ledger.given_up(waiting)
        had = {outcome.index for outcome in known}
        left = (prepared for prepared in waiting if prepared.index not in had)
        refused = [NotSent(prepared.index, prepared.message, error) for prepared in left]
        return Window((), refused, known, (), last=True)

    async def next_checked(self) -> Checked:
        """Read and check the next messages, whatever a journal has of them.

        Raises:
            Exception: Whatever the source raised.
        """
        self._source.window = self._window_size.now
        patience = _CARRIED_FOR if self._planner.has_carried else None
        messages = await self._source.next_window(patience)
        fresh: list[PreparedMessage] = []
        refused: list[NotSent] = []
        for position, message in enumerate(messages, 1):
            if position % _CHECKED_AT_ONCE == 0:
                # A large window must not keep everybody else from the loop.
                await asyncio.sleep(0)
            checked = self._check(message)
            if isinstance(checked, PreparedMessage):
                fresh.append(checked)
            else:
                refused.append(checked)
        late, self._late = self._late, []
        if late:
            gone = {prepared.index for prepared, _ in late}
            fresh = [prepared for prepared in fresh if prepared.index not in gone]
        return Checked(fresh, late, refused, not (messages or self._source.pauses))

    async def _without_overdue(
        self, fresh: list[PreparedMessage], refused: list[NotSent]
    ) -> tuple[list[PreparedMessage], list[Outcome]]:
        """Return the messages whose time is still to come, and what others brought the rest to.

        The outcomes of all that nobody has sent go to `refused`: looking them up may have taken
        its time, as others may be at some of them for a minute.
        """
        if not self._has_times:
            return fresh, []
        now = self._clock.now()
        over = {found.index: found for each in fresh if (found := overdue(each, now)) is not None}
        if not over:
            return fresh, []
        in_time = [prepared for prepared in fresh if prepared.index not in over]
        had: list[Outcome] = []
        if self._ledger is not None:
            gone = [prepared for prepared in fresh if prepared.index in over]
            had = await self._ledger.given_up(gone)
            self._ledger.forget(gone)
        for outcome in had:
            del over[outcome.index]
        refused.extend(over.values())
        return in_time, had

    def _check(self, message: Message) -> PreparedMessage | NotSent:
        index = self._next_index
        self._next_index += 1
        try:
            if type(message) is not Message:
                if isinstance(message, Unsendable):
                    return NotSent(index, message, message.problem)
                if not isinstance(message, Message):
                    raise InvalidMessageError(
                        f"item {index} is of type {type(message).__name__}; give Message(to, text)"
                    )
            if self._not_after is not None and message.not_after is None:
                message = evolve(message, not_after=self._not_after)
            if message.not_after is not None:
                check_not_after(message)
            prepared = prepare(self._provider, message, index, self._encoding, self._sender_ids)
            if message.schedule_at is not None or message.not_after is not None:
                self._has_times = True
            if self._is_suppressed is not None and self._is_suppressed(prepared):
                return NotSent(index, message, SuppressedError(prepared.e164))
            late = overdue(prepared, self._clock.now()) if self._has_times else None
            if late is None:
                self._check_repeated(prepared)
            else:
                # It stays late, whatever the clock says later: a later one is no repetition of it.
                self._late.append((prepared, late))
        except SmsError as exc:
            return NotSent(index, message, exc)
        except FAILURES as exc:
            # A row can hold anything, and none may end the run for the others.
            error = InvalidMessageError(f"message {index} can't be prepared: {shown(exc)}")
            return NotSent(index, message, error)
        return prepared

    def _check_repeated(self, prepared: PreparedMessage) -> None:
        index, wire = prepared.index, prepared.wire
        if self._seen is not None:
            identity: tuple[object, ...]
            if self._ledger is not None and wire.key is not None:
                # In a journal the key alone names a message, so that its text may be fixed.
                identity = prepared.e164, wire.key
            else:
                identity = prepared.e164, wire.text, wire.key, wire.schedule_at
            first = self._seen.first_index(identity, index)
            if first != index:
                raise DuplicateMessageError(first)
        if self._numbers is not None:
            first = self._numbers.first_index((prepared.e164,), index)
            if first != index:
                raise NumberRepeatedError(first)


def _window_size(provider: SmsProvider, options: BulkOptions) -> WindowSize:
    if options.window is not None:
        return WindowSize(options.window, first=options.window, smallest=options.window)
    fitting = max(provider.batching.max_batch * options.concurrency, _SMALLEST_WINDOW)
    return WindowSize(
        min(fitting, _LARGEST_WINDOW),
        first=_FIRST_WINDOW,
        smallest=max(2 * options.concurrency, _SMALLEST_WINDOW),
    )
