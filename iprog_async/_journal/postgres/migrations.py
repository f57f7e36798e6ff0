"""Bringing a schema to the version that this release works with, and saying which one it has."""

from __future__ import annotations

from attrs import frozen

from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import (
    Connection,
    ask,
    connect,
    run,
    translated,
    unchanged,
)
from iprog_async._journal.postgres.job_queue import migrate_queue, queue_sql
from iprog_async._journal.postgres.schema import (
    FLEET_STEP,
    MAKE_SCHEMA,
    NOTES,
    VERSION,
    grants,
    quoted,
    step_sql,
)


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('iprog-async schema', 0))"


@frozen
class Migrated:
    """What a migration did.

    Args:
        version: The version that the schema has now.
        steps: How many steps it took; none where it had them all.
    """

    version: int
    steps: int


def migrate(address: PostgresAddress, *, grants_to: str | None = None) -> Migrated:
    """Make the schema, or bring it up to date; twice, or by two at once, is fine.

    Args:
        address: The journal.
        grants_to: A role that is to send with it, and may do nothing else.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: The database can't be reached, or this role may not change it; it is as it
            was.
    """
    with connect(address) as connection, translated(address, unchanged):
        with connection.transaction():
            # Whoever comes second waits, and finds that nothing is left to do.
            run(connection, _LOCK)
            done = schema_version(connection, address.schema)
            if done is None:
                _begin(connection, address.schema)
            missing = range((done or 0) + 1, VERSION + 1)
            for number in missing:
                run(connection, step_sql(number, address.schema))
            queue_steps = migrate_queue(connection, address.schema)
            if grants_to is not None:
                run(connection, grants(address.schema, grants_to))
        return Migrated(max(done or 0, VERSION), len(missing) or queue_steps)


def printed(schema: str, *, after: int = 0) -> str:
    """Return what `migrate` would run, as SQL for somebody who may run it.

    Args:
        schema: The schema.
        after: The version that it has already.
    """
    steps = [step_sql(number, schema) for number in range(after + 1, VERSION + 1)]
    if not steps:
        return f"-- the schema {schema} has version {VERSION} already\n"
    begin = [] if after else [(MAKE_SCHEMA + NOTES).format(schema=quoted(schema))]
    queue = [] if after >= FLEET_STEP else [queue_sql(schema)]
    return "\n".join(["BEGIN;", f"{_LOCK};", *begin, *steps, *queue, "COMMIT;", ""])


def schema_version(connection: Connection, schema: str) -> int | None:
    """Return the version of a schema; `None` if there is no journal in it.

    Args:
        connection: An open connection.
        schema: The schema.
    """
    table = f"{quoted(schema)}.schema_steps"
    (there,) = ask(connection, "SELECT to_regclass(%s) IS NOT NULL", [table])
    if not there:
        return None
    (version,) = ask(connection, f"SELECT coalesce(max(step), 0) FROM {table}")  # noqa: S608 - checked letters
    return int(version)


def version_of(address: PostgresAddress) -> int | None:
    """Return the version of a schema; `None` if there is no journal in it.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: The database can't be reached.
    """
    with connect(address) as connection, translated(address):
        return schema_version(connection, address.schema)


def check_version(address: PostgresAddress, version: int | None) -> None:
    """Raise `JournalError` unless a schema has the version that this release works with."""
    if version == VERSION:
        return
    if version is None:
        raise JournalError(
            f"there is no journal in {address}: make it with: iprog-async journal init "
            f"'{address}' (add the password). Nothing was sent"
        )
    if version < VERSION:
        raise JournalError(
            f"the journal {address} has schema version {version}, and this release needs "
            f"{VERSION}: run iprog-async journal migrate '{address}' (add the password). "
            "Nothing was sent"
        )
    raise JournalError(
        f"the journal {address} has schema version {version}, which a newer release made, and "
        f"this one knows {VERSION}: update iprog-async. Nothing was sent"
    )


def _begin(connection: Connection, schema: str) -> None:
    name = quoted(schema)
    (there,) = ask(connection, "SELECT to_regnamespace(%s) IS NOT NULL", [name])
    if not there:
        # Who may not make one may well fill one that is there.
        run(connection, MAKE_SCHEMA.format(schema=name))
    run(connection, NOTES.format(schema=name))
