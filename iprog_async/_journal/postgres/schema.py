"""The tables of a journal in PostgreSQL, as a numbered list of steps.

To change a table or a function, or to add one, append a step to `STEPS`, such as one with `CREATE
OR REPLACE FUNCTION`: a step that was released is never changed, as whoever has had it does not run
it again. `tests/journal/postgres/test_steps.py` holds a hash of each. A step is SQL in which
`{schema}` stands for the schema, quoted; a brace of SQL's own is written twice. It is run once, in
one transaction with all others that are missing, and counts as done by its number. What a role
needs that sends, and may not change tables, is in `grants`: add to it what your tables need.
"""

from __future__ import annotations

from importlib.util import find_spec

from attrs import frozen

from iprog_async._journal.postgres.tables.campaigns import OPEN_CAMPAIGN
from iprog_async._journal.postgres.tables.fleet import (
    FLEET,
    FLEET_GRANTS,
    NOT_AFTER,
    QUEUE_GRANTS,
)
from iprog_async._journal.postgres.tables.outbox import ENQUEUE_GRANTS, OUTBOX, SENDER_GRANTS
from iprog_async._journal.postgres.tables.suppressions import SUPPRESSIONS, SUPPRESSIONS_GRANTS


@frozen
class Step:
    """One step from an empty schema to the present one.

    Args:
        name: What it brings, in a word or two.
        sql: Its statements.
    """

    name: str
    sql: str


# More than half of each page stays free, so that the change from claimed to accepted finds room
# beside the row and leaves the indexes alone (a HOT update: 94 % of them, with 50 it were 70 to 78,
# with 100 none). Inserting claims and outcomes into tables of their own wrote half as much again to
# the log, and was no faster where rows are new.
_FILLFACTOR = 40

_JOURNAL = f"""
CREATE TABLE {{schema}}.campaigns (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  salt bytea NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  runs integer NOT NULL DEFAULT 0
);
COMMENT ON TABLE {{schema}}.campaigns IS 'What is sent, by name; each has a partition of entries';

CREATE SEQUENCE {{schema}}.entry_ids;

CREATE TABLE {{schema}}.entries (
  campaign integer NOT NULL,
  id bigint NOT NULL DEFAULT nextval('{{schema}}.entry_ids'),
  number text COLLATE "C" NOT NULL,
  key text COLLATE "C",
  text_hash bytea NOT NULL,
  run integer NOT NULL,
  state text COLLATE "C" NOT NULL
    CHECK (state IN ('claimed', 'released', 'accepted', 'not_sent', 'unknown')),
  healable boolean NOT NULL DEFAULT false,
  provider text NOT NULL DEFAULT '',
  detail text NOT NULL DEFAULT '',
  status text,
  attempt bigint NOT NULL DEFAULT 0,
  claimed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (campaign, id)
) PARTITION BY LIST (campaign);
COMMENT ON TABLE {{schema}}.entries IS
  'One row for each message: claimed before its request leaves, recorded after';
COMMENT ON COLUMN {{schema}}.entries.attempt IS
  'Who claimed it last: whoever has another number may neither record nor release it';
CREATE UNIQUE INDEX entries_once ON {{schema}}.entries
  (campaign, number, (coalesce('k' || key, 't' || encode(text_hash, 'hex'))));

CREATE FUNCTION {{schema}}.open_campaign(wanted text, new_salt bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found integer;
BEGIN
  SELECT id INTO found FROM {{schema}}.campaigns WHERE name = wanted;
  IF found IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('iprog-async campaigns', 0));
    SELECT id INTO found FROM {{schema}}.campaigns WHERE name = wanted;
  END IF;
  IF found IS NULL THEN
    INSERT INTO {{schema}}.campaigns (name, salt) VALUES (wanted, new_salt) RETURNING id INTO found;
    -- Attached, and not made as a partition: that would keep everybody from claiming meanwhile.
    EXECUTE format(
      'CREATE TABLE {{schema}}.%I (LIKE {{schema}}.entries INCLUDING ALL EXCLUDING INDEXES, '
      'CHECK (campaign = %s)) WITH (fillfactor = {_FILLFACTOR})', 'entries_' || found, found
    );
    EXECUTE format(
      'ALTER TABLE {{schema}}.entries ATTACH PARTITION {{schema}}.%I FOR VALUES IN (%s)',
      'entries_' || found, found
    );
  END IF;
  RETURN found;
END
$$;
COMMENT ON FUNCTION {{schema}}.open_campaign IS
  'Returns the number of a campaign; makes it, with its partition, for those who may run no DDL';
REVOKE ALL ON FUNCTION {{schema}}.open_campaign FROM PUBLIC;
"""  # noqa: S608 - constants

# Each change writes a row of some hundred bytes anew, many times a second: with free space on its
# page, and a vacuum that comes often, it stays where it is.
_LIMITS = """
CREATE TABLE {schema}.limits (
  name bytea PRIMARY KEY,
  state text COLLATE "C" NOT NULL
) WITH (
  fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000
);
COMMENT ON TABLE {schema}.limits IS
  'Rates, pauses and circuit breakers that processes share; rows may be deleted at any time';
"""

_LIST_PAGES = """
CREATE TABLE {schema}.list_pages (
  campaign integer NOT NULL REFERENCES {schema}.campaigns ON DELETE CASCADE,
  provider text COLLATE "C" NOT NULL,
  page integer NOT NULL,
  PRIMARY KEY (campaign, provider)
) WITH (fillfactor = 20);
COMMENT ON TABLE {schema}.list_pages IS
  'Where a follow-up goes on in a gateway''s list of messages; rows may be deleted at any time';
"""

_COUNTS = """
CREATE TABLE {schema}.counts (
  name bytea PRIMARY KEY,
  state text COLLATE "C" NOT NULL DEFAULT '',
  ends double precision NOT NULL DEFAULT 0
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE {schema}.counts IS
  'How many texts each number got lately, and how many credits all took, by salted hashes';
COMMENT ON COLUMN {schema}.counts.ends IS 'Seconds since 1970: then it counts nothing any more';
CREATE INDEX counts_ends ON {schema}.counts (ends);
"""

STEPS: tuple[Step, ...] = (
    Step("journal", _JOURNAL),
    Step("limits", _LIMITS),
    Step("outbox", OUTBOX),
    Step("fleet", FLEET),
    Step("follow-up", _LIST_PAGES),
    Step("suppressions", SUPPRESSIONS),
    Step("counts", _COUNTS),
    Step("not after", NOT_AFTER),
    Step("plans", OPEN_CAMPAIGN),
)
"""All steps, in order; the number of a step is its place, from 1."""

FLEET_STEP = 1 + [step.name for step in STEPS].index("fleet")
"""The step that brings the fleet, which works with a job queue."""

VERSION = len(STEPS)
"""The version of the schema that this release works with."""

MAKE_SCHEMA = "CREATE SCHEMA IF NOT EXISTS {schema};\n"
NOTES = """
CREATE TABLE IF NOT EXISTS {schema}.schema_steps (
  step integer PRIMARY KEY,
  name text NOT NULL,
  done_at timestamptz NOT NULL DEFAULT now()
);
"""
"""The table of the steps that are done."""


def quoted(schema: str) -> str:
    """Return a schema's name as SQL; its letters were checked when the address was read."""
    return f'"{schema}"'


def step_sql(number: int, schema: str) -> str:
    """Return a step, and the note that it is done.

    Args:
        number: Which one.
        schema: The schema.
    """
    step, name = STEPS[number - 1], quoted(schema)
    # The steps are texts of this module, and a schema's letters were checked.
    noted = f"INSERT INTO {name}.schema_steps (step, name) VALUES ({number}, '{step.name}');\n"  # noqa: S608
    return step.sql.format(schema=name) + noted


_GRANTS = """
GRANT USAGE ON SCHEMA {schema} TO {role};
GRANT SELECT ON {schema}.schema_steps, {schema}.campaigns TO {role};
GRANT UPDATE (runs) ON {schema}.campaigns TO {role};
GRANT SELECT, INSERT, UPDATE ON {schema}.entries TO {role};
GRANT USAGE ON SEQUENCE {schema}.entry_ids TO {role};
GRANT EXECUTE ON FUNCTION {schema}.open_campaign TO {role};
GRANT SELECT, INSERT, UPDATE ON {schema}.limits TO {role};
GRANT SELECT, INSERT, UPDATE ON {schema}.list_pages TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.counts TO {role};
"""


def grants(schema: str, role: str) -> str:
    """Return what a role needs to send, and nothing more, as SQL.

    Args:
        schema: The schema.
        role: The role's name.
    """
    queue = "" if find_spec("procrastinate") is None else QUEUE_GRANTS
    sql = _GRANTS + SENDER_GRANTS + FLEET_GRANTS + SUPPRESSIONS_GRANTS + queue
    return sql.format(schema=quoted(schema), role=_role(role))


def enqueue_grants(schema: str, role: str) -> str:
    """Return what a role needs to put texts into the outbox, and nothing more, as SQL.

    Args:
        schema: The schema.
        role: The role's name.
    """
    return ENQUEUE_GRANTS.format(schema=quoted(schema), role=_role(role))


def _role(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
