"""Connections to a journal's database, and what an error of the server means for whoever sends."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from iprog_async._core.errors import JournalError, SmsError
from iprog_async._core.redaction import one_line
from iprog_async._core.tracebacks import discreet, discreetly
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.driver import driver
from iprog_async._limits.postgres_settings import KEEPALIVES, SESSION, TROUBLE_OF_DRIVER


if TYPE_CHECKING:
    import psycopg

    from iprog_async._limits.postgres_waiting import WaitingAsyncConnection, WaitingConnection

    Connection = psycopg.Connection[tuple[Any, ...]]
    AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]
    Cursor = psycopg.Cursor[tuple[Any, ...]]
else:
    Connection = AsyncConnection = Cursor = Any

_LONGEST_REASON = 300
_WORDS = re.compile(r"[a-z_]+")
_CONNECT_SECONDS = 8
_ENCODING = "UTF8"
_DEFAULTS: dict[str, Any] = KEEPALIVES | {
    "connect_timeout": _CONNECT_SECONDS,
    "application_name": "iprog-async",
}

_GRANTED = "give the role what docs/postgres.md grants to a role that sends"
_MIGRATED = "run iprog-async journal migrate with its address"
_WHAT_TO_DO = {
    # The connection may be lost by now, and nobody to be asked which of the two it is.
    "25006": (
        "it is read-only: if it is a standby, use the address of the primary server, else see that "
        "default_transaction_read_only is off"
    ),
    "53100": "the server's disk is full: free some space there",
    "42501": _GRANTED,
    "42P01": _MIGRATED,
    "42703": _MIGRATED,
    "42883": _MIGRATED,
    "3F000": _MIGRATED,
    "23514": "its campaign was removed meanwhile: open the journal once more",
}
"""What to do, by the server's code of an error."""

_WHAT_TO_DO_TO_CHANGE = {
    "25006": _WHAT_TO_DO["25006"],
    "42501": (
        "use the address of a role that may: it needs CREATE on the database, or to own the "
        "schema; or have somebody who may run what this command prints with --print"
    ),
    "42704": "make that role first (CREATE ROLE … LOGIN), or name another one with --grant",
}
"""The same where the tables are made or changed, by somebody who looks after the database."""

_LOCKED = ("40P01", "55P03")
"""Codes of errors where others have locked what was to be changed."""

_PASSING = ("40001", "57014", *_LOCKED)
"""Codes of errors that another try may not meet: two at the same rows, or too long a wait."""


@discreet
def connect(address: PostgresAddress, *, autocommit: bool = True) -> WaitingConnection:
    """Connect to a database.

    Args:
        address: Where it is.
        autocommit: Whether each statement is a transaction of its own.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached, refuses, or can't hold every text.
    """
    psycopg = driver()
    # It needs what the extra installs.
    from iprog_async._limits.postgres_waiting import WaitingConnection

    try:
        connection = WaitingConnection.connect(**_arguments(address), autocommit=True)
        try:
            problem = _wrong_encoding(address, connection)
            if problem is None:
                run(connection, SESSION)
                connection.autocommit = autocommit
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
    except (psycopg.Error, *TROUBLE_OF_DRIVER) as exc:
        problem = _unreachable(address, exc)
    raise problem


async def connect_async(address: PostgresAddress, name: str = "") -> WaitingAsyncConnection:
    """Connect to a database from a coroutine; each statement is a transaction of its own.

    Args:
        address: Where it is.
        name: Who connects, as others see it in `pg_stat_activity`.

    Raises:
        ConfigurationError: The driver is missing.
        JournalError: It can't be reached, refuses, or can't hold every text.
    """
    return await discreetly(_connect_async(address, name))


async def _connect_async(address: PostgresAddress, name: str) -> WaitingAsyncConnection:
    psycopg = driver()
    # It needs what the extra installs.
    from iprog_async._limits.postgres_waiting import WaitingAsyncConnection

    named: dict[str, Any] = {"application_name": f"iprog-async {name}"} if name else {}
    try:
        connection = await WaitingAsyncConnection.connect(
            **(_arguments(address) | named), autocommit=True
        )
        try:
            problem = _wrong_encoding(address, connection)
            if problem is None:
                await connection.execute(SESSION)
                return connection
        except BaseException:
            await connection.close()
            raise
        await connection.close()
    except (psycopg.Error, *TROUBLE_OF_DRIVER) as exc:
        problem = _unreachable(address, exc)
    raise problem


def _arguments(address: PostgresAddress) -> dict[str, Any]:
    given = driver().conninfo.conninfo_to_dict(str(address.conninfo))
    # Whatever the environment says: what is asked for has to be what is found.
    return _DEFAULTS | dict(given) | {"client_encoding": _ENCODING}


def _wrong_encoding(
    address: PostgresAddress, connection: Connection | AsyncConnection
) -> JournalError | None:
    """Return what to raise for a database that can't hold every text; the server tells it itself.

    Another encoding has no room for some keys and names of errors, and `SQL_ASCII` knows bytes.
    """
    encoding = connection.info.parameter_status("server_encoding") or _ENCODING
    if encoding == _ENCODING:
        return None
    return JournalError(
        f"the journal {address} can't be used: the encoding of its database is {encoding}, which "
        f"can't hold every text, and {_ENCODING} is needed. Nothing was sent; make a database for "
        f"the journal: CREATE DATABASE sms ENCODING '{_ENCODING}' TEMPLATE template0, and run "
        "iprog-async journal init with its address"
    )


def why_read_only(*, standby: bool) -> str:
    """Return why a database takes no changes, and what to do.

    Args:
        standby: Whether its server says that it is one.
    """
    if standby:
        return "it is read-only, as a standby is: use the address of the primary server"
    return (
        "it is read-only, though no standby: default_transaction_read_only is on, for the server, "
        "the database, the role or this address; turn it off there"
    )


def _unreachable(address: PostgresAddress, cause: Exception) -> JournalError:
    said = _words(cause, address)
    named = _variables(address, said)
    by = f" (the environment sets {', '.join(named)})" if named else ""
    return JournalError(
        f"can't reach the journal {address}: {said}{by}. Check that the server runs, "
        "and the address with its user and password. Nothing was sent"
    )


def _variables(address: PostgresAddress, said: str) -> list[str]:
    """Return the variables of libpq that are set, and that an error speaks of.

    Args:
        address: What it says itself goes before them.
        said: The error, which names a setting, or quotes a value.
    """
    psycopg = driver()
    try:
        given = psycopg.conninfo.conninfo_to_dict(str(address.conninfo))
    except psycopg.Error:
        return []
    settings = [(each.keyword, each.envvar) for each in psycopg.pq.Conninfo.get_defaults()]
    settings.append((b"servicefile", b"PGSERVICEFILE"))
    words = set(_WORDS.findall(said.lower()))
    named = {variable.decode(): key.decode() for key, variable in settings if variable is not None}
    return sorted(
        variable
        for variable, key in named.items()
        if (value := os.environ.get(variable))
        and key not in given
        and (key in words or f'"{value}"' in said)
    )


def ask(connection: Connection, query: str, values: Sequence[object] | None = None) -> Any:
    """Return the one row that a query gives; `None` if there is none."""
    return run(connection, query, values).fetchone()


def run(
    connection: Connection,
    query: str,
    values: Sequence[object] | Mapping[str, object] | None = None,
) -> Cursor:
    """Run a statement; its text is ours, and only its values are others'."""
    return connection.execute(query, values)  # pyright: ignore[reportArgumentType, reportCallIssue] - no literal


@contextmanager
def translated(
    address: PostgresAddress,
    problem_of: Callable[[PostgresAddress, Exception], SmsError] | None = None,
    *,
    around_others: bool = False,
) -> Generator[None]:
    """Turn errors of the server and the driver into a `JournalError` that says what to do.

    Args:
        address: The journal.
        problem_of: What makes the error; `unusable` if `None`.
        around_others: Whether code of others runs within; what it raises of its own stays as it is.
    """
    problem: SmsError | None = None
    told: tuple[type[Exception], ...] = (driver().Error,)
    if not around_others:
        told += TROUBLE_OF_DRIVER
    try:
        yield
    except SmsError:
        # Some are a `ValueError`, too.
        raise
    except told as exc:
        problem = (problem_of or unusable)(address, exc)
    if problem is not None:
        # What the driver says holds whatever it was told.
        raise problem from None


def unusable(address: PostgresAddress, cause: BaseException) -> JournalError:
    """Return what to raise for an error of the server or the connection."""
    state = getattr(cause, "sqlstate", None)
    advice = _WHAT_TO_DO.get(state or "", "fix the cause")
    return JournalError(
        f"the journal {address} can't be used: {_words(cause, address)}. Nothing more is sent; "
        f"what is on record stays there: {advice}, and run again"
    )


def unchanged(address: PostgresAddress, cause: Exception) -> JournalError:
    """Return what to raise where the tables of a journal can't be made or changed."""
    state = getattr(cause, "sqlstate", None)
    advice = _WHAT_TO_DO_TO_CHANGE.get(state or "", "fix the cause, and run it again")
    return JournalError(
        f"the tables of the journal {address} can't be made: {_words(cause, address)}. Nothing was "
        f"changed; {advice}"
    )


def not_in_session(place: str) -> JournalError:
    """Return what to raise where statements of one connection reach several sessions."""
    return JournalError(
        f"{place} can't be used through a pooler in transaction mode, which hands each statement "
        "to another session: who is connected, and how durably a claim is written, is lost there. "
        "Nothing more is sent; set the pooler to session mode, or use the server's own address"
    )


def is_lost(connection: Connection, cause: Exception) -> bool:
    """Return whether an error took the connection with it."""
    if isinstance(cause, OSError):
        # The driver could not wait for the answer: nobody knows where its conversation stands.
        return True
    psycopg = driver()
    return isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)) and (
        connection.closed or connection.broken
    )


def is_locked(cause: Exception) -> bool:
    """Return whether others have what was to be changed, for longer than it was waited for."""
    return getattr(cause, "sqlstate", None) in _LOCKED


def is_passing(cause: Exception) -> bool:
    """Return whether another try may succeed: somebody else was at the same rows."""
    return getattr(cause, "sqlstate", None) in _PASSING


def _words(cause: BaseException, address: PostgresAddress) -> str:
    said = one_line(address.redactor.text(str(cause)), _LONGEST_REASON)
    return said or type(cause).__name__
