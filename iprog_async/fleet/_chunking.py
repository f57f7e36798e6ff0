"""Making chunks of the messages that are left, and a job of each."""

from __future__ import annotations

import json

from iprog_async._journal.postgres.schema import quoted
from iprog_async.fleet._database import Connection, ask, run
from iprog_async.fleet._queue_names import TASK
from iprog_async.fleet._settings import JobSettings, RunSettings


_NEW_RUN = """
WITH numbered AS (
  UPDATE {schema}.campaigns SET runs = runs + 1 WHERE id = %(campaign)s RETURNING id, runs
)
INSERT INTO {schema}.fleet_runs
  (campaign, run, queue, priority, starts_at, size, settings, max_credits)
SELECT id, runs, %(queue)s, %(priority)s, %(starts_at)s, (SELECT count(*) FROM staged),
  %(settings)s, %(max_credits)s
FROM numbered RETURNING run, size"""
# Equal texts are together, in the order in which each text comes first, so that they travel
# together; people who get a text of their own stay in the order of the file. They are in order
# when they are put together, whether that takes another sort or not.
_CHUNKS = """
WITH grouped AS (
  SELECT *, min(position) OVER (PARTITION BY hash, sender_id) AS first FROM staged
), numbered AS (
  SELECT *, 1 + (row_number() OVER (ORDER BY first, position) - 1) / %(size)s AS chunk FROM grouped
  ORDER BY chunk, first, position
)
INSERT INTO {schema}.fleet_chunks
  (campaign, run, chunk, size, numbers, keys, texts, sender_ids, schedules, not_after)
SELECT %(campaign)s, %(run)s, chunk, count(*), array_agg(number),
  CASE WHEN count(key) > 0 THEN array_agg(key) END,
  array_agg(text),
  CASE WHEN count(sender_id) > 0 THEN array_agg(sender_id) END,
  CASE WHEN count(schedule) > 0 THEN array_agg(schedule) END,
  CASE WHEN count(not_after) > 0 THEN array_agg(not_after) END
FROM numbered GROUP BY chunk"""
# Of tables that were filled a moment ago the planner knows nothing, and would look for the job of
# each chunk among all jobs. Put in groups, both are gone through once.
DEFER = f"""
WITH jobless AS (
  SELECT campaign::integer, run::integer, chunk::integer,
    max(queue) AS queue, max(priority) AS priority, max(starts_at) AS starts_at
  FROM (
    SELECT c.campaign::text, c.run::text, c.chunk::text, r.queue, r.priority, r.starts_at
    FROM {{schema}}.fleet_chunks AS c JOIN {{schema}}.fleet_runs AS r USING (campaign, run)
    WHERE c.done_at IS NULL AND r.halted IS NULL
      AND (%(campaign)s::integer IS NULL OR c.campaign = %(campaign)s)
      AND (%(run)s::integer IS NULL OR c.run = %(run)s)
    UNION ALL
    SELECT j.args->>'campaign', j.args->>'run', j.args->>'chunk', NULL, NULL, NULL
    FROM procrastinate_jobs AS j WHERE j.task_name = '{TASK}' AND j.status IN ('todo', 'doing')
  ) AS chunks_and_jobs (campaign, run, chunk, queue, priority, starts_at)
  GROUP BY campaign, run, chunk HAVING count(queue) = count(*)
)
SELECT count(*) FROM (
  SELECT unnest(procrastinate_defer_jobs_v1(array_agg(ROW(
    queue, '{TASK}', priority, NULL, NULL,
    jsonb_build_object('campaign', campaign, 'run', run, 'chunk', chunk), starts_at
  )::procrastinate_job_to_defer_v1 ORDER BY campaign, run, chunk)))
  FROM jobless
) AS deferred"""  # noqa: S608 - constants
"""Puts a job into the queue for each chunk that has none; gives their number."""


async def make_chunks(
    connection: Connection, schema: str, campaign: int, settings: RunSettings, jobs: JobSettings
) -> tuple[int, int, int]:
    """Make chunks and jobs of what is staged.

    Returns:
        The run's number, its messages, and its chunks.
    """
    name = quoted(schema)
    values = {
        "campaign": campaign,
        "queue": jobs.queue,
        "priority": jobs.priority,
        "starts_at": jobs.starts_at,
        "settings": json.dumps(settings.to_dict()),
        "max_credits": jobs.max_credits,
    }
    run_number, size = await ask(connection, _NEW_RUN.format(schema=name), values)
    values = {"campaign": campaign, "run": run_number, "size": jobs.size_for(size)}
    await run(connection, _CHUNKS.format(schema=name), values)
    return run_number, size, await defer_jobs(connection, schema, campaign, run_number)


async def defer_jobs(
    connection: Connection, schema: str, campaign: int | None = None, run_number: int | None = None
) -> int:
    """Put a job into the queue for each chunk that is not done and has none.

    Args:
        connection: A connection.
        schema: The journal's schema.
        campaign: Of which campaign; of all if `None`.
        run_number: Of which run; of all if `None`.

    Returns:
        How many jobs it made.
    """
    values = {"campaign": campaign, "run": run_number}
    (count,) = await ask(connection, DEFER.format(schema=quoted(schema)), values)
    return int(count)
