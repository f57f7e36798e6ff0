"""Following the accepted texts of a journal, in rounds, until their statuses are final."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta

from attrs import define, field, frozen

from iprog_async._client.following.awaited import Awaited, Unfinished, read_unfinished
from iprog_async._client.following.listing import lists_pages, read_list
from iprog_async._client.following.polling import Poll
from iprog_async._client.following.record import Record
from iprog_async._client.following.report import FollowUp
from iprog_async._client.following.rules import lists_nothing, passes, waits
from iprog_async._core.clock import Clock
from iprog_async._core.errors import SmsError
from iprog_async._journal.contents import deliveries_of
from iprog_async._journal.journal import Journal
from iprog_async._providers.protocols import SmsProvider, SupportsStatus
from iprog_async._routing.base import gateways_of


# Clocks of two machines, and of two zones, are not the same.
_BEFORE = timedelta(days=1)

Progress = Callable[[FollowUp], object]


@frozen(kw_only=True)
class FollowOptions:
    """How to follow.

    Args:
        timeout: How many seconds in all.
        interval: How many seconds to wait after the first round.
        concurrency: The most questions for single texts at once.
        progress: Told after each round how far the texts are.
    """

    timeout: float
    interval: float
    concurrency: int
    progress: Progress | None


@define
class _Gateway:
    """One gateway, and how it is asked."""

    provider: SmsProvider
    record: Record
    poll: Poll | None
    lists: bool
    last_error: SmsError | None = field(default=None, init=False)

    def may_tell(self, awaited: Awaited) -> bool:
        """Return whether there is something left that it has not been asked for in vain."""
        given_up = () if self.poll is None else self.poll.given_up
        return sum(message_id in awaited for message_id in given_up) < len(awaited)

    async def round(self, awaited: Awaited, journal: Journal) -> None:
        """Ask once about all that is awaited."""
        if self.lists and lists_pages(self.provider) and len(awaited) > 1:
            from_the_beginning = await self._read_list(awaited, journal)
            if not from_the_beginning:
                # What was seen before a kill is on pages that were not read now.
                return
        if self.poll is not None:
            await self.poll.ask_for(awaited)
            self.last_error = self.poll.last_error or self.last_error

    async def _read_list(self, awaited: Awaited, journal: Journal) -> bool:
        if not lists_pages(self.provider):
            return True
        try:
            start = journal.store.made_at - _BEFORE
            return await read_list(self.provider, awaited, self.record, start)
        except SmsError as exc:
            if not passes(exc):
                raise
            self.last_error = exc
            # One that has no list is asked for each text, and one that is away is left alone.
            self.lists = not lists_nothing(exc)
            return not self.lists


class Following:
    """A follow-up of one journal.

    Args:
        journal: What to follow; open.
        provider: The client's provider, bound.
        clock: What tells the time and waits.
        options: How.
    """

    def __init__(
        self, journal: Journal, provider: SmsProvider, clock: Clock, options: FollowOptions
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._options = options
        self._ends_at = clock.monotonic() + options.timeout
        self._gateways = {one.name: self._gateway(one) for one in gateways_of(provider)}

    async def run(self) -> FollowUp:
        """Ask in rounds, until all is final, nothing more can be known, or the time is over."""
        store, rounds = self._journal.store, 0
        pauses = waits(self._options.interval)
        found = await read_unfinished(store)
        while (questions := self._open(found)) and not self._is_over():
            if rounds:
                left = self._ends_at - self._clock.monotonic()
                await self._clock.sleep(min(pauses.longest_wait(rounds), left))
            await self._round(questions)
            rounds += 1
            found = await read_unfinished(store)
            if self._options.progress is not None:
                self._options.progress(await self._report(found))
        return await self._report(found)

    async def _round(self, questions: Mapping[str, Awaited]) -> None:
        """Ask all gateways at once; what one of them says of its account ends it for all."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for name, awaited in questions.items():
                    tasks.create_task(self._gateways[name].round(awaited, self._journal))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    def _open(self, found: Unfinished) -> dict[str, Awaited]:
        """Return what can be asked, of whom."""
        return {
            name: awaited
            for name, awaited in found.by_provider.items()
            if self._tells(name) and self._gateways[name].may_tell(awaited)
        }

    def _gateway(self, provider: SmsProvider) -> _Gateway:
        store = self._journal.store
        record = Record(store, provider.name)
        poll = (
            Poll(provider, store, record, self._options.concurrency, self._is_over)
            if isinstance(provider, SupportsStatus)
            else None
        )
        return _Gateway(provider, record, poll, lists_pages(provider))

    def _is_over(self) -> bool:
        return self._clock.monotonic() >= self._ends_at

    async def _report(self, found: Unfinished) -> FollowUp:
        gateways = self._gateways.values()
        troubles = [one.last_error for one in gateways if one.last_error is not None]
        return FollowUp(
            **deliveries_of(await self._journal.store.counts()),
            changed=sum(one.record.changed for one in gateways),
            not_found=sum(len(one.poll.given_up) for one in gateways if one.poll is not None),
            without_id=found.without_id,
            no_status={
                name: count for name, count in found.numbers.items() if not self._tells(name)
            },
            last_error=troubles[-1] if troubles else None,
        )

    def _tells(self, name: str) -> bool:
        gateway = self._gateways.get(name)
        return gateway is not None and (gateway.poll is not None or gateway.lists)
