"""A connection as the journal's thread uses it: durable, and known to lead to the same campaign."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from secrets import randbelow, token_bytes
from typing import TYPE_CHECKING

from attrs import frozen

from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import (
    Connection,
    ask,
    connect,
    not_in_session,
    run,
    translated,
    why_read_only,
)
from iprog_async._journal.postgres.migrations import check_version, schema_version
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.statements import LOCK_CLASS, SESSION_SETTING


if TYPE_CHECKING:
    from iprog_async._limits.postgres_waiting import WaitingConnection

_SALT_BYTES = 16
# A claim waits for its commit to be on disk, and on a synchronous standby where there is one. The
# plans are for few rows out of many, which were written a moment ago and are in memory; also while
# the table is small: it grows, and the plans are kept.
_SETTINGS = f"""
SELECT set_config('synchronous_commit', CASE
    WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
    ELSE current_setting('synchronous_commit') END, false),
  set_config('lock_timeout', '8s', false),
  set_config('plan_cache_mode', 'force_generic_plan', false),
  set_config('enable_seqscan', 'off', false),
  set_config('enable_hashjoin', 'off', false),
  set_config('enable_mergejoin', 'off', false),
  set_config('random_page_cost', '0.1', false),
  set_config('{SESSION_SETTING}', %s, false),
  pg_backend_pid(), current_setting('transaction_read_only') = 'on', pg_is_in_recovery()
"""
_MARK_CLASS = LOCK_CLASS + 1
# Whether this session, or another one, holds such a lock; no row if none does.
_HELD = """
SELECT bool_or(pid = pg_backend_pid()) FROM pg_locks
WHERE locktype = 'advisory' AND classid = %s AND objid = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
HAVING count(*) > 0"""
# A session whose connection has gone ends in milliseconds; on a busy server in some more.
_SECONDS_TO_LEAVE, _BETWEEN_LOOKS = 5.0, 0.01
_IN_SESSION = f"SELECT current_setting('{SESSION_SETTING}', true)"


@frozen
class Campaign:
    """What a journal in PostgreSQL is about.

    Args:
        id: Its number in the schema.
        name: Its name.
        salt: What its texts are hashed with.
        made_at: When it was made.
    """

    id: int
    name: str
    salt: bytes
    made_at: datetime


def open_campaign(
    address: PostgresAddress, name: str | None, process: int = 0
) -> tuple[WaitingConnection, Campaign]:
    """Connect for writing, and find a campaign, or make it.

    Args:
        address: The journal.
        name: The campaign; `None` takes the only one.
        process: Names this open journal in its session, if it is to claim.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached or written, is no journal or of another version.
    """
    connection = _connect(address, process)
    try:
        with translated(address):
            if name is None:
                number = find_campaign(connection, address, None)
            else:
                opened = f"SELECT {quoted(address.schema)}.open_campaign(%s, %s)"
                (number,) = ask(connection, opened, [name, token_bytes(_SALT_BYTES)])
            campaign = _campaign(connection, address, number)
            if campaign is None:
                raise JournalError(f"the campaign of the journal {address} was removed meanwhile")
            return connection, campaign
    except BaseException:
        connection.close()
        raise


def open_announced(
    address: PostgresAddress, name: str | None, process: int
) -> tuple[WaitingConnection, Campaign]:
    """Connect like `open_campaign`, and let others see it.

    Args:
        address: The journal.
        name: The campaign; `None` takes the only one.
        process: Names this open journal for others that wait for it.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached or written, is no journal or of another version.
    """
    connection, campaign = open_campaign(address, name, process)
    try:
        with translated(address):
            announce(connection, address, process)
    except BaseException:
        connection.close()
        raise
    return connection, campaign


def has_campaign(address: PostgresAddress, name: str) -> bool:
    """Return whether a journal has a campaign; nothing is made.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached, or is no journal or of another version.
    """
    with connect(address) as connection, translated(address):
        check_version(address, schema_version(connection, address.schema))
        return _named(connection, address, name) is not None


def reopen(address: PostgresAddress, campaign: Campaign, process: int) -> WaitingConnection:
    """Connect again, to the same campaign.

    Args:
        address: The journal.
        campaign: What it was about.
        process: Names this open journal for others that wait for it.

    Raises:
        JournalError: It can't be reached, or is another one now.
    """
    connection = _connect(address, process)
    try:
        with translated(address):
            if _campaign(connection, address, campaign.id) != campaign:
                raise JournalError(
                    f"the journal {address} is not the one that was opened: its campaign "
                    f"{campaign.name!r} was removed or made again. Nothing more is sent; see which "
                    "database the address leads to"
                )
            announce(connection, address, process)
    except BaseException:
        connection.close()
        raise
    return connection


def announce(connection: Connection, address: PostgresAddress, process: int) -> None:
    """Let others see that this journal is open, for as long as it is connected.

    Raises:
        JournalError: What was set in its session is not there any more.
    """
    ask(connection, "SELECT pg_try_advisory_lock_shared(%s, %s)", [LOCK_CLASS, process])
    if ask(connection, _IN_SESSION) != (str(process),):
        raise not_in_session(address.shown)


def keeps_session(address: PostgresAddress) -> bool:
    """Return whether a connection stays with one session of the server, and has it alone.

    A pooler in transaction mode hands what one connection has set to the next one, or loses it. So
    a lock is taken that ends with its session: with such a pooler it outlives its connection.

    Raises:
        JournalError: It can't be reached.
    """
    mark = [_MARK_CLASS, randbelow(1 << 31)]
    with connect(address) as connection, translated(address):
        ask(connection, "SELECT pg_advisory_lock_shared(%s, %s)", mark)
        if ask(connection, _HELD, mark) != (True,):
            return False
    until = time.monotonic() + _SECONDS_TO_LEAVE
    with connect(address) as connection, translated(address):
        while (found := ask(connection, _HELD, mark)) is not None:
            (is_ours,) = found
            if is_ours or time.monotonic() > until:
                return False
            time.sleep(_BETWEEN_LOOKS)
    return True


def find_campaign(connection: Connection, address: PostgresAddress, name: str | None) -> int:
    """Return the number of a campaign that is there; whoever only reads may see that much of it.

    Args:
        connection: An open connection.
        address: The journal.
        name: The campaign's name; `None` takes the only one.

    Raises:
        JournalError: It is not there, or without a name: there is none, or there are several.
    """
    if name is None:
        return _only(connection, address)
    number = _named(connection, address, name)
    if number is None:
        raise JournalError(f"the journal {address} has no campaign {name!r}")
    return number


def _only(connection: Connection, address: PostgresAddress) -> int:
    return only_of(address, run(connection, only_campaign(address)).fetchall())


def only_campaign(address: PostgresAddress) -> str:
    """Return the query for the campaign that is meant where none is named.

    The one without a name, which whoever sends an outbox makes, counts only if something is in it
    or there is no other.
    """
    schema = quoted(address.schema)
    named = f"SELECT FROM {schema}.campaigns WHERE name <> ''"
    rows = f"SELECT FROM {schema}.entries AS e WHERE e.campaign = c.id"
    which = f"WHERE name <> '' OR EXISTS ({rows}) OR NOT EXISTS ({named}) ORDER BY id LIMIT 21"
    return f"SELECT id, name FROM {schema}.campaigns AS c {which}"  # noqa: S608 - checked letters


def only_of(address: PostgresAddress, found: Sequence[tuple[int, str]]) -> int:
    """Return the number of the only campaign that was found.

    Raises:
        JournalError: There is none, or there are several.
    """
    if len(found) == 1:
        return int(found[0][0])
    if not found:
        raise JournalError(f"the journal {address} is empty: nothing was sent with it yet")
    names = ", ".join(repr(name) for _, name in found[:20])
    more = ", …" if len(found) > 20 else ""
    raise JournalError(
        f"the journal {address} has several campaigns, so name one of them: {names}{more}"
    )


def _named(connection: Connection, address: PostgresAddress, name: str) -> int | None:
    found = ask(connection, _select(address, "id", "WHERE name = %s"), [name])
    return found and int(found[0])


def _campaign(connection: Connection, address: PostgresAddress, number: int) -> Campaign | None:
    """Return all of a campaign; its salt is for those who write."""
    query = _select(address, "id, name, salt, made_at", "WHERE id = %s")
    found = ask(connection, query, [number])
    return found and Campaign(*found)


def _connect(address: PostgresAddress, process: int) -> WaitingConnection:
    """Connect for writing, and see that the session is, and stays, as it has to be."""
    connection = connect(address)
    try:
        with translated(address):
            backend = _set_up(connection, address, process)
        if backend == connection.info.backend_pid:
            return connection
        # A pooler stands between: it has numbers of its own. This connection may be all it has.
        connection.close()
        if not keeps_session(address):
            raise not_in_session(address.shown)
        connection = connect(address)
        with translated(address):
            _set_up(connection, address, process)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: Connection, address: PostgresAddress, process: int) -> int:
    """Set what a session needs; return the number that the server has for it."""
    check_version(address, schema_version(connection, address.schema))
    *_, backend, read_only, standby = ask(connection, _SETTINGS, [str(process)])
    if read_only:
        raise JournalError(
            f"the journal {address} can't be used: {why_read_only(standby=standby)}. "
            "Nothing was sent"
        )
    return int(backend)


def _select(address: PostgresAddress, columns: str, which: str) -> str:
    return f"SELECT {columns} FROM {quoted(address.schema)}.campaigns {which}"  # noqa: S608 - constants
