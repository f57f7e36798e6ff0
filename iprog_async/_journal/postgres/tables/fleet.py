"""The tables of the fleet: what was loaded, in chunks, and who works it off."""

from __future__ import annotations


# The texts of a chunk are in its row, which is compressed; they go when it is done. What changes
# often, its counts, finds room beside the row.
FLEET = """
CREATE TABLE {schema}.fleet_runs (
  campaign integer NOT NULL REFERENCES {schema}.campaigns ON DELETE CASCADE,
  run integer NOT NULL,
  queue text NOT NULL,
  priority integer NOT NULL DEFAULT 0,
  starts_at timestamptz,
  loaded_at timestamptz NOT NULL DEFAULT now(),
  size bigint NOT NULL,
  settings jsonb NOT NULL,
  halted text,
  halted_at timestamptz,
  max_credits bigint,
  credits_taken bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (campaign, run)
) WITH (fillfactor = 50);
COMMENT ON TABLE {schema}.fleet_runs IS 'What was loaded for the workers, and why it is halted';
COMMENT ON COLUMN {schema}.fleet_runs.credits_taken IS
  'Credits that workers have taken to spend, and not given back';

CREATE TABLE {schema}.fleet_chunks (
  campaign integer NOT NULL,
  run integer NOT NULL,
  chunk integer NOT NULL,
  size integer NOT NULL,
  numbers text[],
  keys text[],
  texts text[],
  sender_ids text[],
  schedules timestamptz[],
  worker text,
  done_at timestamptz,
  accepted integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  not_sent integer NOT NULL DEFAULT 0,
  unknown integer NOT NULL DEFAULT 0,
  PRIMARY KEY (campaign, run, chunk),
  FOREIGN KEY (campaign, run) REFERENCES {schema}.fleet_runs ON DELETE CASCADE
) WITH (fillfactor = 50);
COMMENT ON TABLE {schema}.fleet_chunks IS
  'Messages that are worked off together; numbers and texts are erased once they have outcomes';
CREATE INDEX fleet_chunks_open ON {schema}.fleet_chunks (campaign, run, chunk)
  WHERE done_at IS NULL;

CREATE TABLE {schema}.fleet_workers (
  name text PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  sent_per_second double precision NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COMMENT ON TABLE {schema}.fleet_workers IS 'Who works, for people; nothing depends on it';

CREATE TABLE {schema}.fleet_lost (
  campaign integer NOT NULL,
  run integer NOT NULL,
  worker text NOT NULL,
  lost integer NOT NULL,
  PRIMARY KEY (campaign, run, worker)
) WITH (fillfactor = 50);
COMMENT ON TABLE {schema}.fleet_lost IS
  'How many unknown outcomes each worker has had in a row; all together may halt the run';

CREATE TABLE {schema}.fleet_queue_migrations (
  name text PRIMARY KEY,
  done_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE {schema}.fleet_queue_migrations IS
  'Which migrations of procrastinate, the job queue, this schema has had';
"""

NOT_AFTER = """
ALTER TABLE {schema}.fleet_chunks ADD COLUMN not_after timestamptz[];
COMMENT ON COLUMN {schema}.fleet_chunks.not_after IS
  'Until when each message may leave, where one has such a time';
"""

FLEET_GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.fleet_runs, {schema}.fleet_chunks,
  {schema}.fleet_workers, {schema}.fleet_lost TO {role};
"""

QUEUE_GRANTS = """
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.procrastinate_jobs,
  {schema}.procrastinate_workers, {schema}.procrastinate_events,
  {schema}.procrastinate_periodic_defers TO {role};
GRANT USAGE ON SEQUENCE {schema}.procrastinate_jobs_id_seq,
  {schema}.procrastinate_events_id_seq TO {role};
"""
