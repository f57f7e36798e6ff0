"""The one thread that touches the journal's database, and its transactions."""

from __future__ import annotations

import queue
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from iprog_async._core.errors import JournalError
from iprog_async._core.forks.sqlite import FileInUse
from iprog_async._journal.pseudonyms import Pseudonyms
from iprog_async._journal.rows import Values
from iprog_async._journal.sqlite.database import JournalFile, close_file, unusable
from iprog_async._journal.sqlite.integrity import leads_to, transaction
from iprog_async._journal.sqlite.open_marker import keep_marked
from iprog_async._journal.sqlite.run_start import OtherWriters
from iprog_async._journal.sqlite.schema import WIDTH, parameters, today, upsert
from iprog_async._journal.sqlite.shared_rows import SharedRows, SharedWork
from iprog_async._journal.sqlite.write_queue import Job, LoopQueue, WriteQueue
from iprog_async._journal.store import ClaimLostError


# Rows are written many to a statement: between statements the thread lets go of the
# interpreter, and getting it back from a busy event loop costs more than the row. Of few sizes,
# because SQLite parses each statement once, which takes as long as writing some hundred rows.
_ROWS_PER_STATEMENT = (1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256)
# Looking whether the file is still there makes the thread let go of the interpreter, too.
_SECONDS_BETWEEN_LOOKS = 0.05
# No disk writes so much that a log is begun anew a thousand times in it.
_SECONDS_BETWEEN_MARKS = 10.0


class Writer:
    """Does jobs in order, as many in one transaction as have gathered.

    Args:
        path: Where the database is.
        file: The open database; closed at the end.
        intake: Where jobs come from.
        in_use: What keeps a fork from coming within a transaction.
    """

    def __init__(self, path: str, file: JournalFile, intake: WriteQueue, in_use: FileInUse) -> None:
        self._in_use = in_use
        self._path = path
        self._intake = intake
        self._identity = file.identity
        self._connection = file.connection
        # Old releases of SQLite take 999 values, new ones 32,766.
        values = file.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        self._sizes = [size for size in _ROWS_PER_STATEMENT if size * WIDTH <= values]
        self._file = file
        self._pseudonyms = Pseudonyms(file.salt)
        self._attempt = file.attempt
        self.others = OtherWriters()
        """Who else writes to the file."""
        self._synchronous = ""
        self._looked_at = 0.0
        self._marked_at = time.monotonic()

    def run(self) -> None:
        """Do jobs until the end is reached, and close the file; what a thread is made for."""
        served = False
        try:
            self._serve()
            served = True
        finally:
            self.close(in_order=served)

    def close(self, *, in_order: bool = True) -> None:
        """Close the file; for whoever has no thread to run it in.

        Args:
            in_order: Whether all went well.
        """
        try:
            with self._in_use:
                close_file(self._path, self._file, in_order=in_order)
        finally:
            self._in_use.end()
            left = self._intake.end()
            _do_afterwards(left)
            _hand_out(left, [self._intake.refusal()] * len(left))

    def _serve(self) -> None:
        while (first := self._intake.jobs.get()) is not None:
            jobs = [first, *self._waiting()]
            count, results = len(jobs), self._results_of(jobs)
            _do_afterwards(jobs)
            self._intake.done += count
            while jobs := _hand_out(jobs, results):
                results = self._results_of(jobs)
            # A waiting thread must not keep the last rows alive.
            del first, jobs, results

    def _results_of(self, jobs: Sequence[Job]) -> Sequence[Any]:
        try:
            with self._in_use:
                failure = self._write_jobs(jobs)
                # What was written is on record, whatever becomes of a question that came with it,
                # and what could not be written keeps nobody from reading.
                return [failure if job.work is None else self._result_of(job.work) for job in jobs]
        except Exception as exc:
            # Whatever it is, they wait for an answer, and may not go on.
            return [self._failure(exc)] * len(jobs)

    def _failure(self, error: Exception) -> JournalError:
        """Return what is told of an error, and note it if it does not pass."""
        failure = error if isinstance(error, JournalError) else unusable(self._path, error)
        if not _passes(error):
            self._intake.failure = failure
        return failure

    def _waiting(self) -> Iterator[Job]:
        while True:
            try:
                job = self._intake.jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                # The end: it has to be seen again when the jobs before it are done.
                self._intake.jobs.put(None)
                return
            yield job

    def _write_jobs(self, jobs: Sequence[Job]) -> JournalError | None:
        """Write the rows of all jobs, or none of them; return why not."""
        rows = jobs[0].rows if len(jobs) == 1 else [row for job in jobs for row in job.rows]
        works = [work for job in jobs for work in job.works]
        if not (rows or works):
            return None
        claims = [claim for job in jobs for claim in job.claims]
        try:
            self._prepare(durable=any(job.durable for job in jobs))
            if works or (claims and self.others.have_written):
                self._write_shared(rows, works, jobs)
            else:
                self._write(rows, jobs, version=self.others.version if claims else None)
        except Exception as exc:
            return self._failure(exc)
        return None

    def _result_of(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        try:
            return work(self._connection)
        except Exception as exc:
            if self._connection.in_transaction:
                # What is written next would be part of it, and told as written before it is.
                self._connection.execute("ROLLBACK")
            if isinstance(exc, (sqlite3.Error, JournalError)):
                return self._failure(exc)
            return JournalError(
                f"the journal {self._path} can't do what it was asked ({type(exc).__name__}: "
                f"{exc}); all else goes on"
            )

    def _write_shared(
        self, rows: Sequence[Values], works: Sequence[SharedWork], jobs: Sequence[Job]
    ) -> None:
        """Write rows of the run and those that other processes may be at, too."""
        shared = None
        try:
            with transaction(self._connection):
                self.others.look(self._connection)
                if any(row.run == 0 for work in works for row in work.rows):
                    self.others.note()
                asked = _numbers(works, jobs) if self.others.have_written else ()
                shared = SharedRows(self._connection, self._attempt, works, self._pseudonyms, asked)
                lost = _lose(shared, jobs) if asked else set[int]()
                for work in works:
                    if work.found is not None:
                        lost.update(map(id, work.without_keys))
                self._upsert_all([row for row in rows if id(row) not in lost] if lost else rows)
                self._upsert_all(shared.written)
        except BaseException:
            if shared is not None:
                shared.forget()
            raise

    def _write(self, rows: Sequence[Values], jobs: Sequence[Job], version: int | None) -> None:
        """Write rows of the run; claims only if nobody else has written to the file.

        Args:
            rows: The rows.
            jobs: What they are of.
            version: What tells whether anybody else has written; `None` if that does not matter.
        """
        try:
            if len(rows) <= self._sizes[-1]:
                # A statement is a transaction of its own.
                self._upsert(rows, version)
                return
            with transaction(self._connection):
                self._upsert_all(rows, version)
        except sqlite3.IntegrityError:
            if version is None:
                raise
            self.others.note()
            self._write_shared(rows, (), jobs)

    def _prepare(self, *, durable: bool) -> None:
        """Look whether the file is still ours, and say how sure the next transaction has to be."""
        self._look()
        synchronous = "FULL" if durable else "NORMAL"
        if synchronous != self._synchronous:
            self._connection.execute(f"PRAGMA synchronous={synchronous}")
            self._synchronous = synchronous

    def _upsert_all(self, rows: Sequence[Values], version: int | None = None) -> None:
        largest = self._sizes[-1]
        for start in range(0, len(rows), largest):
            self._upsert(rows[start : start + largest], version)

    def _upsert(self, rows: Sequence[Values], version: int | None) -> None:
        size = next(size for size in self._sizes if size >= len(rows))
        statement = upsert(size, today(), self._attempt, version)
        self._connection.execute(statement, parameters(rows, no_rows=size - len(rows)))

    def _look(self) -> None:
        """Look whether the path still leads to our file, and others still see that we have it."""
        now = time.monotonic()
        if now - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        if now - self._marked_at >= _SECONDS_BETWEEN_MARKS:
            # Where the process has no file descriptor left for the moment, at the next look.
            with suppress(OSError):
                keep_marked(self._connection, self._path)
                self._marked_at = now
        self._looked_at = now
        if not leads_to(self._path, self._identity):
            raise JournalError(
                f"the journal {self._path} was removed or replaced while it was in use; nothing "
                "more is sent, and what the new file has is not all that was sent"
            )
        if not self._file.lock.is_in_place:
            raise JournalError(
                f"a file {self._path}.lock-… was removed while this process had the journal in "
                "use: others take it for closed, so nothing more is sent from here. End this "
                "process and start it again; leave those files alone, they remove themselves"
            )


def _numbers(works: Sequence[SharedWork], jobs: Sequence[Job]) -> set[str]:
    """Return the numbers that claims of messages without keys are for."""
    numbers = {row.number for job in jobs for _, rows, _, _ in job.claims for row in rows}
    for work in works:
        if work.rules is not None:
            numbers.update(row.number for row in work.rows if row.key is None)
    return numbers


def _lose(shared: SharedRows, jobs: Sequence[Job]) -> set[int]:
    """Answer the claims of what somebody else has sent; return which columns not to write."""
    lost: set[int] = set()
    for job in jobs:
        for done, rows, columns, rules in job.claims:
            found = shared.taken(rows, rules)
            if found is not None:
                job.lost[done] = ClaimLostError(found.number, found.key)
                lost.update(map(id, columns))
    return lost


def _passes(error: Exception) -> bool:
    """Return whether it is only that another process has been writing for too long."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF == sqlite3.SQLITE_BUSY


def _do_afterwards(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.afterwards is not None:
            # A lock that can't be let go of in order is no reason to do nothing more.
            with suppress(OSError):
                job.afterwards()


def _hand_out(jobs: Sequence[Job], results: Sequence[Any]) -> list[Job]:
    """Tell each event loop what was done, and return what gives back what nobody will send."""
    loop_queues: dict[LoopQueue, None] = {}
    releases: list[Job | None] = []
    for job, result in zip(jobs, results, strict=True):
        if job.loop_queue is None:
            continue
        if job.claiming:
            releases.append(job.loop_queue.unused(job, result))
        job.loop_queue.ended.append((job, result))
        loop_queues[job.loop_queue] = None
    for loop_queue in loop_queues:
        try:
            loop_queue.loop.call_soon_threadsafe(loop_queue.hand_out)
        except RuntimeError:
            # The loop is closed: nobody waits any more, and the file has it all.
            releases.append(loop_queue.unheard())
    return [job for job in releases if job is not None]
