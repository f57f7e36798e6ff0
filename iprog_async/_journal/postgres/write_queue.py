"""The write queue of a journal in PostgreSQL: what many tasks of an event loop ask, together."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from iprog_async._core.clock import uptime
from iprog_async._core.errors import JournalError
from iprog_async._journal.drain import drained
from iprog_async._journal.forks import generation
from iprog_async._journal.postgres.attempts import Attempts, attempt_of, note_attempt
from iprog_async._journal.postgres.connecting import Connection
from iprog_async._journal.postgres.jobs import END, STATE, Job, Kind, release_of
from iprog_async._journal.resume_rules import ResumeRules
from iprog_async._journal.rows import Row, Values


# Where several tasks ask at once, a moment's patience puts many of them into one statement, and
# most of a statement's cost is its own.
_COALESCE_DELAY = 0.002
_COALESCE_FROM = 4


class LoopQueue:
    """Takes what one event loop asks, and hands it in together.

    Waking the thread for each would cost more than the statement: jobs are gathered while it
    is busy with those before them.
    """

    def __init__(self, intake: Intake, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        """Where those run who wait."""
        self._intake = intake
        self._attempts = intake.attempts
        self.ended: deque[tuple[Job, Any]] = deque()
        """What the thread has done, and the event loop has not heard of yet."""
        self._gathered: list[Job] = []
        self._recording: Job | None = None
        self._handed_in = 0
        self._coalescing = 0

    def claim(self, rows: Sequence[Row], rules: ResumeRules) -> asyncio.Future[Any]:
        """Claim the rows of one request; see `StoreQueue`."""
        values: list[tuple[Any, ...]] = []
        heeds, every = not rules.allow_changed_text, rules.one_per_number
        for row in rows:
            seen, attempt = attempt_of(row), self._attempts.new()
            note_attempt(row, attempt)
            head = (row.number, row.key, row.text_hash, row.run)
            state = _seen_state(row)
            values.append((*head, attempt, seen, state, heeds and row.run > 0, every))
        return self._add(Kind.CLAIM, values, rows)

    def claim_new(self, row: Row) -> asyncio.Future[Any]:
        """Claim the row of a message with a key, if it is new; see `StoreQueue`."""
        attempt = self._attempts.new()
        note_attempt(row, attempt)
        values = (row.number, row.key, row.text_hash, row.run, attempt)
        return self._add(Kind.CLAIM_NEW, [values], [row])

    def release(self, rows: Sequence[Row]) -> asyncio.Future[Any]:
        """Put on record that messages did not leave; see `StoreQueue`."""
        claimed: list[tuple[Any, ...]] = []
        untouched: list[tuple[Any, ...]] = []
        for row in rows:
            ended = row.as_released()[STATE:END]
            attempt = attempt_of(row)
            if self._attempts.is_ours(attempt):
                claimed.append((row.number, row.key, row.text_hash, attempt, *ended))
            elif not attempt:
                untouched.append(self._put(row, ended))
            # What another process had last stays as it is.
        if untouched:
            self._add(Kind.PUT, untouched)
        return self._add(Kind.RELEASE, claimed)

    def record(self, rows: Sequence[Row], ended: Sequence[Values]) -> asyncio.Future[Any]:
        """Put outcomes on record; see `StoreQueue`."""
        claimed: list[tuple[Any, ...]] = []
        untouched: list[tuple[Any, ...]] = []
        for row, values in zip(rows, ended, strict=True):
            outcome = values[STATE:END]
            attempt = attempt_of(row)
            if self._attempts.is_ours(attempt):
                claimed.append((row.id, attempt, *outcome))
            elif not row.unsettled or outcome[0] == "accepted":
                untouched.append(self._put(row, outcome))
            # Of what was unknown, and was not claimed now, nothing else is new.
        if untouched:
            self._add(Kind.PUT, untouched)
        return self._add(Kind.RECORD, claimed)

    def settle(self, rows: Sequence[Row], ended: Sequence[Values]) -> asyncio.Future[Any]:
        """Put on record what became of unknown messages; see `StoreQueue`."""
        settled = [
            (row.id, attempt_of(row), *values[STATE:END])
            for row, values in zip(rows, ended, strict=True)
        ]
        return self._add(Kind.SETTLE, settled)

    def ask(self, work: Callable[[Connection], Any]) -> asyncio.Future[Any]:
        """Have something done with the connection after everything that came before."""
        return self._add(Kind.ASK, [], work=work)

    def _put(self, row: Row, ended: Sequence[object]) -> tuple[Any, ...]:
        head = (row.number, row.key, row.text_hash, row.run)
        seen = attempt_of(row)
        return (*head, self._attempts.new(), seen, _seen_state(row), *ended)

    def _add(
        self,
        kind: Kind,
        values: list[tuple[Any, ...]],
        rows: Sequence[Row] = (),
        work: Callable[[Connection], Any] | None = None,
    ) -> asyncio.Future[Any]:
        intake = self._intake
        if intake.forks != generation():
            # Another thread may have held the lock when this process was forked off.
            return self._answer(intake.forked())
        with intake.lock:
            if intake.closed:
                return self._answer(intake.is_closed())
            if not self._gathered and not self._handed_in:
                self.loop.call_soon(self._flush)
            if kind is Kind.RECORD and self._recording is not None:
                # One job, and one future, will do for all who record at the time.
                self._recording.values += values
                return self._recording.done
            done: asyncio.Future[Any] = asyncio.Future(loop=self.loop)
            job = Job(kind, self, done, uptime(), values, rows, work)
            self._gathered.append(job)
            if kind is Kind.RECORD:
                self._recording = job
        return done

    def _answer(self, refusal: JournalError) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = asyncio.Future(loop=self.loop)
        done.set_result(refusal)
        return done

    def flush(self) -> None:
        """Give the thread what has been gathered; whoever calls holds the lock."""
        if self._gathered:
            self._handed_in += len(self._gathered)
            self._intake.jobs.put(self._gathered)
            self._gathered, self._recording = [], None

    def hand_out(self) -> None:
        """Tell those who wait; called in the event loop."""
        ended = drained(self.ended)
        self._handed_in -= len(ended)
        self._coalescing = 0
        unused: list[Job] = []
        for job, result in ended:
            self._coalescing += len(job.values)
            if not job.done.done():
                job.done.set_result(result)
            elif job.is_unused(result):
                # Since the thread looked, perhaps; taking it back twice does no harm.
                unused.append(release_of(job))
        if unused:
            self._intake.give_back(unused)
        if not self._gathered or self._handed_in:
            return
        if self._coalescing >= _COALESCE_FROM:
            self.loop.call_later(_COALESCE_DELAY, self._flush)
        else:
            self._flush()

    def unheard(self) -> list[Job]:
        """Return what gives back the claims that an event loop won't hear of: it is closed."""
        return [
            release_of(job)
            for job, result in drained(self.ended)
            if job.kind.is_claim and result is None
        ]

    def _flush(self) -> None:
        with self._intake.lock:
            self.flush()


def _seen_state(row: Row) -> str:
    """Return the state that a row has on record while nobody claims it, as far as is known here.

    What is sent again after an unknown outcome was seen as unknown, also by a claim that nobody
    recorded, and is unknown once more as it is given back.
    """
    return "unknown" if row.in_doubt else row.state


class Intake:
    """Where jobs come in, from any event loop, until it is closed.

    Args:
        path: What names the journal in errors.
        attempts: Gives claims their numbers.
    """

    def __init__(self, path: str, attempts: Attempts) -> None:
        self.jobs: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        """What there is to do; `None` is the end."""
        self.lock = threading.Lock()
        """Whoever holds it may hand in jobs."""
        self.attempts = attempts
        self.forks = generation()
        self.closed = False
        self._failure: JournalError | None = None
        self._path = path
        self._queues: dict[asyncio.AbstractEventLoop, LoopQueue] = {}

    def of_loop(self) -> LoopQueue:
        """Return the queue of the running event loop."""
        loop = asyncio.get_running_loop()
        if self.forks != generation():
            return LoopQueue(self, loop)
        with self.lock:
            found = self._queues.get(loop)
            if found is None:
                self._forget_closed()
                found = self._queues[loop] = LoopQueue(self, loop)
        return found

    def _forget_closed(self) -> None:
        for gone in [loop for loop in self._queues if loop.is_closed()]:
            loop_queue = self._queues.pop(gone)
            loop_queue.flush()
            if releases := loop_queue.unheard():
                self.jobs.put(releases)

    def give_back(self, releases: list[Job]) -> None:
        """Hand in what takes back claims that are not used."""
        with self.lock:
            if not self.closed:
                self.jobs.put(releases)

    def is_closed(self) -> JournalError:
        """Return what is answered after the end."""
        return self._failure or JournalError(f"the journal {self._path} is closed")

    def forked(self) -> JournalError:
        """Return what a process is told that has only a copy of the journal."""
        return JournalError(
            f"the journal {self._path} was opened before this process was forked off; open it "
            "in the process that uses it"
        )

    def fail(self, problem: JournalError) -> list[Job]:
        """Take nothing any more, for want of a thread, and return what nobody will do."""
        left: list[Job] = []
        with self.lock:
            self.closed, self._failure = True, problem
            for loop_queue in self._queues.values():
                loop_queue.flush()
            with suppress(queue.Empty):
                while True:
                    left += self.jobs.get_nowait() or ()
        return left

    def close(self) -> bool:
        """Hand over what is left, and the end; `False` where another process has the journal."""
        if self.forks != generation():
            return False
        with self.lock:
            if not self.closed:
                self.closed = True
                for loop_queue in self._queues.values():
                    loop_queue.flush()
                self._forget_closed()
                self.jobs.put(None)
        return True
