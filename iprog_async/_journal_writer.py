"""The one thread that touches the journal's database, and its transactions."""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from attrs import define

from iprog_async._errors import JournalError
from iprog_async._file_lock import FileLock
from iprog_async._journal_file import JournalFile, unusable
from iprog_async._journal_rows import Values


COLUMNS = "id, number, key, text_hash, run, state, healable, provider, detail"

# Rows are written many to a statement: between statements the thread lets go of the
# interpreter, and getting it back from a busy event loop costs more than the row. Of few
# sizes, because SQLite parses each statement once; 999 values to one was long the limit.
_ROWS_PER_STATEMENT = (1, 2, 4, 8, 16, 24, 32, 48, 64, 80, 96)
_LARGEST = _ROWS_PER_STATEMENT[-1]
# Where several tasks write at once, a moment's patience puts many of their rows into one
# transaction, and most of a transaction's cost is its own.
_PATIENCE = 0.002
_COMPANY = 4
# Looking whether the file is still there makes the thread let go of the interpreter, too.
_SECONDS_BETWEEN_LOOKS = 0.05


@define(eq=False)
class Job:
    """Something to do with the database, or rows to write.

    Args:
        done: Who waits for it; `None` if nobody does. It is given the result, which is a
            `JournalError` if it failed: as an exception, it would complain that nobody asked.
        work: What to do.
        rows: Rows to insert, or to replace by their number.
        durable: Whether they have to survive a power cut, and not only a kill.
    """

    done: asyncio.Future[Any] | None = None
    work: Callable[[sqlite3.Connection], Any] | None = None
    rows: Sequence[Values] = ()
    durable: bool = False


class Writer:
    """Does jobs in order, as many in one transaction as have gathered.

    Args:
        path: Where the database is.
        file: The open database; closed at the end.
        lock: What keeps others away from it; released at the end.
    """

    def __init__(self, path: str, file: JournalFile, lock: FileLock) -> None:
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        """What there is to do; `None` is the end."""
        self.failure: JournalError | None = None
        """Why nothing may be sent any more: it could not be put on record."""
        self._path = path
        self._identity = file.identity
        self._connection = file.connection
        self._lock = lock
        self._synchronous = ""
        self._looked_at = 0.0

    def run(self) -> None:
        """Do jobs until the end is reached, and close the file; what a thread is made for."""
        try:
            self._serve()
        finally:
            self._connection.close()
            self._lock.release()

    def _serve(self) -> None:
        company = 0
        while (first := self.jobs.get()) is not None:
            if company >= _COMPANY:
                time.sleep(_PATIENCE)
            jobs = [first, *self._waiting()]
            company = len(jobs)
            try:
                results = self._do(jobs)
            except Exception as exc:
                # Whatever it is, they wait for an answer, and may not go on.
                self.failure = exc if isinstance(exc, JournalError) else unusable(self._path, exc)
                results = [self.failure] * company
            _hand_out(jobs, results)
            # A waiting thread must not keep the last rows alive.
            del first, jobs, results

    def _waiting(self) -> Iterator[Job]:
        while True:
            try:
                job = self.jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                # The end: it has to be seen again when the jobs before it are done.
                self.jobs.put(None)
                return
            yield job

    def _do(self, jobs: Sequence[Job]) -> Sequence[Any]:
        rows = [row for job in jobs for row in job.rows]
        if rows:
            self._write(rows, durable=any(job.durable for job in jobs))
        return [None if job.work is None else job.work(self._connection) for job in jobs]

    def _write(self, rows: Sequence[Values], *, durable: bool) -> None:
        self._look()
        connection = self._connection
        synchronous = "FULL" if durable else "NORMAL"
        if synchronous != self._synchronous:
            connection.execute(f"PRAGMA synchronous={synchronous}")
            self._synchronous = synchronous
        if len(rows) <= _LARGEST:
            # A statement is a transaction of its own.
            _upsert(connection, rows)
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for start in range(0, len(rows), _LARGEST):
                _upsert(connection, rows[start : start + _LARGEST])
            connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors, such as a full disk.
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _look(self) -> None:
        """Look whether the path still leads to our file."""
        now = time.monotonic()
        if now - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return
        self._looked_at = now
        try:
            same = os.path.samestat(os.stat(self._path), self._identity)
        except OSError:
            same = False
        if not same:
            raise JournalError(
                f"the journal {self._path} was removed or replaced while it was in use; nothing "
                "more is sent, and what the new file has is not all that was sent"
            )


def _upsert(connection: sqlite3.Connection, rows: Sequence[Values]) -> None:
    size = next(size for size in _ROWS_PER_STATEMENT if size >= len(rows))
    values = [value for row in rows for value in row]
    # To fill the statement up the last row is written again, which changes nothing.
    values.extend(rows[-1] * (size - len(rows)))
    connection.execute(_statement(size), values)


@cache
def _statement(rows: int) -> str:
    """Return the statement for so many rows; on a change an upsert leaves the indexes alone."""
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * rows)
    return f"""
    INSERT INTO entries ({COLUMNS}) VALUES {values}
    ON CONFLICT (id) DO UPDATE SET text_hash = excluded.text_hash, run = excluded.run,
        state = excluded.state, healable = excluded.healable, provider = excluded.provider,
        detail = excluded.detail
    """  # noqa: S608 - constants


_Answers = list[tuple["asyncio.Future[Any]", Any]]


def _hand_out(jobs: Sequence[Job], results: Sequence[Any]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, _Answers] = {}
    for job, result in zip(jobs, results, strict=True):
        if job.done is not None:
            by_loop.setdefault(job.done.get_loop(), []).append((job.done, result))
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, answers)
        except RuntimeError:
            # The loop is closed: nobody waits any more, and the file has it all.
            continue


def _settle(answers: _Answers) -> None:
    for done, result in answers:
        # It may have been cancelled.
        if not done.done():
            done.set_result(result)
