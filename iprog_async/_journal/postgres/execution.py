"""Doing a group of jobs with a connection: the statements, and what their answers mean."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from iprog_async._journal.postgres.attempts import attempt_of
from iprog_async._journal.postgres.connecting import Connection, not_in_session, run
from iprog_async._journal.postgres.jobs import ATTEMPT, Job, Kind, released, values_of
from iprog_async._journal.postgres.statements import Statement, Statements, check_identity, to_row
from iprog_async._journal.rows import Row
from iprog_async._journal.store import ClaimLostError


_ROWS_PER_STATEMENT = 256
# A message that somebody takes between two looks is there at the next one.
_LOOKS = 3


class Execution:
    """Does jobs, those of one kind together; whatever goes wrong is an exception.

    Args:
        statements: What is said to the database.
    """

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._writes = {
            Kind.RECORD: statements.record,
            Kind.PUT: statements.put,
            Kind.SETTLE: statements.settle,
            Kind.RELEASE: statements.release,
        }

    def do(self, connection: Connection, jobs: Sequence[Job]) -> list[Any]:
        """Do jobs of one kind, and return the result of each."""
        kind = jobs[0].kind
        if kind is Kind.CLAIM:
            return self._claim(connection, jobs)
        if kind is Kind.CLAIM_NEW:
            return self._claim_new(connection, jobs)
        if kind is Kind.ASK:
            return [None if job.work is None else job.work(connection) for job in jobs]
        self._write(connection, self._writes[kind], values_of(jobs))
        return [None] * len(jobs)

    def give_back(self, connection: Connection, jobs: Sequence[Job]) -> None:
        """Release claims of which nobody knows whether they were made, and which are not used."""
        rows = [values for job in jobs for values in released(job)]
        self._write(connection, self._statements.release, rows)

    def _claim(self, connection: Connection, jobs: Sequence[Job]) -> list[ClaimLostError | None]:
        got: dict[int, int] = {}
        for values in _in_chunks(values_of(jobs)):
            for attempt, number in self._take(connection, self._statements.claim, values, jobs):
                got[attempt] = number
        contested = self._contested(connection, jobs, got)
        for attempt in contested:
            del got[attempt]
        results: list[ClaimLostError | None] = []
        for job in jobs:
            attempts = [values[ATTEMPT] for values in job.values]
            lost: ClaimLostError | None = None
            for row, attempt in zip(job.rows, attempts, strict=True):
                if attempt in got:
                    row.id = got[attempt]
                else:
                    lost = ClaimLostError(row.number, row.key)
            results.append(lost)
        if lost_jobs := [job for job, lost in zip(jobs, results, strict=True) if lost is not None]:
            # What others made a conflict of; what this very job got before its connection was
            # lost; and of one request for several people, those whom nobody else has.
            self.give_back(connection, lost_jobs)
        return results

    def _contested(
        self, connection: Connection, jobs: Sequence[Job], got: Collection[int]
    ) -> Sequence[int]:
        """Return which claims to give back, as two runs may have claimed in the same moment.

        Neither sees what the other has not committed yet. So whoever has claimed, and committed
        that, looks again: of two at least the one that claimed last sees the other, and lets it go
        first. In one transaction with the claim, the look would see no more than the claim did.
        """
        claimed = [
            values for values in values_of(jobs) if values[_HEEDS] and values[ATTEMPT] in got
        ]
        statement = self._statements.contested
        return [
            attempt
            for values in _in_chunks(claimed)
            for (attempt,) in run(connection, statement.sql, statement.values(values))
        ]

    def _claim_new(
        self, connection: Connection, jobs: Sequence[Job]
    ) -> list[Row | ClaimLostError | None]:
        by_attempt = {job.values[0][ATTEMPT]: job for job in jobs}
        results: dict[int, Row | None] = {}
        for _ in range(_LOOKS):
            missing = [job.values[0] for job in jobs if job.values[0][ATTEMPT] not in results]
            for values in _in_chunks(missing):
                for attempt, got, *found in self._take(
                    connection, self._statements.claim_new, values, jobs
                ):
                    asked = by_attempt[attempt].rows[0]
                    row = None if found[0] is None else to_row(found)
                    check_identity(row, {(asked.number, asked.key)})
                    if row is not None and (attempt_of(row), row.state) == (attempt, "claimed"):
                        # This very claim: nothing was heard of it when the connection was lost.
                        got, row = row.id, None
                    if got is not None:
                        asked.id = got
                    if got is not None or row is not None:
                        results[attempt] = row
        return [
            results.get(attempt, ClaimLostError(job.rows[0].number, job.rows[0].key))
            for attempt, job in by_attempt.items()
        ]

    def _take(
        self,
        connection: Connection,
        statement: Statement,
        rows: Sequence[tuple[Any, ...]],
        jobs: Sequence[Job],
    ) -> Iterator[list[Any]]:
        """Run a claim; what was claimed where others don't see who is connected is taken back."""
        found = run(connection, statement.sql, statement.values(rows)).fetchall()
        for job in jobs:
            job.tried = True
        if not all(in_session for in_session, *_ in found):
            self.give_back(connection, jobs)
            raise not_in_session("the journal's database")
        return (values for _, _, *values in found)

    def _write(
        self, connection: Connection, statement: Statement, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        for values in _in_chunks(rows):
            run(connection, statement.sql, statement.values(values))


_HEEDS = 7
"""Where it is in the values of a claim whether it may be a conflict."""


def _in_chunks(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(rows), _ROWS_PER_STATEMENT):
        yield rows[start : start + _ROWS_PER_STATEMENT]
