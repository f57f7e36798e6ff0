"""A list in PostgreSQL: for any number of machines; in the schema of a journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.schema import quoted
from iprog_async._suppressions.entries import Suppression, SuppressionChange
from iprog_async._suppressions.postgres_session import PostgresSession


_AMONG = "SELECT number FROM {schema}.suppressions WHERE number = ANY(%s::text[])"
_ADD = """
WITH given AS (
  SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::text[]) AS g (number, since, why)
), added AS (
  INSERT INTO {schema}.suppressions (number, since, why)
  SELECT number, since, why FROM given ORDER BY number
  ON CONFLICT (number) DO NOTHING
  RETURNING number, since, why
), noted AS (
  INSERT INTO {schema}.suppression_changes (number, change, at, why)
  SELECT number, 'added', since, why FROM added
)
SELECT count(*) FROM added
"""
_REMOVE = """
WITH given AS (
  SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::text[]) AS g (number, at, why)
), removed AS (
  DELETE FROM {schema}.suppressions AS s USING given AS g WHERE s.number = g.number
  RETURNING g.number, g.at, g.why
), noted AS (
  INSERT INTO {schema}.suppression_changes (number, change, at, why)
  SELECT number, 'removed', at, why FROM removed
)
SELECT count(*) FROM removed
"""
_COUNT = "SELECT count(*) FROM {schema}.suppressions"
_PAGE = """
SELECT number, since, why FROM {schema}.suppressions WHERE number > %s ORDER BY number LIMIT %s
"""
_CHANGES = """
SELECT id, number, change, at, why FROM {schema}.suppression_changes
WHERE id > %s ORDER BY id LIMIT %s
"""


class PostgresSuppressionStore:
    """Keeps a list in two tables, and looks each number up in them: nothing is remembered.

    Args:
        address: The database, and the schema of its journal.

    Raises:
        ConfigurationError: The driver is missing.
        SuppressionsError: It can't be reached, or has no such tables.
    """

    is_quick = False

    def __init__(self, address: PostgresAddress) -> None:
        self.shown = address.shown
        self._session = PostgresSession(address)

    def among(self, numbers: Sequence[str]) -> set[str]:
        """Return those of some numbers that are on the list now."""
        return {number for (number,) in self._rows(_AMONG, list(numbers))}

    def add(self, entries: Sequence[Suppression]) -> int:
        """Put numbers on the list, durably; one that is on it stays as it is."""
        columns = zip(*((e.number, e.since, e.why) for e in entries), strict=True)
        return int(self._rows(_ADD, *map(list, columns))[0][0])

    def remove(self, changes: Sequence[SuppressionChange]) -> int:
        """Take numbers off the list, durably, and return how many were on it."""
        columns = zip(*((c.number, c.at, c.why) for c in changes), strict=True)
        return int(self._rows(_REMOVE, *map(list, columns))[0][0])

    def count(self) -> int:
        """Return how many numbers are on the list."""
        return int(self._rows(_COUNT)[0][0])

    def page(self, after: str, limit: int) -> list[Suppression]:
        """Return the next entries behind a number, in the order of numbers."""
        return [Suppression(*row) for row in self._rows(_PAGE, after, limit)]

    def changes(self, after: int, limit: int) -> list[tuple[int, SuppressionChange]]:
        """Return the next changes behind a place, in their order."""
        return [
            (place, SuppressionChange(*rest)) for place, *rest in self._rows(_CHANGES, after, limit)
        ]

    def close(self) -> None:
        """Disconnect; twice is fine."""
        self._session.close()

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._session.rows(query.format(schema=quoted(self._session.address.schema)), values)
