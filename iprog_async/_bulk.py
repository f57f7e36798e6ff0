"""Sending to many: messages in, outcomes out, bounded memory in between."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Self

from attrs import define

from iprog_async._adapters import unclear
from iprog_async._bulk_source import Messages, MessageSource
from iprog_async._cancellation import was_in_flight
from iprog_async._clock import Clock
from iprog_async._errors import (
    ConfigurationError,
    DuplicateMessageError,
    RunHaltedError,
    SmsError,
)
from iprog_async._messages import Message, PreparedMessage
from iprog_async._outcomes import Accepted, NotSent, Outcome, Unknown
from iprog_async._planner import Batch, plan_batches
from iprog_async._providers import SmsProvider
from iprog_async._seen import SeenTable
from iprog_async._submitting import log_outcome, submit_halving


_LARGEST_WINDOW = 10_000


@define
class Counts:
    """How many messages of a run have ended in each way so far."""

    accepted: int = 0
    not_sent: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """Messages with an outcome."""
        return self.accepted + self.not_sent + self.unknown

    def add(self, outcome: Outcome) -> None:
        """Count one outcome."""
        match outcome:
            case Accepted():
                self.accepted += 1
            case NotSent():
                self.not_sent += 1
            case Unknown():
                self.unknown += 1


class BulkRun:
    """A run over many messages: an async context manager to iterate over, once.

    Leaving the `async with` block stops the sending, however it is left.

    Args:
        provider: A bound provider.
        messages: What to send; an iterable or async iterable, read a window at a time.
        clock: What tells the time.
        concurrency: The most requests of this run at once.
        window: How many messages are looked at together to find equal texts; chosen to fit
            the gateway's batches if `None`.
        linger: How many seconds to wait for company from a slow source.
        halt_after_unknown: The run stops after so many unknown outcomes in a row.
    """

    def __init__(
        self,
        provider: SmsProvider,
        messages: Messages,
        clock: Clock,
        *,
        concurrency: int = 100,
        window: int | None = None,
        linger: float = 0.05,
        halt_after_unknown: int = 20,
    ) -> None:
        if concurrency < 1 or halt_after_unknown < 1 or (window is not None and window < 1):
            raise ConfigurationError("concurrency, window and halt_after_unknown start at 1")
        batch = provider.batching.max_batch
        self._provider = provider
        self._clock = clock
        self._concurrency = concurrency
        self._halt_after = halt_after_unknown
        self._source = MessageSource(
            messages, window or min(max(batch * concurrency, 100), _LARGEST_WINDOW), linger
        )
        self._seen = SeenTable()
        self._next_index = 0
        self._exhausted = False
        self._stopping = False
        self._unknown_in_a_row = 0
        self._halted: SmsError | None = None
        self._ready: deque[Batch] = deque()
        self._carried: list[PreparedMessage] = []
        self._abandoned: list[Unknown] = []
        self._turn = asyncio.Lock()
        # A slow reader holds up the workers here, after they have given back their connection.
        self._outcomes: asyncio.Queue[Sequence[Outcome] | None] = asyncio.Queue(concurrency)
        self._current: deque[Outcome] = deque()
        self._task: asyncio.Task[None] | None = None
        self._finished = False
        self.counts = Counts()

    @property
    def halted(self) -> SmsError | None:
        """Why the run stopped by itself, or `None`."""
        return self._halted

    @property
    def abandoned(self) -> Sequence[Unknown]:
        """What was on its way when the run was closed: it may have been sent."""
        return tuple(self._abandoned)

    def stop(self) -> None:
        """Send nothing more; what is on its way still comes to its outcome."""
        self._stopping = True

    async def drain(self) -> Counts:
        """Read all outcomes without looking at them, and return the counts.

        Raises:
            RunHaltedError: The run stopped itself; what it did not send is certainly not sent.
        """
        async for _ in self:
            pass
        return self.counts

    async def aclose(self) -> None:
        """Stop at once; requests under way are abandoned, see `abandoned`."""
        self._stopping = True
        self._finished = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._source.aclose()

    async def __aenter__(self) -> Self:
        if self._task is not None or self._finished:
            raise ConfigurationError("a bulk run can be entered once; make another")
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        if self._task is None:
            # Outside of `async with`, a `break` would leave the run sending in the background.
            raise ConfigurationError(
                "a bulk run is used as: async with client.send_many(…) as run: async for … in run"
            )
        while not self._current:
            if self._finished:
                raise StopAsyncIteration
            outcomes = await self._outcomes.get()
            if outcomes is None:
                await self._end()
            else:
                self._current.extend(outcomes)
        return self._current.popleft()

    async def _end(self) -> None:
        self._finished = True
        if self._task is not None:
            # Raises what the source raised.
            await self._task
        if self._halted is not None:
            raise RunHaltedError(self._halted)

    async def _run(self) -> None:
        workers = [asyncio.create_task(self._work()) for _ in range(self._concurrency)]
        try:
            await asyncio.gather(*workers)
            if self._halted is not None:
                await self._report(self._give_up(RunHaltedError(self._halted)))
        except asyncio.CancelledError:
            raise
        except Exception:
            # The source failed: let what is on its way end, then tell the reader.
            self._stopping = True
            await asyncio.gather(*workers, return_exceptions=True)
            raise
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            if not self._finished:
                await self._outcomes.put(None)

    async def _work(self) -> None:
        while (batch := await self._claim()) is not None:
            started = self._clock.monotonic()
            try:
                outcomes = await submit_halving(self._provider, batch)
            except asyncio.CancelledError as exc:
                if was_in_flight(exc):
                    self._abandon(batch)
                raise
            seconds = self._clock.monotonic() - started
            for prepared, outcome in zip(batch, outcomes, strict=True):
                log_outcome(self._provider, prepared, outcome, seconds)
            self._watch(outcomes)
            await self._report(outcomes)

    async def _claim(self) -> Batch | None:
        """Return the next batch; `None` when there is nothing more to send."""
        while not self._stopping:
            refused: list[Outcome] = []
            async with self._turn:
                if self._ready and not self._stopping:
                    return self._ready.popleft()
                if self._exhausted or self._stopping:
                    return None
                await self._refill(refused)
            if refused:
                await self._report(refused)
        return None

    async def _refill(self, refused: list[Outcome]) -> None:
        """Read a window and plan its batches; bad rows and duplicates go to `refused`."""
        window = await self._source.next_window()
        self._exhausted = not window
        prepared = self._carried
        for message in window:
            checked = self._prepare(message)
            if isinstance(checked, PreparedMessage):
                prepared.append(checked)
            else:
                refused.append(checked)
        plan = plan_batches(prepared, self._provider.batching, final=self._exhausted)
        self._ready.extend(plan.batches)
        self._carried = plan.carried

    def _prepare(self, message: Message) -> PreparedMessage | NotSent:
        index = self._next_index
        self._next_index += 1
        try:
            prepared = self._provider.prepare(message, index)
        except SmsError as exc:
            return NotSent(index, message, exc)
        first = self._seen.first_index((prepared.e164, message.text, message.key), index)
        if first != index:
            return NotSent(index, message, DuplicateMessageError(first))
        return prepared

    def _watch(self, outcomes: Sequence[Outcome]) -> None:
        """Halt on a refusal that every message would meet, and on many unknowns in a row."""
        for outcome in outcomes:
            if isinstance(outcome, Unknown):
                self._unknown_in_a_row += 1
                if self._unknown_in_a_row >= self._halt_after:
                    self._halt(outcome.error)
                continue
            self._unknown_in_a_row = 0
            if isinstance(outcome, NotSent) and outcome.error.blame == "account":
                self._halt(outcome.error)

    def _halt(self, cause: SmsError) -> None:
        self._halted = self._halted or cause
        self._stopping = True

    def _give_up(self, error: RunHaltedError) -> list[Outcome]:
        waiting = [*self._carried, *(prepared for batch in self._ready for prepared in batch)]
        return [NotSent(prepared.index, prepared.message, error) for prepared in waiting]

    def _abandon(self, batch: Batch) -> None:
        reason = "the run was closed while the request was on its way"
        lost = [unclear(prepared, self._provider.name, reason) for prepared in batch]
        self._abandoned.extend(lost)
        self.counts.unknown += len(lost)

    async def _report(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.counts.add(outcome)
        await self._outcomes.put(outcomes)
