"""Journals for tests that want a new one: emptied, where that is the same as made anew.

To make the tables takes the server five times as long as most tests do.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, LiteralString

import psycopg
from attrs import define, field, frozen

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from support.postgres.addresses import with_query


_SECONDS_TO_LEAVE = 1.0
_OURS = "stock of journals"

_Connection = psycopg.Connection[tuple[Any, ...]]

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name <> %(ours)s AND backend_type = 'client backend'
"""

# Whatever changes a column, a function or a trigger writes the row that describes it anew; of a
# relation that row also says where its pages are. By statistics of what was there before, the
# server would plan otherwise.
_STRUCTURE = """
WITH own AS (SELECT to_regnamespace(%(schema)s)::oid AS id),
relations AS (SELECT c.* FROM pg_class c, own WHERE c.relnamespace = own.id)
SELECT md5(string_agg(fact, ' ' ORDER BY fact)) FROM (
  SELECT concat_ws(':', n.tableoid, n.oid, n.xmin) AS fact
    FROM pg_namespace n, own WHERE n.oid = own.id
  UNION ALL SELECT concat_ws(':', r.oid, r.relname, r.relowner, r.relacl, r.reloptions,
    r.relpersistence, r.relkind, r.relrowsecurity) FROM relations r
  UNION ALL SELECT concat_ws(':', t.tableoid, t.oid, t.xmin)
    FROM pg_type t, own WHERE t.typnamespace = own.id
  UNION ALL SELECT concat_ws(':', p.tableoid, p.oid, p.xmin)
    FROM pg_proc p, own WHERE p.pronamespace = own.id
  UNION ALL SELECT concat_ws(':', c.tableoid, c.oid, c.xmin)
    FROM pg_constraint c, own WHERE c.connamespace = own.id
  UNION ALL SELECT concat_ws(':', a.tableoid, a.attrelid, a.attnum, a.xmin)
    FROM pg_attribute a JOIN relations r ON r.oid = a.attrelid
  UNION ALL SELECT concat_ws(':', t.tableoid, t.oid, t.xmin)
    FROM pg_trigger t JOIN relations r ON r.oid = t.tgrelid
  UNION ALL SELECT concat_ws(':', s.tableoid, s.seqrelid, s.xmin)
    FROM pg_sequence s JOIN relations r ON r.oid = s.seqrelid
  UNION ALL SELECT concat_ws(':', s.tableoid, s.starelid, s.staattnum)
    FROM pg_statistic s JOIN relations r ON r.oid = s.starelid
) AS facts
"""

# One of each campaign.
_PARTITIONS = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = to_regnamespace(%(schema)s)::oid AND relkind = 'r' AND relispartition
ORDER BY 1
"""

_WRITTEN = """
SELECT oid::regclass::text FROM pg_class
WHERE relnamespace = to_regnamespace(%(schema)s)::oid AND relkind = 'r'
  AND pg_relation_size(oid) > 0
ORDER BY 1
"""

_SEQUENCES = """
SELECT format('%%I.%%I', schemaname, sequencename) FROM pg_sequences
WHERE schemaname = %(schema)s AND last_value IS NOT NULL
ORDER BY 1
"""


@frozen
class Made:
    """A schema with a journal that is as new.

    Args:
        schema: Its name.
        address: The address of the journal.
        structure: What it consists of, in short.
        rows: What its tables have from the start.
    """

    schema: str
    address: str
    structure: str
    rows: dict[str, list[tuple[Any, ...]]]


@define
class JournalStock:
    """Hands out journals, and takes them back.

    Args:
        database: The database that they are in.
    """

    database: str
    _ready: list[Made] = field(factory=list[Made], init=False)
    _kept: _Connection | None = field(default=None, init=False)

    def take(self) -> Made:
        """Return a journal that is as new."""
        return self._ready.pop() if self._ready else self._make()

    def give_back(self, made: Made) -> None:
        """Empty a journal for the next test, or remove it if that would not be the same."""
        with self._connected() as connection:
            if _is_alone(connection) and _is_emptied(connection, made):
                self._ready.append(made)
            else:
                remove_schema(connection, made.schema)

    def remove(self) -> None:
        """Remove the journals that are left."""
        with self._connected() as connection:
            while self._ready:
                remove_schema(connection, self._ready.pop().schema)
        connection.close()

    def _make(self) -> Made:
        schema = f"test_{token_hex(6)}"
        address = with_query(self.database, schema=schema)
        migrate(PostgresAddress.parse(address))
        with self._connected() as connection:
            filled = _told(connection, _WRITTEN, schema)
            rows = {table: _rows(connection, table) for table in filled}
            return Made(schema, address, _structure(connection, schema), rows)

    @contextmanager
    def _connected(self) -> Generator[_Connection]:
        """Lend one connection again and again: a new one first has to learn of all tables."""
        if self._kept is None or not _answers(self._kept):
            self._kept = psycopg.connect(self.database, autocommit=True, application_name=_OURS)
        yield self._kept
        # A test that ends the connections of a journal finds them by what they asked for last.
        self._kept.execute("SELECT 1")


def _answers(connection: _Connection) -> bool:
    """Tell whether a connection is there; one that a test has ended is closed."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        connection.close()
        return False
    return True


def remove_schema(connection: _Connection, schema: str) -> None:
    """Remove a schema, whoever is using it."""
    # Who is still connected has lost the test already, and may hold a lock.
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON oid = relation "
        "WHERE relnamespace = to_regnamespace(%s)::oid AND pid <> pg_backend_pid()",
        [schema],
    )
    # Its letters are our own.
    connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


def _is_alone(connection: _Connection) -> bool:
    """Tell whether nobody is left who could write; a connection takes a moment to end."""
    until = time.monotonic() + _SECONDS_TO_LEAVE
    while connection.execute(_OTHERS, {"ours": _OURS}).fetchone() != (0,):
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


def _is_emptied(connection: _Connection, made: Made) -> bool:
    """Empty a journal, and tell whether it then is as it was made."""
    if partitions := _told(connection, _PARTITIONS, made.schema):
        connection.execute(f"DROP TABLE {', '.join(partitions)}".encode())
    # Cut off, not deleted from: a plan depends on how many pages a table has.
    if written := {*_told(connection, _WRITTEN, made.schema)} - {*made.rows}:
        connection.execute(f"TRUNCATE {', '.join(sorted(written))} CASCADE".encode())
    for sequence in _told(connection, _SEQUENCES, made.schema):
        connection.execute("SELECT setval(%s, 1, false)", [sequence])
    return made.structure == _structure(connection, made.schema) and all(
        rows == _rows(connection, table) for table, rows in made.rows.items()
    )


def _structure(connection: _Connection, schema: str) -> str:
    (structure,) = _told(connection, _STRUCTURE, schema)
    return structure


def _told(connection: _Connection, query: LiteralString, schema: str) -> list[str]:
    """Return the first column of what a query says of a schema."""
    return [str(row[0]) for row in connection.execute(query, {"schema": schema})]


def _rows(connection: _Connection, table: str) -> list[tuple[Any, ...]]:
    return connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1".encode()).fetchall()  # noqa: S608 - a name of ours
