"""Which incoming texts were handled, in PostgreSQL: for any number of machines, by its clock."""

from __future__ import annotations

from typing import Any

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.schema import quoted
from iprog_async._suppressions.postgres_session import PostgresSession
from iprog_async.inbound._seen import LEASE, Turn


# As `decide` has it. The clock is the server's, so that all machines agree.
_BEGIN = """
WITH purged AS (
  DELETE FROM {schema}.inbound_seen WHERE id IN (
    SELECT id FROM {schema}.inbound_seen WHERE expires <= now() AND id <> %(key)s
    FOR UPDATE SKIP LOCKED
  )
)
INSERT INTO {schema}.inbound_seen AS s (id, owner, lease_ends, expires)
VALUES (
  %(key)s, %(owner)s, now() + make_interval(secs => %(lease)s),
  now() + make_interval(secs => greatest(%(window)s, %(lease)s))
)
ON CONFLICT (id) DO UPDATE
SET owner = excluded.owner, lease_ends = excluded.lease_ends, expires = excluded.expires,
  done = false
WHERE s.expires <= now() OR (NOT s.done AND (s.owner = excluded.owner OR s.lease_ends <= now()))
RETURNING 1
"""
_IS_DONE = "SELECT done FROM {schema}.inbound_seen WHERE id = %(key)s"
_END = """
UPDATE {schema}.inbound_seen SET done = true WHERE id = %(key)s AND owner = %(owner)s RETURNING 1
"""
_GIVE_BACK = """
DELETE FROM {schema}.inbound_seen WHERE id = %(key)s AND owner = %(owner)s AND NOT done
RETURNING 1
"""


class PostgresSeenStore:
    """Knows it in a table beside the suppressed numbers.

    Args:
        address: The database, and the schema of its journal.

    Raises:
        ConfigurationError: The driver is missing.
        SuppressionsError: It can't be reached, or has no such table.
    """

    def __init__(self, address: PostgresAddress) -> None:
        self._session = PostgresSession(address)
        self._schema = quoted(address.schema)

    def begin(self, key: bytes, owner: bytes, window: float) -> Turn:
        """Take a text for handling, unless it is known."""
        if self._rows(_BEGIN, key=key, owner=owner, window=float(window), lease=LEASE):
            return "new"
        found = self._rows(_IS_DONE, key=key)
        return "done" if found and found[0][0] else "busy"

    def end(self, key: bytes, owner: bytes) -> None:
        """Note that a text was handled."""
        self._rows(_END, key=key, owner=owner)

    def give_back(self, key: bytes, owner: bytes) -> None:
        """Let a text be handled again."""
        self._rows(_GIVE_BACK, key=key, owner=owner)

    def close(self) -> None:
        """Disconnect."""
        self._session.close()

    def _rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        return self._session.rows(query.format(schema=self._schema), values)
