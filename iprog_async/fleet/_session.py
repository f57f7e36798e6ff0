"""What a worker does for as long as its connection to the database lasts."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

from iprog_async._client.client import SmsClient
from iprog_async._core.errors import ConfigurationError, CreditLimitError, JournalError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.schema import quoted
from iprog_async._routing.base import gateways_of
from iprog_async.fleet._chunking import defer_jobs
from iprog_async.fleet._chunks import Chunk, begin_chunk, end_chunk, leave_chunk, save_counts
from iprog_async.fleet._database import Connection, ask, is_lost, run
from iprog_async.fleet._job_queue import Job, JobQueue
from iprog_async.fleet._report import outcome_words
from iprog_async.fleet._run_state import (
    SMALLEST_LEASE,
    give_back_credits,
    halt,
    lease_credits,
    next_lease,
    read_states,
    save_lost,
)
from iprog_async.fleet._settings import to_names
from iprog_async.fleet._worker_options import WorkerOptions
from iprog_async.fleet._worker_run import WorkerRun


logger = logging.getLogger("iprog_async")
progress = logging.getLogger("iprog_async.fleet")
"""Says what a worker is at: a line when it begins with a campaign, and one when it is through."""

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_UNTIL_IDLE = 5.0
_CLOSE_CLOCKS = timedelta(minutes=1)
_SEEN = """
INSERT INTO {schema}.fleet_workers (name) VALUES (%(name)s)
ON CONFLICT (name) DO UPDATE SET seen_at = now(), sent_per_second = %(rate)s
RETURNING seen_at"""
_GONE = """
WITH gone AS (
  DELETE FROM {schema}.fleet_workers WHERE seen_at < now() - interval '1 hour' RETURNING name
)
DELETE FROM {schema}.fleet_lost WHERE worker IN (SELECT name FROM gone)"""
_TURN = "SELECT pg_try_advisory_lock(hashtextextended('iprog-async fleet ' || %s, 0))"
_TURN_ENDS = "SELECT pg_advisory_unlock(hashtextextended('iprog-async fleet ' || %s, 0))"


class Session:
    """Takes jobs and sends their chunks, until it is stopped or the connection is lost.

    Args:
        client: What is sent through.
        address: The journal.
        connection: The connection, which is this session's own.
        options: How the worker works.
        wake: Set when there may be something new.
        outcomes: Where the outcomes of all that is sent are counted.
        owed: Credits to give back, by campaign and run: those that a session had left whose
            connection was lost. This one leaves its own there if it loses its connection, too.
    """

    def __init__(
        self,
        client: SmsClient[Any],
        address: PostgresAddress,
        connection: Connection,
        options: WorkerOptions,
        wake: asyncio.Event,
        outcomes: Counter[str],
        owed: Counter[tuple[int, int]],
    ) -> None:
        self._client = client
        self._address = address
        self._schema = address.schema
        self._connection = connection
        self._options = options
        self._wake = wake
        self._outcomes = outcomes
        self._owed = owed
        self._gateways = to_names(gateway.name for gateway in gateways_of(client.provider))
        self._queue = JobQueue(connection, options.queues, options.stalled_after)
        self._runs: dict[tuple[int, int], WorkerRun] = {}
        self._idle_since: dict[tuple[int, int], float] = {}
        self._jobs: dict[asyncio.Task[None], Job] = {}
        self._leases: dict[WorkerRun, asyncio.Task[None]] = {}
        self._lost: dict[tuple[int, int], int] = {}
        self._resting: set[tuple[int, int]] = set()
        self._sent, self._counted_at = 0, time.monotonic()
        self._trouble: BaseException | None = None
        self._stopping = False
        self._is_closing = False
        self._taking = asyncio.Lock()
        self._most_held = 2 * options.concurrency * client.provider.batching.max_batch

    def stop(self) -> None:
        """Take no more, and send nothing more; what is on its way comes to its outcome."""
        self._stopping = True
        self._wake.set()
        for worker_run in self._runs.values():
            worker_run.stop()

    async def run(self) -> None:
        """Work until stopped.

        Raises:
            psycopg.Error: The connection is lost, or the database refuses.
        """
        await self._queue.register()
        await self._give_back_owed()
        looking = asyncio.create_task(self._look_again_and_again())
        try:
            await self._take_jobs()
            await self._finish()
        except asyncio.CancelledError:
            # Whoever cancels waits for no answer.
            self._is_closing = True
            await asyncio.gather(*(one.aclose() for one in self._runs.values()))
            raise
        finally:
            self._is_closing = True
            looking.cancel()
            try:
                await asyncio.gather(looking, return_exceptions=True)
            finally:
                await self._close()

    async def _take_jobs(self) -> None:
        while not self._stopping:
            self._check()
            self._wake.clear()
            if self._held >= self._most_held or not await self._take_job():
                await _wait_for(self._wake, _SECONDS_BETWEEN_LOOKS)

    async def _take_job(self) -> bool:
        """Take a job and begin it; `False` if there is none."""
        # Meanwhile nobody must look which jobs are held.
        async with self._taking:
            job = await self._queue.take()
            if job is None:
                return False
            task = asyncio.create_task(self._do(job))
            self._jobs[task] = job
            task.add_done_callback(self._job_done)
        return True

    @property
    def _held(self) -> int:
        chunks = [chunk for one in self._runs.values() for chunk in one.chunks]
        beginning = len(self._jobs) - len(chunks)
        return sum(chunk.left for chunk in chunks) + max(beginning, 0) * _GUESSED_SIZE

    def _job_done(self, task: asyncio.Task[None]) -> None:
        self._jobs.pop(task, None)
        self._note_trouble(task)

    def _note_trouble(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (trouble := task.exception()) is not None:
            self._trouble = self._trouble or trouble
        self._wake.set()

    def _check(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    async def _do(self, job: Job) -> None:
        """Do a job: send its chunk, and say what is left of it."""
        connection, name = self._connection, self._options.name
        chunk = await begin_chunk(connection, self._schema, job.chunk, name)
        if chunk is None:
            await self._queue.finish(job)
            return
        if (wrong := self._other_gateway(chunk)) is not None:
            # Who has the right one goes on with it.
            await leave_chunk(connection, self._schema, chunk, name)
            await self._queue.put_back(job.id)
            raise wrong
        if self._begins_nothing:
            # A run that began now would be seen by nobody who ends them.
            await leave_chunk(connection, self._schema, chunk, name)
            await self._queue.put_back(job.id)
            return
        worker_run = self._run_of(chunk)
        await worker_run.work_off(chunk)
        self._wake.set()
        if not chunk.left and not chunk.open:
            if await end_chunk(connection, self._schema, chunk, name):
                await self._queue.finish(job)
            return
        await leave_chunk(connection, self._schema, chunk, name)
        await self._end_of_run(worker_run)
        if chunk.open and not self._stopping:
            # Whoever else has claimed some of it comes to an end meanwhile.
            await _wait_for(asyncio.Event(), _SECONDS_BETWEEN_LOOKS)
        await self._queue.put_back(job.id, 0.0 if chunk.open else chunk.rests)

    @property
    def _begins_nothing(self) -> bool:
        """Whether this session is at its end, so that what is left is for others."""
        return self._stopping or self._is_closing or self._trouble is not None

    def _other_gateway(self, chunk: Chunk) -> ConfigurationError | None:
        """Return what to raise where a chunk was loaded for a gateway that is not here."""
        needed = chunk.info.settings.gateways
        if self._options.any_gateway or set(needed) <= set(self._gateways):
            return None
        return ConfigurationError(
            f"the campaign {chunk.info.campaign!r} was loaded for {' and '.join(needed)}, and this "
            f"worker sends through {' and '.join(self._gateways)}, which may read its numbers and "
            "texts in another way. Nothing of it was sent from here; start the worker with the "
            "address of that gateway, or with any_gateway=True if this one is to send it"
        )

    def _run_of(self, chunk: Chunk) -> WorkerRun:
        found = self._runs.get(chunk.id.of_run)
        if found is None or found.may_be_followed:
            found = self._runs[chunk.id.of_run] = WorkerRun(
                self._client,
                self._address,
                chunk.id,
                chunk.info,
                self._options.concurrency,
                self._outcomes,
            )
            if chunk.id.of_run not in self._resting:
                progress.info("the campaign %r: begun", chunk.info.campaign)
            if found.credits is not None:
                leasing = asyncio.create_task(self._lease(found))
                self._leases[found] = leasing
                leasing.add_done_callback(self._note_trouble)
        return found

    async def _end_of_run(self, ended: WorkerRun) -> None:
        """Tell all workers why a run has halted here, if it is no trouble of this worker alone."""
        if not ended.has_ended:
            return
        await self._give_back_credits(ended)
        cause = ended.halted
        if ended.trouble is not None or isinstance(cause, JournalError):
            # Begun once more it would end in the same way, again and again.
            self._trouble = self._trouble or ended.trouble or cause
            return
        if cause is None:
            return
        why = str(cause)
        if isinstance(cause, CreditLimitError):
            why = f"the workers have spent the run's max_credits of {ended.info.max_credits}"
        key = ended.campaign, ended.number
        halted = await halt(self._connection, self._schema, *key, why)
        ended.is_told = True
        if halted:
            logger.warning("the campaign %r is halted: %s", ended.info.campaign, why)

    async def _lease(self, worker_run: WorkerRun) -> None:
        """Take credits for a run whenever it needs some."""
        limit = worker_run.credits
        assert limit is not None  # noqa: S101 - only such runs have a lease
        of_run = worker_run.campaign, worker_run.number
        most, taken_at = SMALLEST_LEASE, -math.inf
        while await limit.wanted.wait() and not worker_run.has_ended:
            now = time.monotonic()
            most, taken_at = next_lease(most, now - taken_at), now
            limit.grow(await lease_credits(self._connection, self._schema, of_run, most))

    async def _look_again_and_again(self) -> None:
        """Say that this worker is there, how far it has come, and hear what the others say."""
        next_revival = 0.0
        try:
            while True:
                if time.monotonic() >= next_revival:
                    await self._revive()
                    next_revival = time.monotonic() + self._options.stalled_after / 3
                await self._look()
                await asyncio.sleep(self._options.seconds_between_looks)
        except Exception as exc:
            self._trouble = self._trouble or exc
            self._wake.set()
            for worker_run in self._runs.values():
                worker_run.stop()

    async def _look(self) -> None:
        await self._queue.beat()
        seen_at = await self._say_hello()
        clock_is_right = abs(seen_at - self._client.bulk.clock.now()) < _CLOSE_CLOCKS
        runs = dict(self._runs)
        chunks = [chunk for one in runs.values() for chunk in one.chunks]
        await save_counts(self._connection, self._schema, chunks, self._options.name)
        for key, one in runs.items():
            if self._lost.get(key, 0) != one.unknown_limit.lost:
                self._lost[key] = one.unknown_limit.lost
                await save_lost(
                    self._connection, self._schema, self._options.name, key, self._lost[key]
                )
        name = self._options.name
        for state in await read_states(self._connection, self._schema, name, list(runs)):
            one = runs[state.campaign, state.run]
            most = one.info.settings.halt_after_unknown
            one.unknown_limit.most = max(most - state.lost_elsewhere, 1)
            if state.halted is not None:
                one.stop()
            elif state.lost_elsewhere and state.lost_elsewhere + one.unknown_limit.lost >= most:
                why = f"{most} outcomes in a row are unknown, over all workers"
                await halt(self._connection, self._schema, state.campaign, state.run, why)
                one.stop()
        for key, one in self._runs.items():
            if one.rest(clock_is_right=clock_is_right) and key not in self._resting:
                self._resting.add(key)
                progress.info("the campaign %r: its texts wait for their time", one.info.campaign)
        await self._close_idle()

    async def _say_hello(self) -> datetime:
        """Say that this worker is there; return what time it is in the database."""
        now = time.monotonic()
        sent = sum(one.sent for one in self._runs.values())
        seconds = max(now - self._counted_at, 0.001)
        rate = max(sent - self._sent, 0) / seconds
        self._sent, self._counted_at = sent, now
        values = {"name": self._options.name, "rate": rate}
        (seen_at,) = await ask(self._connection, _SEEN.format(schema=quoted(self._schema)), values)
        return cast("datetime", seen_at)

    async def _close_idle(self) -> None:
        """End the runs that have had nothing to do for a while, with their connections."""
        now = time.monotonic()
        for key, one in list(self._runs.items()):
            if one.chunks:
                self._idle_since.pop(key, None)
            elif now - self._idle_since.setdefault(key, now) > _SECONDS_UNTIL_IDLE:
                del self._runs[key], self._idle_since[key]
                self._resting.discard(key)
                await self._end(one)

    async def _revive(self) -> None:
        """Put back what nobody is at; each worker does it, and it is done once."""
        (ours,) = await ask(self._connection, _TURN, [self._schema])
        if not ours:
            return
        async with self._taking:
            await self._queue.revive({job.id for job in self._jobs.values()})
        await defer_jobs(self._connection, self._schema)
        await run(self._connection, _GONE.format(schema=quoted(self._schema)))
        await run(self._connection, _TURN_ENDS, [self._schema])
        self._wake.set()

    async def _finish(self) -> None:
        """Wait for what is on its way, and say goodbye."""
        while self._jobs:
            await asyncio.wait(self._jobs)
        self._check()
        for one in self._runs.values():
            await self._end(one)
        self._runs.clear()
        await self._queue.unregister()
        gone = f"DELETE FROM {quoted(self._schema)}.fleet_workers WHERE name = %s"  # noqa: S608 - checked letters
        await run(self._connection, gone, [self._options.name])

    async def _end(self, one: WorkerRun) -> None:
        await one.finish()
        await self._give_back_credits(one)
        progress.info(
            "the campaign %r: nothing to do for now; %s",
            one.info.campaign,
            outcome_words(one.outcomes),
        )

    async def _give_back_credits(self, one: WorkerRun) -> None:
        leasing = self._leases.get(one)
        if leasing is not None and one.credits is not None:
            # What is being taken at this moment comes back, too.
            one.credits.wanted.set()
            await asyncio.gather(leasing, return_exceptions=True)
        self._leases.pop(one, None)
        self._owed[one.campaign, one.number] += one.release_credits()
        if self._trouble is None and not self._is_closing:
            await self._give_back_owed()

    async def _give_back_owed(self) -> None:
        while self._owed:
            # No longer owed, whether it is done or not: given back twice, it would be spent twice.
            of_run, left = self._owed.popitem()
            if left:
                await give_back_credits(self._connection, self._schema, of_run, left)

    async def _close(self) -> None:
        """End what is still there; after a lost connection, what is on its way is waited for."""
        for one in self._runs.values():
            one.stop()
        runs = self._runs.values()
        try:
            await asyncio.gather(*(one.finish() for one in runs), return_exceptions=True)
        finally:
            tasks = [*self._jobs, *self._leases.values()]
            for task in tasks:
                task.cancel()
            try:
                # Whoever is cancelled here waits for no answer either; else they have ended.
                ending = (one.aclose() for one in runs)
                await asyncio.gather(*ending, *tasks, return_exceptions=True)
            finally:
                for one in self._leases:
                    self._owed[one.campaign, one.number] += one.release_credits()
        if self._trouble is not None and not is_lost(self._trouble):
            # There is no next session to do it.
            with suppress(Exception):
                await self._give_back_owed()


_GUESSED_SIZE = 1000


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
