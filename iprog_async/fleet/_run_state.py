"""What all workers of a run share: whether it is halted, what is lost, and what may be spent."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from iprog_async._journal.postgres.schema import quoted
from iprog_async.fleet._database import Connection, ask, ask_all, notify, run
from iprog_async.fleet._queue_names import TASK


# A worker that was not seen for so long has lost nothing lately.
_SECONDS_TO_COUNT = 30
SMALLEST_LEASE = 20
"""How many credits a worker takes first, if there are as many."""
_LARGEST_LEASE = 1000
_SECONDS_OF_LEASE = 1.0

_STATES = """
SELECT r.campaign, r.run, r.halted, coalesce((
  SELECT sum(l.lost) FROM {schema}.fleet_lost AS l
  JOIN {schema}.fleet_workers AS w ON w.name = l.worker
  WHERE l.campaign = r.campaign AND l.run = r.run AND l.worker <> %(worker)s
    AND w.seen_at > now() - make_interval(secs => %(seconds)s)
), 0)
FROM {schema}.fleet_runs AS r
JOIN unnest(%(campaigns)s::integer[], %(runs)s::integer[]) AS a (campaign, run)
  USING (campaign, run)"""
_LOST = """
INSERT INTO {schema}.fleet_lost (campaign, run, worker, lost)
VALUES (%(campaign)s, %(run)s, %(worker)s, %(lost)s)
ON CONFLICT (campaign, run, worker) DO UPDATE SET lost = excluded.lost"""
_HALT = """
WITH before AS (
  SELECT campaign, run, halted FROM {schema}.fleet_runs
  WHERE campaign = %(campaign)s AND (%(run)s::integer IS NULL OR halted IS NULL AND run = %(run)s)
  FOR UPDATE
)
UPDATE {schema}.fleet_runs AS r SET halted = %(why)s, halted_at = now() FROM before
WHERE r.campaign = before.campaign AND r.run = before.run
  AND EXISTS (
    SELECT FROM {schema}.fleet_chunks AS c
    WHERE c.campaign = r.campaign AND c.run = r.run AND c.done_at IS NULL
  )
RETURNING before.halted IS NULL"""
# As texts: a condition may be asked before the one beside it, and other tasks' jobs hold anything.
_DROP_JOBS = f"""
SELECT procrastinate_cancel_job_v1(id, false, true) FROM procrastinate_jobs
WHERE task_name = '{TASK}' AND status = 'todo' AND args->>'campaign' = %(campaign)s::integer::text
  AND (%(run)s::integer IS NULL OR args->>'run' = %(run)s::integer::text)"""  # noqa: S608 - constants
# Of a limit that was lowered more may be taken than it has: that is nobody's to give back.
_LEASE = """
UPDATE {schema}.fleet_runs AS r SET credits_taken = credits_taken + w.granted
FROM (
  SELECT campaign, run, greatest(0, least(
    max_credits - credits_taken,
    greatest(least((max_credits - credits_taken) / 4, %(most)s), %(least)s)
  )) AS granted
  FROM {schema}.fleet_runs WHERE campaign = %(campaign)s AND run = %(run)s FOR UPDATE
) AS w
WHERE r.campaign = w.campaign AND r.run = w.run
RETURNING w.granted"""
_GIVE_BACK = """
UPDATE {schema}.fleet_runs SET credits_taken = credits_taken - %(left)s
WHERE campaign = %(campaign)s AND run = %(run)s"""


@frozen
class RunState:
    """What all workers have to know of a run.

    Args:
        campaign: The number of its campaign.
        run: Its number.
        halted: Why it is halted, or `None`.
        lost_elsewhere: How many unknown outcomes the other workers have in a row.
    """

    campaign: int
    run: int
    halted: str | None
    lost_elsewhere: int


async def read_states(
    connection: Connection, schema: str, worker: str, runs: Sequence[tuple[int, int]]
) -> list[RunState]:
    """Return what there is to know of some runs, given as campaign and run."""
    if not runs:
        return []
    values = {
        "worker": worker,
        "seconds": _SECONDS_TO_COUNT,
        "campaigns": [campaign for campaign, _ in runs],
        "runs": [number for _, number in runs],
    }
    found = await ask_all(connection, _STATES.format(schema=quoted(schema)), values)
    return [RunState(*row) for row in found]


async def save_lost(
    connection: Connection, schema: str, worker: str, of_run: tuple[int, int], lost: int
) -> None:
    """Let the others know how many unknown outcomes this worker has had in a row."""
    values = {"campaign": of_run[0], "run": of_run[1], "worker": worker, "lost": lost}
    await run(connection, _LOST.format(schema=quoted(schema)), values)


async def halt(
    connection: Connection, schema: str, campaign: int, number: int | None, why: str
) -> int:
    """Halt a run, or all of a campaign, for all workers; return how many went on until then.

    Whoever halts a campaign says why, also of what is halted already; of a run, the first one does.
    """
    values = {"campaign": campaign, "run": number, "why": why}
    halted = await ask_all(connection, _HALT.format(schema=quoted(schema)), values)
    # If it ends here, workers find that the chunks of these jobs are halted.
    await run(connection, _DROP_JOBS, values)
    await notify(connection, schema)
    return sum(went_on for (went_on,) in halted)


def next_lease(before: int, seconds: float) -> int:
    """Return how many credits to take, so that they last for a second or so.

    What a worker that is killed has taken and not spent is lost to all.

    Args:
        before: How many were to be taken the last time.
        seconds: How long ago that was.
    """
    wanted = 2 * before if seconds < _SECONDS_OF_LEASE else before // 2
    return min(max(wanted, SMALLEST_LEASE), _LARGEST_LEASE)


async def lease_credits(
    connection: Connection, schema: str, of_run: tuple[int, int], most: int = _LARGEST_LEASE
) -> int:
    """Take some of the credits that all workers share; 0 if there are none any more.

    Args:
        connection: A connection.
        schema: The journal's schema.
        of_run: The campaign and the run.
        most: How many to take; fewer where few are left, so that others have some.
    """
    values = {
        "campaign": of_run[0],
        "run": of_run[1],
        "most": most,
        "least": SMALLEST_LEASE,
    }
    (granted,) = await ask(connection, _LEASE.format(schema=quoted(schema)), values)
    return int(granted)


async def give_back_credits(
    connection: Connection, schema: str, of_run: tuple[int, int], left: int
) -> None:
    """Give back credits that were taken and are not spent."""
    values = {"campaign": of_run[0], "run": of_run[1], "left": left}
    await run(connection, _GIVE_BACK.format(schema=quoted(schema)), values)
