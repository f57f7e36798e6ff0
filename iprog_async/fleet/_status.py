"""How far a campaign has come, and who works; read cheaply, while it goes on."""

from __future__ import annotations

from typing import Any

from attrs import asdict, frozen

from iprog_async._journal.postgres.schema import quoted
from iprog_async.fleet._database import Connection, ask_all


_SECONDS_TO_COUNT = 10
_RUNS = """
SELECT r.run, r.size, r.halted, r.starts_at > now(), r.max_credits, r.credits_taken,
  count(*), count(c.done_at),
  coalesce(sum(c.accepted), 0), coalesce(sum(c.failed), 0), coalesce(sum(c.not_sent), 0),
  coalesce(sum(c.unknown), 0)
FROM {schema}.fleet_runs AS r JOIN {schema}.fleet_chunks AS c USING (campaign, run)
JOIN {schema}.campaigns AS p ON p.id = r.campaign
WHERE p.name = %s GROUP BY r.campaign, r.run ORDER BY r.run"""
_WORKERS = """
SELECT w.name, w.sent_per_second, count(c.chunk) FROM {schema}.fleet_workers AS w
LEFT JOIN {schema}.fleet_chunks AS c ON c.worker = w.name AND c.done_at IS NULL
  AND c.campaign = (SELECT id FROM {schema}.campaigns WHERE name = %s)
WHERE w.seen_at > now() - make_interval(secs => %s)
GROUP BY w.name ORDER BY w.name"""


@frozen(kw_only=True)
class RunStatus:
    """How far a run has come, by what the workers wrote down last.

    Args:
        run: Its number.
        size: Messages that were loaded.
        halted: Why it is halted, or `None`.
        scheduled: Whether its time has not come yet.
        max_credits: The most credits that all workers together may spend.
        credits_taken: Credits that workers have spent, or may.
        chunks: Its chunks.
        chunks_done: Those of them that are done.
        accepted: Messages that a gateway accepted.
        failed: Those of the accepted that the gateway reported as failed at once.
        not_sent: Messages that were certainly not sent.
        unknown: Messages that may have been sent, or may not.
    """

    run: int
    size: int
    halted: str | None
    scheduled: bool
    max_credits: int | None
    credits_taken: int
    chunks: int
    chunks_done: int
    accepted: int
    failed: int
    not_sent: int
    unknown: int

    @property
    def done(self) -> int:
        """Messages that have an outcome."""
        return self.accepted + self.not_sent + self.unknown

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is left to send."""
        return self.chunks == self.chunks_done


@frozen(kw_only=True)
class WorkerStatus:
    """A worker that was seen lately.

    Args:
        name: What it is called.
        sent_per_second: Outcomes per second, of whatever it sends.
        chunks: How many chunks of this campaign it has.
    """

    name: str
    sent_per_second: float
    chunks: int


@frozen(kw_only=True)
class CampaignStatus:
    """How far a campaign has come, and who works.

    Args:
        campaign: Its name.
        runs: Its runs, one for each time that something was loaded.
        workers: The workers, whatever they are sending.
    """

    campaign: str
    runs: tuple[RunStatus, ...]
    workers: tuple[WorkerStatus, ...]

    @property
    def size(self) -> int:
        """Messages that were loaded."""
        return sum(run.size for run in self.runs)

    @property
    def done(self) -> int:
        """Messages that have an outcome."""
        return sum(run.done for run in self.runs)

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it is left to send."""
        return all(run.has_ended for run in self.runs)

    @property
    def halted(self) -> str | None:
        """Why it is halted, or `None`."""
        return next((run.halted for run in self.runs if run.halted and not run.has_ended), None)

    @property
    def is_working(self) -> bool:
        """Whether a worker has some of it."""
        return any(worker.chunks for worker in self.workers)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {
            "campaign": self.campaign,
            "size": self.size,
            "done": self.done,
            "has_ended": self.has_ended,
            "halted": self.halted,
            "runs": [asdict(run) for run in self.runs],
            "workers": [asdict(worker) for worker in self.workers],
        }


async def read_status(connection: Connection, schema: str, campaign: str) -> CampaignStatus:
    """Return how far a campaign has come."""
    name = quoted(schema)
    runs = await ask_all(connection, _RUNS.format(schema=name), [campaign])
    asked = [campaign, _SECONDS_TO_COUNT]
    workers = await ask_all(connection, _WORKERS.format(schema=name), asked)
    return CampaignStatus(
        campaign=campaign,
        runs=tuple(_run_status(row) for row in runs),
        workers=tuple(
            WorkerStatus(name=worker, sent_per_second=rate, chunks=chunks)
            for worker, rate, chunks in workers
        ),
    )


def _run_status(row: tuple[Any, ...]) -> RunStatus:
    run, size, halted, scheduled, max_credits, credits_taken, *counts = row
    chunks, chunks_done, accepted, failed, not_sent, unknown = map(int, counts)
    return RunStatus(
        run=run,
        size=size,
        halted=halted,
        scheduled=bool(scheduled),
        max_credits=max_credits,
        credits_taken=credits_taken,
        chunks=chunks,
        chunks_done=chunks_done,
        accepted=accepted,
        failed=failed,
        not_sent=not_sent,
        unknown=unknown,
    )
