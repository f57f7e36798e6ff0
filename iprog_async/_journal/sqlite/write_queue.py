"""The write queue of the journal's thread: rows of many tasks of an event loop together."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from attrs import Factory, define

from iprog_async._core.errors import JournalError
from iprog_async._journal.drain import drained
from iprog_async._journal.forks import generation
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.sqlite.shared_rows import SharedWork, release_of
from iprog_async._journal.store import ClaimLostError


# Where several tasks write at once, a moment's patience puts many of their rows into one
# transaction, and most of a transaction's cost is its own.
_COALESCE_DELAY = 0.002
_COALESCE_FROM = 4
# They are no part of a run: nothing that others have sent conflicts with one.
_RULES_OF_SINGLES = ResumeRules()


Claim = tuple[asyncio.Future[Any], Sequence[Row], Sequence[Values], ResumeRules]
"""A claim of messages without keys: who waits for it, its rows, their columns, and the rules."""

_Claiming = tuple[asyncio.Future[Any], Callable[[], Any], SharedWork]


@define(eq=False)
class Job:
    """Something to do with the database, or rows to write.

    Args:
        loop_queue: Who handed it in, and hears of its end; `None` if nobody does.
        work: What to do.
        rows: Rows to insert, or to replace by their number.
        claims: Which of the rows are claims: they are not written if somebody else has sent what
            they conflict with.
        lost: Why some of these were not.
        works: Rows of messages with keys, which other processes may be at, too.
        durable: Whether they have to survive a power cut, and not only a kill.
        claiming: Who waits for a claim of such rows, what tells its result, and the claim.
        waiting: Who waits for it. Each is given the result, which is a `JournalError` if it
            failed: as an exception, it would complain that nobody asked.
        shared: The one of them that any number of others may wait for.
        afterwards: What follows it, whatever came of it and of all that was handed in before.
    """

    loop_queue: LoopQueue | None = None
    work: Callable[[sqlite3.Connection], Any] | None = None
    rows: list[Values] = Factory(list[Values])
    claims: list[Claim] = Factory(list[Claim])
    lost: dict[asyncio.Future[Any], ClaimLostError] = Factory(
        dict[asyncio.Future[Any], ClaimLostError]
    )
    works: list[SharedWork] = Factory(list[SharedWork])
    durable: bool = False
    claiming: list[_Claiming] = Factory(list[Any])
    waiting: list[asyncio.Future[Any]] = Factory(list[asyncio.Future[Any]])
    shared: asyncio.Future[Any] | None = None
    afterwards: Callable[[], None] | None = None

    def claims_made(self, result: Any) -> Iterator[tuple[asyncio.Future[Any], SharedWork]]:
        """Yield who waits for each claim of rows with keys that was made, and the claim."""
        if not isinstance(result, JournalError):
            for done, answer, claim in self.claiming:
                if answer() is None:
                    yield done, claim


class LoopQueue:
    """Takes the rows of one event loop, and hands them in together.

    Waking the thread for each would cost more than the row: they are gathered while the
    thread is busy with those before them.
    """

    def __init__(self, intake: WriteQueue, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        """Where those run who wait."""
        self._intake = intake
        self.ended: deque[tuple[Job, Any]] = deque()
        """What the thread has done, and the event loop has not heard of yet."""
        self._gathered: Job | None = None
        self._handed_in = 0
        self._coalescing = 0
        self._lost: set[int] = set()

    def claim(self, rows: Sequence[Row], rules: ResumeRules) -> asyncio.Future[Any]:
        """Claim the rows of one request; see `StoreQueue`."""
        if self._lost:
            self._lost.difference_update(row.id for row in rows)
        if len(rows) == 1 and rows[0].key is None:
            # As where everybody is told something else; a list takes another frame.
            return self.write((rows[0].as_claimed(),), durable=True, claim=(rows, rules))
        columns = [row.as_claimed() for row in rows]
        if not _has_key(rows):
            return self.write(columns, durable=True, claim=(rows, rules))
        work = SharedWork(rows, columns, rules)
        return self._claim(work, work.problem, work.without_keys)

    def claim_new(self, row: Row) -> asyncio.Future[Any]:
        """Claim the row of a message with a key, if it is new; see `StoreQueue`."""
        work = SharedWork([row], [row.as_claimed()], _RULES_OF_SINGLES)
        return self._claim(work, work.other)

    def _claim(
        self, work: SharedWork, answer: Callable[[], Any], rows: Sequence[Values] = ()
    ) -> asyncio.Future[Any]:
        return self.write(rows, work=work, answer=answer, durable=True)

    def release(self, rows: Sequence[Row]) -> asyncio.Future[Any]:
        """Put on record that messages did not leave; see `StoreQueue`."""
        if self._lost:
            # They were not claimed, so that nothing is to be taken back.
            rows = [row for row in rows if row.id not in self._lost]
        return self._write_each(rows, [row.as_released() for row in rows])

    def record(self, rows: Sequence[Row], ended: Sequence[Values]) -> asyncio.Future[Any]:
        """Put outcomes on record; see `StoreQueue`."""
        if not _has_key(rows):
            return self.write(ended, shared=True)
        return self._write_each(rows, ended, shared=True)

    def settle(self, rows: Sequence[Row], ended: Sequence[Values]) -> asyncio.Future[Any]:
        """Put on record what became of unknown messages; see `StoreQueue`."""
        return self._write_each(rows, ended, durable=True)

    def _write_each(
        self,
        rows: Sequence[Row],
        columns: Sequence[Values],
        *,
        durable: bool = False,
        shared: bool = False,
    ) -> asyncio.Future[Any]:
        if not _has_key(rows):
            return self.write(columns, durable=durable, shared=shared)
        work = SharedWork(rows, columns)
        return self.write(work.without_keys, work=work, durable=durable, shared=shared)

    def write(
        self,
        rows: Sequence[Values],
        *,
        work: SharedWork | None = None,
        answer: Callable[[], Any] | None = None,
        claim: tuple[Sequence[Row], ResumeRules] | None = None,
        durable: bool = False,
        shared: bool = False,
    ) -> asyncio.Future[Any]:
        """Have rows written after everything that came before, whether or not it is awaited.

        Args:
            rows: Rows to insert, or to replace by their number.
            work: Rows that other processes may be at, too.
            answer: What tells the result, if it is not the same for all rows.
            claim: What is claimed by them, and by which rules, if they are a claim.
            durable: Whether they have to survive a power cut, and not only a kill; refused
                once anything has failed.
            shared: Whether one future will do for all who write at the time, which costs less.
                It is to be shielded: cancelling a task cancels the future it waits for.

        Returns:
            What is done when they are in the file; its result is a `JournalError` if they are
            not.
        """
        intake = self._intake
        if intake.forks != generation():
            # Another thread may have held the gate when this process was forked off.
            return self._answer(intake.forked())
        if self.loop.is_closed():
            # The garbage collector ends what was left in it, maybe while this thread has the gate.
            return self._answer(intake.left())
        with intake.lock:
            if intake.closed or intake.failure is not None:
                refusal = intake.refusal(durable=durable)
                if refusal is not None:
                    return self._answer(refusal)
            job = self._gathered
            if job is None:
                job = self._gathered = Job(self)
                if not self._handed_in:
                    self.loop.call_soon(self._flush)
            job.rows += rows
            if work is not None:
                job.works.append(work)
            if durable:
                job.durable = True
            if shared and job.shared is not None:
                return job.shared
            done: asyncio.Future[Any] = asyncio.Future(loop=self.loop)
            if work is not None and answer is not None:
                job.claiming.append((done, answer, work))
                return done
            if claim is not None:
                job.claims.append((done, claim[0], rows, claim[1]))
                return done
            job.waiting.append(done)
            if shared:
                job.shared = done
        return done

    def _answer(self, refusal: JournalError) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = asyncio.Future(loop=self.loop)
        done.set_result(refusal)
        return done

    def ask(self, work: Callable[[sqlite3.Connection], Any]) -> asyncio.Future[Any]:
        """Have something done with the database after everything that came before."""
        if self._intake.forks != generation():
            return self._answer(self._intake.forked())
        if self.loop.is_closed():
            return self._answer(self._intake.left())
        with self._intake.lock:
            refusal = self._intake.refusal()
            if refusal is not None:
                return self._answer(refusal)
            self._intake.flush()
            self._handed_in += 1
            done: asyncio.Future[Any] = asyncio.Future(loop=self.loop)
            self._intake.put(Job(self, work, waiting=[done]))
        return done

    def flush(self) -> None:
        """Give the thread what has been gathered; whoever calls holds the gate."""
        if self._gathered is not None:
            self._handed_in += 1
            self._intake.put(self._gathered)
            self._gathered = None

    def hand_out(self) -> None:
        """Tell those who wait; called in the event loop."""
        ended = drained(self.ended)
        with self._intake.lock:
            # Another event loop may be handing in what this one has gathered.
            self._handed_in -= len(ended)
        for job, result in ended:
            self._coalescing = len(job.rows) + len(job.works)
            failed = isinstance(result, JournalError)
            for done, answer, claim in job.claiming:
                told = result if failed else answer()
                if isinstance(told, ClaimLostError):
                    self._lost.update(row.id for row in claim.rows if row.key is None)
                if not done.done():
                    done.set_result(told)
                elif told is None:
                    # Cancelled since the thread looked, perhaps; giving back twice does no harm.
                    self.write((), work=release_of([claim]))
            for done, rows, _, _ in job.claims:
                problem = result
                if job.lost and done in job.lost:
                    problem = job.lost[done]
                    self._lost.update(row.id for row in rows)
                if not done.done():
                    done.set_result(problem)
            for done in job.waiting:
                # Any of them may have been cancelled.
                if not done.done():
                    done.set_result(result)
        if self._gathered is None or self._handed_in:
            return
        if self._coalescing >= _COALESCE_FROM:
            self.loop.call_later(_COALESCE_DELAY, self._flush)
        else:
            self._flush()

    def unheard(self) -> Job | None:
        """Return what gives back the claims that an event loop won't hear of: it is closed."""
        claims = [
            claim for job, result in drained(self.ended) for _, claim in job.claims_made(result)
        ]
        return Job(self, works=[release_of(claims)]) if claims else None

    def unused(self, job: Job, result: Any) -> Job | None:
        """Return what gives back the claims of a job that are not used: who asked was cancelled.

        Called by the thread: the journal may be closed before the event loop hears of the job.
        """
        claims = [claim for done, claim in job.claims_made(result) if done.cancelled()]
        if not claims:
            return None
        with self._intake.lock:
            self._handed_in += 1
        return Job(self, works=[release_of(claims)])

    def _flush(self) -> None:
        with self._intake.lock:
            self._intake.flush()


def _has_key(rows: Sequence[Row]) -> bool:
    """Return whether any of the messages has a key."""
    for row in rows:  # noqa: SIM110 - for one row `any` takes three times as long
        if row.key is not None:
            return True
    return False


class WriteQueue:
    """Where jobs come in, from any event loop, until it is closed.

    Args:
        path: Where the journal is, for errors.
    """

    def __init__(self, path: str) -> None:
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        """What there is to do; `None` is the end."""
        self.lock = threading.Lock()
        """Whoever holds it may hand in jobs."""
        self.failure: JournalError | None = None
        """Why nothing may be sent any more: it could not be put on record."""
        self._path = path
        self._queues: dict[asyncio.AbstractEventLoop, LoopQueue] = {}
        self._put = 0
        self.done = 0
        """How many jobs the thread has done; only it says so."""
        self.forks = generation()
        self.closed = False
        self._ended = False

    def put(self, job: Job) -> None:
        """Hand a job to the thread; whoever calls holds the gate."""
        self._put += 1
        self.jobs.put(job)

    def then(self, step: Callable[[], None]) -> bool:
        """Have something done once all that was handed in is in the file, or can't get there.

        It is done at once where nothing is left to write, and else by the thread.

        Returns:
            Whether it is done, or will be: not if somebody holds the gate. That may be this very
            thread, in which the garbage collector has come between.
        """
        if self.is_copy:
            step()
            return True
        if not self.lock.acquire(blocking=False):
            return False
        try:
            self.flush()
            if self.done < self._put and not self._ended:
                self.put(Job(afterwards=step))
                return True
        finally:
            self.lock.release()
        step()
        return True

    def end(self) -> list[Job]:
        """Note that the thread does no job any more, and return those that it has not done."""
        with self.lock:
            self._ended = self.closed = True
        left: list[Job] = []
        with suppress(queue.Empty):
            while True:
                job = self.jobs.get_nowait()
                if job is not None:
                    left.append(job)
        return left

    def of_loop(self) -> LoopQueue:
        """Return the desk of the running event loop."""
        loop = asyncio.get_running_loop()
        if self.forks != generation():
            return LoopQueue(self, loop)
        with self.lock:
            loop_queue = self._queues.get(loop)
            if loop_queue is None:
                self._forget_closed()
                loop_queue = self._queues[loop] = LoopQueue(self, loop)
        return loop_queue

    def flush(self) -> None:
        """Give the thread what all event loops have gathered; whoever calls holds the gate.

        So whoever claims a message, or looks it up, sees what another loop has put on record of it
        before.
        """
        for loop_queue in self._queues.values():
            loop_queue.flush()

    def forget_closed(self) -> None:
        """Take what closed event loops have gathered, and nothing that they hand in later."""
        with self.lock:
            self._forget_closed()

    def _forget_closed(self) -> None:
        for gone in [loop for loop in self._queues if loop.is_closed()]:
            loop_queue = self._queues.pop(gone)
            loop_queue.flush()
            if (release := loop_queue.unheard()) is not None:
                self.put(release)

    def refusal(self, *, durable: bool = False) -> JournalError | None:
        """Return why nothing can be handed in, or nothing durable."""
        if self.closed:
            return JournalError(f"the journal {self._path} is closed")
        return self.failure if durable else None

    @property
    def is_copy(self) -> bool:
        """Whether it came with a fork, and its thread is the parent's."""
        return self.forks != generation()

    def left(self) -> JournalError:
        """Return what is told in an event loop that is closed, where anybody asks."""
        return JournalError(f"the event loop that used the journal {self._path} is closed")

    def forked(self) -> JournalError:
        """Return what a process is told that has only a copy of the journal."""
        return JournalError(
            f"the journal {self._path} was opened before this process was forked off; open it "
            "in the process that uses it"
        )

    def close(self) -> bool:
        """Hand over what is left, and the end; `False` where another process has the journal."""
        if self.forks != generation():
            return False
        with self.lock:
            self.closed = True
            self.flush()
            self._forget_closed()
            self.jobs.put(None)
        return True
