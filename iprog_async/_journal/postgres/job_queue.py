"""The tables of procrastinate, the job queue of the fleet, in the schema of the journal."""

from __future__ import annotations

from collections.abc import Collection
from importlib.resources import files
from importlib.util import find_spec

from iprog_async._journal.postgres.connecting import Connection, ask, run
from iprog_async._journal.postgres.schema import quoted


_MIGRATIONS = "procrastinate.sql.migrations"


def migrate_queue(connection: Connection, schema: str) -> int:
    """Make the tables of the job queue, or bring them up to date; in the caller's transaction.

    Without procrastinate nothing is done: no fleet can work here then.

    Args:
        connection: An open connection.
        schema: The schema.

    Returns:
        How many steps it took.
    """
    steps = 0
    for name, sql in _missing(steps_done(connection, schema)):
        # Its statements name no schema.
        run(connection, f"SET LOCAL search_path = {quoted(schema)}")
        run(connection, sql)
        run(connection, "SET LOCAL search_path = DEFAULT")
        _note(connection, schema, name)
        steps += 1
    return steps


def steps_missing(connection: Connection, schema: str) -> int | None:
    """Return how many steps the tables of the job queue lack; `None` without procrastinate here."""
    return None if not _all_names() else len(_missing(steps_done(connection, schema)))


def steps_done(connection: Connection, schema: str) -> frozenset[str]:
    """Return the names of the steps that the tables of the job queue have had."""
    table = f"{quoted(schema)}.fleet_queue_migrations"
    found = run(connection, f"SELECT name FROM {table}").fetchall()  # noqa: S608 - constants
    return frozenset(name for (name,) in found)


def queue_sql(schema: str, done: Collection[str]) -> str:
    """Return the statements that make the tables of the job queue, for somebody to run.

    Args:
        schema: The schema.
        done: The steps that it has had.
    """
    statements: list[str] = []
    for name, sql in _missing(done):
        names = ", ".join(f"('{one}')" for one in ([name] if name else _all_names()))
        statements += [
            f"SET LOCAL search_path = {quoted(schema)};",
            sql,
            "SET LOCAL search_path = DEFAULT;",
            f"INSERT INTO {quoted(schema)}.fleet_queue_migrations (name) VALUES {names};\n",  # noqa: S608 - constants
        ]
    return "\n".join(statements)


def _missing(done: Collection[str]) -> list[tuple[str, str]]:
    """Return what is to be run, by name; the whole schema where there is nothing yet."""
    names = _all_names()
    if not names:
        return []
    if not done:
        return [("", _whole())]
    folder = files(_MIGRATIONS)
    return [(name, (folder / name).read_text("utf-8")) for name in names if name not in done]


def _note(connection: Connection, schema: str, name: str) -> None:
    table = f"{quoted(schema)}.fleet_queue_migrations"
    added = f"INSERT INTO {table} (name) SELECT unnest(%s::text[]) RETURNING 1"
    ask(connection, added, [[name] if name else _all_names()])


def _all_names() -> list[str]:
    if find_spec("procrastinate") is None:
        return []
    return sorted(
        entry.name for entry in files(_MIGRATIONS).iterdir() if entry.name.endswith(".sql")
    )


def _whole() -> str:
    return (files("procrastinate.sql") / "schema.sql").read_text("utf-8")
