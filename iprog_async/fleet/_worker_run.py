"""A worker's part of a run: one bulk run over all chunks that the worker takes of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from iprog_async._bulk.credit_limit import CreditLimit
from iprog_async._bulk.options import BulkOptions
from iprog_async._bulk.run import BulkRun, SharedRun
from iprog_async._bulk.send_queue import SendLimits
from iprog_async._bulk.waiting_rows import MOST_WAITING
from iprog_async._client.client import SmsClient
from iprog_async._core.callbacks.failures import FAILURES, is_for_this_task
from iprog_async._core.errors import RunHaltedError, SmsError
from iprog_async._journal.journal import Journal
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.store import PostgresStore
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._sending.unknown_limit import UnknownLimit
from iprog_async.fleet._chunks import Chunk, ChunkId, RunInfo
from iprog_async.fleet._feed import Feed


_SHORTEST_REST = timedelta(seconds=10)
# Where another worker may have other hours, or one's clock may be wrong.
_LONGEST_REST = timedelta(hours=1)


class WorkerRun:
    """Sends the chunks of one run, as one stream: what a run learns is learned once.

    Args:
        client: What they are sent through.
        address: The journal.
        of_chunk: Any chunk of the run.
        info: What there is to know of the run.
        concurrency: The most requests at once.
        total: Where the outcomes of all that its worker sends are counted.
    """

    def __init__(
        self,
        client: SmsClient[Any],
        address: PostgresAddress,
        of_chunk: ChunkId,
        info: RunInfo,
        concurrency: int,
        total: Counter[str],
    ) -> None:
        self.campaign, self.number = of_chunk.of_run
        self.info = info
        self.chunks: list[Chunk] = []
        """Those that have no end yet."""
        self.halted: SmsError | None = None
        """Why it stopped by itself."""
        self.trouble: Exception | None = None
        """What ended it and says nothing of the run, such as a fault in the worker's program."""
        self.is_told = False
        """Whether the others know why it stopped by itself."""
        self.sent = 0
        """Messages that have come to an outcome."""
        self.outcomes: Counter[str] = Counter()
        """How many of them came to which, and are not to be sent once more."""
        self.unknown_limit = UnknownLimit(info.settings.halt_after_unknown)
        self.credits = None if info.max_credits is None else CreditLimit(0, may_grow=True)
        self._client = client
        self._address = address
        self._concurrency = concurrency
        self._total = total
        self._feed = Feed()
        self._run: BulkRun | None = None
        self._is_stopped = self._is_over = False
        self._waited_at: datetime | None = None
        self._sending = asyncio.create_task(self._send())

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is sent by it."""
        return self._is_over

    @property
    def may_be_followed(self) -> bool:
        """Whether another one may go on where it has ended: not before all know why it stopped."""
        return self._is_over and (self.halted is None or self.is_told)

    async def work_off(self, chunk: Chunk) -> None:
        """Send a chunk; done when all its messages have outcomes, or the run has ended."""
        if self.has_ended:
            return
        self.chunks.append(chunk)
        self._feed.add(chunk)
        await chunk.ended.wait()
        self.chunks.remove(chunk)
        self._feed.forget(chunk)

    def rest(self, *, clock_is_right: bool = False) -> bool:
        """Stop if all that it has waits for its time; return whether it does.

        Its chunks then say for how long nobody needs to take them: until their time where it is the
        campaign's own, which is that of all workers, and the clock is right. Whether anything else
        is to be sent meanwhile has been seen twice, by a clock that does not run ahead, as one of
        tests.

        Args:
            clock_is_right: Whether this machine's clock is that of the database.
        """
        now, before = self._client.bulk.clock.now(), self._waited_at
        times = self._waiting()
        self._waited_at = now if times else None
        if before is None or not times or now - before > _SHORTEST_REST:
            return False
        if min(times.values()) - now < _SHORTEST_REST:
            return False
        is_certain = clock_is_right and not self._client.bulk.has_others_wait
        for chunk, time in self._feed.waiting_chunks(times).items():
            rest = time - now if is_certain else min(time - now, _LONGEST_REST)
            chunk.rests = rest.total_seconds()
        self.stop()
        return True

    def _waiting(self) -> Mapping[int, datetime]:
        """Return until when messages wait, by their index; of none if others can be sent."""
        if self._run is None or self._run.in_flight or self._is_stopped or not self.chunks:
            return {}
        times = self._run.waiting
        left = sum(chunk.left for chunk in self.chunks)
        return times if len(times) >= min(left, MOST_WAITING) else {}

    def stop(self) -> None:
        """Send nothing more; what is on its way comes to its outcome."""
        self._is_stopped = True
        if self._run is not None:
            self._run.stop()

    async def finish(self) -> None:
        """Wait until all that was taken, or after `stop` all that is on its way, has ended."""
        self._feed.end()
        await asyncio.shield(self._sending)

    async def aclose(self) -> None:
        """Stop at once; what is on its way is given up, and may have been sent."""
        self._sending.cancel()
        await asyncio.gather(self._sending, return_exceptions=True)

    def release_credits(self) -> int:
        """Return how many of its credits are left, once; it has ended."""
        limit, self.credits = self.credits, None
        return 0 if limit is None else limit.left

    async def _send(self) -> None:
        journal = None
        try:
            journal = await asyncio.to_thread(self._open_journal)
            await self._send_with(journal)
        except RunHaltedError as exc:
            self.halted = exc.cause
        except SmsError as exc:
            self.halted = exc
        except FAILURES as exc:
            if is_for_this_task(exc):
                raise
            self.trouble = _trouble(exc)
        finally:
            # From now on it takes no chunk; those that it has may have outcomes yet to be written.
            self._is_over = True
            try:
                if journal is not None:
                    await asyncio.to_thread(journal.close)
            finally:
                for chunk in self.chunks:
                    chunk.ended.set()

    async def _send_with(self, journal: Journal) -> None:
        settings = self.info.settings
        options = BulkOptions(
            concurrency=self._concurrency,
            one_per_number=settings.one_per_number,
            halt_after_unknown=settings.halt_after_unknown,
            halt_after_failed=settings.halt_after_failed,
            deduplicated=True,
            hours=settings.hours,
        )
        limits = SendLimits(self.unknown_limit, self.credits)
        self._run = self._client.bulk.run(
            self._feed, options, journal=journal, shared=SharedRun(self.number, limits)
        )
        async with self._run as run:
            if self._is_stopped:
                return
            async for outcome in run:
                self.sent += 1
                if self._feed.chunk_of(outcome.index).note(outcome):
                    self.outcomes[outcome.state] += 1
                    self._total[outcome.state] += 1

    def _open_journal(self) -> Journal:
        settings = self.info.settings
        rules = ResumeRules(
            resend_unknown=settings.resend_unknown, allow_changed_text=settings.allow_changed_text
        )
        store = PostgresStore(self._address, self.info.campaign)
        store.join_run()
        return Journal(store, rules)


def _trouble(failure: BaseException) -> Exception:
    if isinstance(failure, Exception):
        return failure
    # Raised as it is, it would look as if the worker had been cancelled.
    trouble = RuntimeError("a part of the run was cancelled")
    trouble.__cause__ = failure
    return trouble
