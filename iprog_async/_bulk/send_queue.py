"""Which prepared messages leave next, as far as caution and credits allow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from attrs import frozen

from iprog_async._bulk.credit_limit import CreditLimit
from iprog_async._bulk.options import BulkOptions
from iprog_async._core.errors import CreditLimitError, OutcomeUnknownError
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.batching import fewest, plan_batches
from iprog_async._sending.tally import Tally
from iprog_async._sending.unknown_limit import UnknownLimit


Departure = tuple[Batch, bool]
"""A batch that leaves, and whether its people are at risk: the gateway has yet to show that it
answers such requests."""


@frozen
class SendLimits:
    """What bounds a run.

    Args:
        unknown: How many people's outcomes may become unknown.
        credits: The most credits that may be spent, if there is a limit.
    """

    unknown: UnknownLimit
    credits: CreditLimit | None = None

    @classmethod
    def of_options(cls, options: BulkOptions) -> Self:
        """Return the limits of a run that has them to itself."""
        most = options.max_credits
        return cls(
            UnknownLimit(options.halt_after_unknown), None if most is None else CreditLimit(most)
        )


class Departures:
    """Batches that wait to be sent; they are cut where they leave, not where they are planned.

    Args:
        provider: What they are sent through.
        limits: How many people's outcomes may become unknown, and what may be spent.
    """

    def __init__(self, provider: SmsProvider, limits: SendLimits) -> None:
        self._provider = provider
        self._unknown_limit = limits.unknown
        self._credits = limits.credits
        self._batches: deque[Batch] = deque()
        self._changed = asyncio.Event()
        self._closed = False
        self.exceeded: CreditLimitError | None = None
        """Why nothing more may leave, if it can't be paid."""
        if self._credits is not None:
            self._credits.on_grown = self._changed.set

    def __bool__(self) -> bool:
        """Whether a batch waits."""
        return bool(self._batches)

    def __iter__(self) -> Iterator[PreparedMessage]:
        """Iterate over the messages that wait."""
        return (prepared for batch in self._batches for prepared in batch)

    def add(self, batches: Iterable[Batch]) -> None:
        """Let batches wait for their turn."""
        self._batches.extend(batches)

    def resume(self, batches: Iterable[Batch]) -> None:
        """Let batches wait for their turn that had to wait for their time.

        What is too few to travel goes with others like it, where some wait.
        """
        for batch in batches:
            place, together = self._together(batch)
            if together:
                del self._batches[place]
            self._batches.extend(together or [batch])
        self._changed.set()

    def has_company(self, batch: Batch) -> bool:
        """Return whether messages that are too few to travel can do so with others that wait."""
        return bool(self._together(batch)[1])

    def _together(self, batch: Batch) -> tuple[int, Sequence[Batch]]:
        """Return where a batch waits that takes along another one, and what both come to."""
        smallest = fewest(batch, self._provider) if batch else 0
        if len(batch) >= smallest:
            return 0, ()
        when = batch[0].wire.schedule_at
        for place, waiting in enumerate(self._batches):
            if waiting[0].wire.schedule_at == when:
                together = plan_batches([*waiting, *batch], self._provider.batching).batches
                if all(len(each) >= smallest for each in together):
                    return place, together
        return 0, ()

    def close(self) -> None:
        """Let nothing more leave, and nobody wait for it."""
        self._closed = True
        self._changed.set()

    def take(self) -> Departure | None:
        """Return the next batch, or what of it may leave now; `None` if nothing may."""
        if not self._batches or self._closed:
            return None
        batch = self._batches[0]
        if self._credits is None and self._unknown_limit.begin_trusted(batch):
            # As nearly always.
            return self._batches.popleft(), False
        count = self._size(batch, min(fewest(batch, self._provider), len(batch)))
        return self._depart(batch, count) if count else None

    async def wait(self) -> None:
        """Wait until something has changed, so that more may leave than before."""
        if not self._closed:
            self._changed.clear()
            await self._changed.wait()

    async def wait_for_any(self, reading: asyncio.Task[Any]) -> None:
        """Wait until something has changed, or a task is done, whichever is first."""
        self._changed.clear()
        change = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((reading, change), return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()

    def _size(self, batch: Batch, smallest: int) -> int:
        size = self._unknown_limit.size(batch, smallest)
        if self._credits is None or not size:
            return size
        size = self._credits.size(batch[:size], smallest)
        self.exceeded = self._credits.exceeded
        return size

    def _depart(self, batch: Batch, count: int) -> Departure:
        at_risk = not self._unknown_limit.trusts(batch)
        self._batches.popleft()
        if count < len(batch):
            self._batches.appendleft(batch[count:])
            batch = batch[:count]
        if self._credits is not None:
            self._credits.reserve(batch)
        self._unknown_limit.begin(count, at_risk=at_risk)
        return batch, at_risk

    def arrive(self, departure: Departure) -> None:
        """Note that a batch has come to its outcomes, whatever they are."""
        batch, at_risk = departure
        self._unknown_limit.end(len(batch), at_risk=at_risk)
        self._changed.set()

    def note(self, part: Batch, tally: Tally, *, at_risk: bool) -> OutcomeUnknownError | None:
        """Note how a request ended; return why the run should stop, if too many are unknown.

        Args:
            part: What it carried: a departure, or a part of one.
            tally: What became of them.
            at_risk: As the departure says.
        """
        if at_risk:
            # Others may leave once it is known that such requests are answered; what else
            # changes is noted as all of the departure arrives.
            self._changed.set()
        return self._unknown_limit.note(part, tally, at_risk=at_risk)

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Note that messages have come to their last outcome, so that their credits are settled."""
        if self._credits is not None:
            self._credits.settle(outcomes)
            self._changed.set()

    def put_back(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Let messages wait again that were withdrawn before they left."""
        self.resume([batch])
        self.settle(outcomes)
