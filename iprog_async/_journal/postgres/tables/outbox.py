"""The outbox in PostgreSQL: texts that were enqueued in somebody's own transaction.

Who enqueues needs the right to call one function, and can read nothing.
"""

from __future__ import annotations


CHANNEL = "iprog_async_outbox"
"""Where senders listen; what is told there is the schema, quoted."""

OTHER_JOURNAL = "IPRG1"
"""The server's code of the error for a database that is not the journal's."""

OUTBOX = f"""
CREATE TABLE {{schema}}.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign text COLLATE "C" NOT NULL,
  number text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  text text,
  sender_id text,
  schedule_at timestamptz,
  state text COLLATE "C" NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'unknown', 'done')),
  takes integer NOT NULL DEFAULT 0,
  enqueued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz,
  UNIQUE (campaign, number, key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
COMMENT ON TABLE {{schema}}.outbox IS
  'Texts of committed transactions, to be sent; what became of each stands in the entries';
COMMENT ON COLUMN {{schema}}.outbox.due_at IS
  'From when on a sender may take it: whoever takes it sets this to the end of the lease';
COMMENT ON COLUMN {{schema}}.outbox.takes IS
  'How often it was taken: only who took it last may put it back';
CREATE INDEX outbox_waiting ON {{schema}}.outbox (campaign, due_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_unknown ON {{schema}}.outbox (campaign, id) WHERE state = 'unknown';

CREATE FUNCTION {{schema}}.enqueue(request text) RETURNS TABLE (id bigint, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
  asked CONSTANT json := request::json;
  wanted CONSTANT text := asked ->> 'campaign';
  t json;
  any_is_new boolean := false;
BEGIN
  IF asked ->> 'journal' IS NOT NULL AND NOT EXISTS (
    SELECT FROM {{schema}}.campaigns AS c
    WHERE c.name = wanted AND encode(sha256(c.salt), 'hex') = asked ->> 'journal'
  ) THEN
    RAISE EXCEPTION 'this is not the database of the journal' USING ERRCODE = '{OTHER_JOURNAL}';
  END IF;
  FOR t IN SELECT json_array_elements(asked -> 'texts') LOOP
    INSERT INTO {{schema}}.outbox AS o
      (campaign, number, key, text, sender_id, schedule_at, expires_at)
    VALUES (
      wanted, t ->> 'number', t ->> 'key', t ->> 'text', t ->> 'sender_id',
      (t ->> 'schedule_at')::timestamptz,
      clock_timestamp() + make_interval(secs => (t ->> 'max_age')::double precision)
    )
    ON CONFLICT (campaign, number, key) DO NOTHING
    RETURNING o.id INTO id;
    is_new := FOUND;
    any_is_new := any_is_new OR is_new;
    IF NOT is_new THEN
      SELECT o.id INTO id FROM {{schema}}.outbox AS o
      WHERE o.campaign = wanted AND o.number = t ->> 'number' AND o.key = t ->> 'key';
    END IF;
    RETURN NEXT;
  END LOOP;
  IF any_is_new THEN
    PERFORM pg_notify('{CHANNEL}', '{{schema}}');
  END IF;
END
$$;
COMMENT ON FUNCTION {{schema}}.enqueue IS
  'Puts texts into the outbox within the transaction that calls it; returns the number of each';
REVOKE ALL ON FUNCTION {{schema}}.enqueue FROM PUBLIC;
"""  # noqa: S608 - constants
"""The step that brings it."""

SENDER_GRANTS = """
GRANT SELECT, UPDATE ON {schema}.outbox TO {role};
GRANT EXECUTE ON FUNCTION {schema}.enqueue TO {role};
"""
"""What a role needs that sends."""

ENQUEUE_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT EXECUTE ON FUNCTION {schema}.enqueue TO {role};
"""
"""What a role needs that only enqueues."""
