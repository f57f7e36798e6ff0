"""The tables of procrastinate, the job queue of the fleet, in the schema of the journal."""

from __future__ import annotations

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
    for name, sql in _missing(connection, schema):
        # Its statements name no schema.
        run(connection, f"SET LOCAL search_path = {quoted(schema)}")
        run(connection, sql)
        run(connection, "SET LOCAL search_path = DEFAULT")
        _note(connection, schema, name)
        steps += 1
    return steps


def steps_missing(connection: Connection, schema: str) -> int | None:
    """Return how many steps the tables of the job queue lack; `None` without procrastinate here."""
    return None if not _all_names() else len(_missing(connection, schema))


def queue_sql(schema: str) -> str:
    """Return the statements that make the tables of the job queue, for somebody to run."""
    names = ", ".join(f"('{name}')" for name in _all_names())
    if not names:
        return ""
    table = f"{quoted(schema)}.fleet_queue_migrations"
    return (
        f"SET LOCAL search_path = {quoted(schema)};\n{_whole()}\nSET LOCAL search_path = DEFAULT;\n"
        f"INSERT INTO {table} (name) VALUES {names};\n"
    )


def _missing(connection: Connection, schema: str) -> list[tuple[str, str]]:
    """Return what is to be run, by name; the whole schema where there is nothing yet."""
    names = _all_names()
    if not names:
        return []
    table = f"{quoted(schema)}.fleet_queue_migrations"
    found = run(connection, f"SELECT name FROM {table}").fetchall()  # noqa: S608 - constants
    done = {name for (name,) in found}
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
