"""How a campaign is made: a row, and a partition that the planner knows something of."""

from __future__ import annotations


OPEN_CAMPAIGN = """
CREATE OR REPLACE FUNCTION {schema}.open_campaign(wanted text, new_salt bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found integer;
BEGIN
  SELECT id INTO found FROM {schema}.campaigns WHERE name = wanted;
  IF found IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('iprog-async campaigns', 0));
    SELECT id INTO found FROM {schema}.campaigns WHERE name = wanted;
  END IF;
  IF found IS NULL THEN
    INSERT INTO {schema}.campaigns (name, salt) VALUES (wanted, new_salt) RETURNING id INTO found;
    -- Attached, and not made as a partition: that would keep everybody from claiming meanwhile.
    EXECUTE format(
      'CREATE TABLE {schema}.%I (LIKE {schema}.entries INCLUDING ALL EXCLUDING INDEXES, '
      'CHECK (campaign = %s)) WITH (fillfactor = 40)', 'entries_' || found, found
    );
    -- Of a column that was never analysed the planner takes one campaign for a two-hundredth of
    -- the table, so that a plan may read all rows for each. It is shown ten of the campaign, by
    -- which it knows that all rows have the same, and they are gone again.
    EXECUTE format(
      'INSERT INTO {schema}.%I (campaign, id, number, text_hash, run, state) '
      'SELECT %s, -n, n, int4send(n), 0, ''released'' FROM generate_series(1, 10) AS n',
      'entries_' || found, found
    );
    EXECUTE format('ANALYZE {schema}.%I (campaign)', 'entries_' || found);
    -- Two ways to empty a table leave two values in pg_class.reltuples. In the (sub)transaction
    -- that made the table its file is cut, and it is 0: the planner reckons with an empty table,
    -- and the plans are kept while it grows. In a later one it gets a new file, and it is -1, not
    -- counted yet: the planner assumes ten pages. EXCEPTION is here for the subtransaction that it
    -- begins, and handles nothing; what ANALYZE found out about the column stays in both.
    BEGIN
      EXECUTE format('TRUNCATE {schema}.%I', 'entries_' || found);
    EXCEPTION WHEN OTHERS THEN
      RAISE;
    END;
    EXECUTE format(
      'ALTER TABLE {schema}.entries ATTACH PARTITION {schema}.%I FOR VALUES IN (%s)',
      'entries_' || found, found
    );
  END IF;
  RETURN found;
END
$$;
"""
