"""The job queue, which is procrastinate's: who takes which chunk, and what becomes of its job.

Its retries are off: a job is put back only while nobody is at it, and the journal knows what was
sent of its chunk.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

from attrs import frozen
from procrastinate.connector import BaseAsyncConnector
from procrastinate.jobs import Status
from procrastinate.manager import JobManager
from psycopg.errors import ForeignKeyViolation, RaiseException
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from iprog_async.fleet._chunks import ChunkId
from iprog_async.fleet._database import Connection
from iprog_async.fleet._queue_names import TASK


# At once, whatever the clock of this machine says.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_LATER = "SELECT now() + make_interval(secs => %(seconds)s) AS later"
_OURS = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %(worker_id)s"


class _OneConnection(BaseAsyncConnector):
    """Lets procrastinate use a connection that is there; one statement at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        await self.rows(query, arguments, fetch=False)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> dict[str, Any]:
        (row,) = await self.rows(query, arguments)
        return row

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[dict[str, Any]]:
        return await self.rows(query, arguments)

    async def rows(
        self, query: str, arguments: dict[str, Any], *, fetch: bool = True
    ) -> list[dict[str, Any]]:
        values = {name: _adapted(value) for name, value in arguments.items()}
        async with self._connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(query, values)  # pyright: ignore[reportArgumentType] - procrastinate's own SQL
            return await cursor.fetchall() if fetch else []


def _adapted(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict) else value


@frozen
class Job:
    """A job that this worker has taken.

    Args:
        id: Its number in the queue.
        chunk: What it is about.
    """

    id: int
    chunk: ChunkId


class JobQueue:
    """Takes jobs for one worker.

    Args:
        connection: A connection, with the journal's schema in front.
        queues: The queues that jobs are taken from.
        stalled_after: After how many seconds without a heartbeat a worker's jobs are others'.
    """

    def __init__(self, connection: Connection, queues: Iterable[str], stalled_after: float) -> None:
        self._connector = _OneConnection(connection)
        self._manager = JobManager(self._connector)
        self._queues = list(queues)
        self._stalled_after = stalled_after
        self._worker_id: int | None = None

    async def register(self) -> None:
        """Say that this worker is there."""
        self._worker_id = await self._manager.register_worker()

    async def unregister(self) -> None:
        """Say that this worker is gone."""
        worker_id, self._worker_id = self._worker_id, None
        if worker_id is not None:
            await self._manager.unregister_worker(worker_id)

    async def beat(self) -> None:
        """Say that this worker is still there."""
        if self._worker_id is not None:
            await self._manager.update_heartbeat(self._worker_id)

    async def take(self) -> Job | None:
        """Take the next job; `None` if there is none."""
        assert self._worker_id is not None  # noqa: S101 - `register` comes first
        try:
            job = await self._manager.fetch_job(queues=self._queues, worker_id=self._worker_id)
        except ForeignKeyViolation:
            # The others thought that this worker is gone; it has been stopped for long, maybe.
            await self.register()
            return await self.take()
        if job is None or job.id is None:
            return None
        return Job(job.id, ChunkId(**cast("dict[str, int]", job.task_kwargs)))

    async def finish(self, job: Job) -> None:
        """Take a job out of the queue; its chunk says what is left of it."""
        with suppress(RaiseException):
            # Somebody else has it, who thought that this worker is gone.
            await self._manager.finish_job_by_id_async(job.id, Status.SUCCEEDED, delete_job=True)

    async def put_back(self, job_id: int, seconds: float = 0.0) -> None:
        """Let another worker have a job, now or in so many seconds."""
        retry_at = _LONG_AGO
        if seconds:
            (row,) = await self._connector.rows(_LATER, {"seconds": seconds})
            retry_at = row["later"]
        with suppress(RaiseException):
            await self._manager.retry_job_by_id_async(job_id, retry_at=retry_at)

    async def revive(self, held: Set[int]) -> int:
        """Put back jobs that nobody is at: of workers that are gone, and strays of this one.

        Args:
            held: The jobs that this worker is at.
        """
        await self._manager.prune_stalled_workers(self._stalled_after)
        stalled = await self._manager.get_stalled_jobs(
            task_name=TASK, seconds_since_heartbeat=self._stalled_after
        )
        # One whose answer was lost with the connection.
        ours = await self._connector.rows(_OURS, {"worker_id": self._worker_id})
        numbers = {job.id for job in stalled if job.id is not None} | {row["id"] for row in ours}
        revived = numbers - held
        for number in revived:
            await self.put_back(number)
        return len(revived)
