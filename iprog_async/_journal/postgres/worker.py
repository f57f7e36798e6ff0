"""The one thread that speaks to a journal's database, and what it does when that is away.

A lost connection is made again, and what was asked is asked again: a claim is known by its
number, so that making it twice is making it once, and so is a record. What was asked for too long
ago is given up with an error; such a claim, if it was made, is released when the database is back.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attrs import evolve

from iprog_async._core.clock import uptime
from iprog_async._core.errors import JournalError, SmsError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import is_lost, is_passing, unusable
from iprog_async._journal.postgres.driver import driver
from iprog_async._journal.postgres.execution import Execution
from iprog_async._journal.postgres.jobs import Asker, Job, Kind, in_groups, release_of
from iprog_async._journal.postgres.write_queue import Intake
from iprog_async._journal.store import CLAIM_SECONDS


if TYPE_CHECKING:
    from iprog_async._limits.postgres_waiting import WaitingConnection

logger = logging.getLogger("iprog_async")

_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
# After the end, what is left to record gets this long.
_SECONDS_TO_END = 5.0
_READ_ONLY = "25006"
_WRONG_DATA = ("22", "23")


class Worker:
    """Does jobs, as many in one statement as have gathered, until the end.

    Args:
        address: The journal, for errors.
        connection: An open connection; the thread's own from now on.
        reconnect: Makes another one.
        execution: What does the jobs.
        intake: Where they come from.
    """

    def __init__(
        self,
        address: PostgresAddress,
        connection: WaitingConnection,
        reconnect: Callable[[], WaitingConnection],
        execution: Execution,
        intake: Intake,
    ) -> None:
        self._address = address
        self._connection: WaitingConnection | None = connection
        self._reconnect = reconnect
        self._execution = execution
        self._intake = intake
        self._jobs: list[Job] = []
        self._ended: list[tuple[Job, Any]] = []
        self._demoted = False
        self._pause = 0.0
        self._away_since: float | None = None
        self._end_by: float | None = None

    def run(self) -> None:
        """Do jobs until the end is reached, and disconnect; what a thread is made for."""
        try:
            while self._gather():
                self._work()
                self._jobs = [job for job in self._jobs if not job.finished]
                self._hand_out()
            self._leave()
        except BaseException as exc:
            # Whatever it is, they wait for an answer, and nobody else is there to give it.
            self._give_up(unusable(self._address, exc))
        finally:
            self._disconnect()

    def hurry(self) -> None:
        """Wait less long for an answer, as the end has come; called in any thread."""
        connection = self._connection
        if connection is not None:
            connection.answer_within = _SECONDS_TO_END

    def _gather(self) -> bool:
        """Wait for jobs, or for the time to try again; return whether to go on."""
        waiting = bool(self._jobs)
        if self._end_by is not None:
            time.sleep(self._pause)
            return waiting and time.monotonic() < self._end_by
        try:
            self._take(self._intake.jobs.get(timeout=self._pause if waiting else None))
            while True:
                self._take(self._intake.jobs.get_nowait())
        except queue.Empty:
            return True

    def _take(self, arrived: list[Job] | None) -> None:
        if arrived is None:
            self._end_by = time.monotonic() + _SECONDS_TO_END
        else:
            self._jobs += arrived

    def _work(self) -> None:
        try:
            connection = self._connect()
        except Exception as exc:
            self._away(exc if isinstance(exc, SmsError) else unusable(self._address, exc))
            return
        try:
            for group in in_groups(self._jobs):
                self._do(connection, group)
        except Exception as exc:
            if is_lost(connection, exc):
                self._disconnect()
            self._away(unusable(self._address, exc))
        else:
            if self._demoted:
                # The next connection may lead to the new primary.
                self._demoted = False
                self._disconnect()
            self._away_since = None
            # What could not be recorded is tried again, but not all the time.
            self._pause = 0.0 if all(job.finished for job in self._jobs) else _LONGEST_PAUSE

    def _do(self, connection: WaitingConnection, group: list[Job]) -> None:
        """Do a group, or each of its jobs alone if it can't be done together."""
        # A look at millions of rows takes its time. All else is soon done, or in vain: others wait.
        connection.is_patient = group[0].kind is Kind.ASK
        try:
            results = self._execution.do(connection, group)
        except Exception as exc:
            if is_lost(connection, exc) or not getattr(exc, "sqlstate", None):
                # Only what the server itself refused is certainly undone.
                for job in group:
                    job.tried = True
            if is_lost(connection, exc) or is_passing(exc):
                raise
            if len(group) > 1:
                for job in group:
                    self._do(connection, [job])
                return
            if group[0].kind.is_kept and len(group[0].values) > 1 and _is_wrong_data(exc):
                self._do_each_row(connection, group[0])
                return
            self._fail(group[0], exc)
            if taken_back := self._take_back(group[0]):
                self._do(connection, taken_back)
            return
        for job, result in zip(group, results, strict=True):
            self._finish(job, result)

    def _do_each_row(self, connection: WaitingConnection, job: Job) -> None:
        """Write the rows of a job one by one: one that can't be written leaves no other behind."""
        failed: Exception | None = None
        for values in job.values:
            try:
                self._execution.do(connection, [evolve(job, values=[values])])
            except Exception as exc:
                if is_lost(connection, exc) or is_passing(exc):
                    raise
                if failed is None or not _is_wrong_data(exc):
                    failed = exc
        if failed is None:
            self._finish(job, None)
        else:
            self._fail(job, failed)

    def _fail(self, job: Job, cause: Exception) -> None:
        """Answer that a job could not be done; an outcome is tried again, if that has any sense."""
        error = cause if isinstance(cause, JournalError) else unusable(self._address, cause)
        state = getattr(cause, "sqlstate", None) or ""
        self._demoted = self._demoted or state == _READ_ONLY
        if job.kind.is_kept and state and not _is_wrong_data(cause):
            self._answer(job, error)
        else:
            self._finish(job, error)

    def _connect(self) -> WaitingConnection:
        if self._connection is None:
            self._connection = self._reconnect()
        if self._end_by is not None:
            self._connection.answer_within = _SECONDS_TO_END
        self._connection.is_patient = False
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _away(self, problem: SmsError) -> None:
        """Wait for the database to be back, and give up what has waited too long for it."""
        now = uptime()
        if self._away_since is None:
            self._away_since = now
        self._pause = min(max(2 * self._pause, _SHORTEST_PAUSE), _LONGEST_PAUSE)
        gone_for_long = now - self._away_since > CLAIM_SECONDS or self._end_by is not None
        for job in list(self._jobs):
            if job.finished or (not gone_for_long and now - job.asked_at < CLAIM_SECONDS):
                continue
            if job.kind.is_kept:
                self._answer(job, problem)
                continue
            self._take_back(job)
            self._finish(job, problem)

    def _take_back(self, job: Job) -> list[Job]:
        """Let a claim be released that is not used, if the server may have it; return what does."""
        taken_back = [release_of(job)] if job.kind.is_claim and job.tried else []
        self._jobs += taken_back
        return taken_back

    def _finish(self, job: Job, result: Any) -> None:
        job.finished = True
        self._answer(job, result)

    def _answer(self, job: Job, result: Any) -> None:
        if not job.answered:
            job.answered = True
            self._ended.append((job, result))

    def _hand_out(self) -> None:
        queues: dict[Asker, None] = {}
        for job, result in self._ended:
            if job.is_unused(result):
                # The event loop would hand that in, but the journal may be closed by then.
                self._jobs.append(release_of(job))
            job.queue.ended.append((job, result))
            queues[job.queue] = None
        self._ended = []
        for loop_queue in queues:
            try:
                loop_queue.loop.call_soon_threadsafe(loop_queue.hand_out)
            except RuntimeError:
                # The loop is closed: nobody waits any more, and what was claimed is not used.
                self._jobs += loop_queue.unheard()

    def _give_up(self, problem: JournalError) -> None:
        """Answer all that is asked, and will be, with what keeps this thread from going on."""
        logger.error("%s", problem)
        for job in [*self._jobs, *self._intake.fail(problem)]:
            self._finish(job, problem)
        self._hand_out()

    def _leave(self) -> None:
        """Say what could not be written down."""
        if self._jobs:
            logger.error(
                "the journal %s was closed while its database was away: %d of its last outcomes "
                "are not on record, and unknown to the next run",
                self._address,
                len(self._jobs),
            )


def _is_wrong_data(cause: Exception) -> bool:
    """Return whether the trouble is in what was to be written, and no try will change that."""
    state = getattr(cause, "sqlstate", None)
    return (
        state.startswith(_WRONG_DATA)
        if state
        else isinstance(cause, (ValueError, driver().DataError))
    )
