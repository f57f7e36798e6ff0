"""How much the server reads for a statement."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from attrs import define

from iprog_async._journal.postgres.connecting import Connection, ask


_READ = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(oid)), 0)::integer FROM pg_class
WHERE relkind = 'i' AND relnamespace = %s::regnamespace AND starts_with(relname, %s)"""


@define
class Read:
    """What was read.

    Args:
        rows: Rows of indexes.
    """

    rows: int = 0


@contextmanager
def reading(connection: Connection, schema: str, table: str) -> Generator[Read]:
    """Count the rows of a table's indexes that a block reads, in a transaction."""
    read = Read()
    with connection.transaction():
        (before,) = ask(connection, _READ, [schema, table])
        yield read
        (after,) = ask(connection, _READ, [schema, table])
    read.rows = after - before
