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
from iprog_async._journal.postgres.job_queue import migrate_queue, queue_sql, steps_done
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

_QUEUE_NOT_SEEN = "-- whether the fleet's job queue is up to date, this role may not see"


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


@frozen
class Done:
    """What a schema has had already.

    Args:
        version: Its version; 0 where there is none yet.
        queue_steps: The steps of the job queue; `None` if this role may not look.
    """

    version: int = 0
    queue_steps: frozenset[str] | None = frozenset()


_NOTHING = Done()


def printed(schema: str, *, after: Done = _NOTHING) -> str:
    """Return what `migrate` would run, as SQL for somebody who may run it.

    Args:
        schema: The schema.
        after: What it has had already.
    """
    steps = [step_sql(number, schema) for number in range(after.version + 1, VERSION + 1)]
    queue = "" if after.queue_steps is None else queue_sql(schema, after.queue_steps)
    unseen = f"{_QUEUE_NOT_SEEN}\n" if after.queue_steps is None else ""
    if not (steps or queue):
        return f"-- the schema {schema} has version {VERSION} already\n{unseen}"
    begin = [] if after.version else [(MAKE_SCHEMA + NOTES).format(schema=quoted(schema))]
    return "\n".join(["BEGIN;", f"{_LOCK};", *begin, *steps, queue, "COMMIT;", unseen])


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


def done_in(address: PostgresAddress) -> Done:
    """Return what a schema has had already.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: The database can't be reached.
    """
    with connect(address) as connection, translated(address):
        version = schema_version(connection, address.schema) or 0
        if version < FLEET_STEP:
            return Done(version)
        table = f"{quoted(address.schema)}.fleet_queue_migrations"
        (may_look,) = ask(connection, "SELECT has_table_privilege(%s, 'SELECT')", [table])
        return Done(version, steps_done(connection, address.schema) if may_look else None)


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
