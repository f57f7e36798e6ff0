"""The tables of numbers that must not be texted, and of the incoming texts that were handled."""

from __future__ import annotations


# The primary key orders numbers by their bytes, as the files do.
SUPPRESSIONS = """
CREATE TABLE {schema}.suppressions (
  number text COLLATE "C" PRIMARY KEY,
  since timestamptz,
  why text NOT NULL DEFAULT ''
);
COMMENT ON TABLE {schema}.suppressions IS 'Numbers that must not be texted, since when and why';

CREATE TABLE {schema}.suppression_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number text COLLATE "C" NOT NULL,
  change text NOT NULL CHECK (change IN ('added', 'removed')),
  at timestamptz,
  why text NOT NULL DEFAULT ''
);
COMMENT ON TABLE {schema}.suppression_changes IS
  'Each number that was put on the list, or taken off it; rows are only added';

CREATE TABLE {schema}.inbound_seen (
  id bytea PRIMARY KEY,
  owner bytea NOT NULL,
  lease_ends timestamptz NOT NULL,
  expires timestamptz NOT NULL,
  done boolean NOT NULL DEFAULT false
) WITH (fillfactor = 70);
COMMENT ON TABLE {schema}.inbound_seen IS
  'Incoming texts that were handled, or are being handled, so that one is not handled twice';
CREATE INDEX inbound_seen_expires ON {schema}.inbound_seen (expires);
"""

SUPPRESSIONS_GRANTS = """
GRANT SELECT, INSERT, DELETE ON {schema}.suppressions TO {role};
GRANT SELECT, INSERT ON {schema}.suppression_changes TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.inbound_seen TO {role};
"""
"""What a role needs that sends, and hears of a STOP."""
