"""What a database is like that keeps a journal, for people who look for what is wrong."""

from __future__ import annotations

import time

from attrs import frozen

from iprog_async._core.errors import SmsError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import (
    Connection,
    ask,
    connect,
    not_in_session,
    translated,
    why_read_only,
)
from iprog_async._journal.postgres.driver import INSTALL
from iprog_async._journal.postgres.job_queue import steps_missing
from iprog_async._journal.postgres.migrations import check_version, schema_version
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.session import keeps_session


OLDEST_SERVER = 14
"""The oldest version of PostgreSQL that this works with."""

_LOOK = """
SELECT current_setting('server_version'), current_setting('server_version_num')::integer / 10000,
  current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
  current_setting('fsync') = 'on', current_setting('transaction_read_only') = 'on',
  pg_is_in_recovery(), extract(epoch FROM clock_timestamp())::float8
"""


@frozen(kw_only=True)
class Health:
    """What was found.

    Args:
        server: The server's version.
        synchronous_commit: What a commit waits for, as it is set for this role and database.
        standbys: The synchronous standbys, as the server's setting names them; empty without.
        clock_difference: How many seconds the server's clock is ahead of ours.
        schema: The schema of the tables, and its version.
        fleet: Whether workers of a fleet can work with it, in words.
        problems: What keeps this release from sending with it, or may lose claims.
    """

    server: str
    synchronous_commit: str
    standbys: str
    clock_difference: float
    schema: str
    fleet: str
    problems: tuple[str, ...]

    @property
    def commit_words(self) -> str:
        """What a commit waits for means for whoever is not to be texted twice."""
        waits = (
            "raised to on for claims" if self.synchronous_commit in ("off", "local") else "is kept"
        )
        if not self.standbys:
            what = (
                "a claim survives a crash of the server; after a failover to a standby, which is "
                "not synchronous here, the last claims may be missing, and their texts go out twice"
            )
        elif self.synchronous_commit == "remote_apply":
            what = "a claim is on a standby, too, before its text leaves: a failover loses none"
        else:
            what = (
                "a claim is written on a synchronous standby, too, before its text leaves: a "
                "failover to that one loses none"
            )
        return f"{self.synchronous_commit} ({waits}): {what}"


def examine(address: PostgresAddress) -> Health:
    """Look at a database.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached.
    """
    is_session_kept = keeps_session(address)
    with connect(address) as connection, translated(address):
        before = time.time()
        server, major, commit, standbys, fsync, read_only, standby, now = ask(connection, _LOOK)
        difference = now - (before + time.time()) / 2
        problems: list[str] = []
        if major < OLDEST_SERVER:
            problems.append(f"PostgreSQL {server} is too old: {OLDEST_SERVER} is needed")
        version, fleet = schema_version(connection, address.schema), "not looked at"
        try:
            check_version(address, version)
        except SmsError as exc:
            problems.append(str(exc))
        else:
            fleet, lacking = _fleet(connection, address)
            problems += lacking
        if not is_session_kept:
            problems.append(str(not_in_session("it")))
        if read_only:
            problems.append(why_read_only(standby=standby))
        if not fsync:
            problems.append("fsync is off: a crash of its machine loses claims, which texts twice")
    return Health(
        server=server,
        synchronous_commit=commit,
        standbys=standbys,
        clock_difference=difference,
        schema=f"{address.schema}, {'no tables' if version is None else f'version {version}'}",
        fleet=fleet,
        problems=tuple(problems),
    )


def _fleet(connection: Connection, address: PostgresAddress) -> tuple[str, list[str]]:
    """Return whether workers of a fleet can work with it, and what is wrong with their tables."""
    table = f"{quoted(address.schema)}.fleet_queue_migrations"
    (may_look,) = ask(connection, "SELECT has_table_privilege(%s, 'SELECT')", [table])
    if not may_look:
        return "this role may not look at its tables, and needs not to send", []
    missing = steps_missing(connection, address.schema)
    if missing is None:
        return f"none from here: procrastinate is not installed: {INSTALL}", []
    if not missing:
        return "its tables and those of its job queue are there", []
    why = (
        f"the job queue of the fleet lacks {missing} steps of its tables: run iprog-async journal "
        f"migrate '{address}' (add the password)"
    )
    return "its job queue is not up to date", [why]
