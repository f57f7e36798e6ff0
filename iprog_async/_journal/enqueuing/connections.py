"""The kinds of connections that people have, and how each is told a statement.

They are known by the names of their classes: nothing is imported that is not there already. Each
reads and writes within the transaction that the connection is in, and ends none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from attrs import frozen

from iprog_async._core.errors import ConfigurationError


Rows = Sequence[Sequence[Any]]

SUPPORTED = (
    "psycopg's Connection and AsyncConnection, asyncpg's Connection, SQLAlchemy's Connection, "
    "Session, AsyncConnection and AsyncSession, and django.db.connection"
)


@frozen
class Kind:
    """One kind of connection.

    Args:
        package: The package whose class it is.
        classes: Names of its classes.
        ask: Runs the statement, or returns what to await for that.
        is_async: Whether that has to be awaited.
    """

    package: str
    classes: frozenset[str]
    ask: Callable[[Any, str, str], Any]
    is_async: bool


def ask(connection: object, function: str, request: str) -> Rows:
    """Call a function of the database over a synchronous connection, and return its rows.

    Args:
        connection: The caller's.
        function: The function's name, as SQL.
        request: Its argument.

    Raises:
        ConfigurationError: It is no such connection.
    """
    rows: Rows = _kind_of(connection, is_async=False).ask(connection, function, request)
    return rows


async def ask_async(connection: object, function: str, request: str) -> Rows:
    """Call a function of the database over an asynchronous connection, and return its rows.

    Args:
        connection: The caller's.
        function: The function's name, as SQL.
        request: Its argument.

    Raises:
        ConfigurationError: It is no such connection.
    """
    asked: Awaitable[Rows] = _kind_of(connection, is_async=True).ask(connection, function, request)
    return await asked


def _kind_of(connection: object, *, is_async: bool) -> Kind:
    for cls in type(connection).__mro__:
        package = cls.__module__.partition(".")[0]
        for kind in _KINDS:
            if package == kind.package and cls.__name__ in kind.classes:
                if kind.is_async is is_async:
                    return kind
                raise ConfigurationError(_other_way(cls, is_async=kind.is_async))
    given = type(connection)
    raise ConfigurationError(
        f"connection= is {given.__module__}.{given.__qualname__}, which no text can be enqueued "
        f"with: there are {SUPPORTED}. Nothing was enqueued"
    )


def _other_way(cls: type, *, is_async: bool) -> str:
    use = "await journal.enqueue(…)" if is_async else "journal.enqueue_sync(…)"
    word = "asynchronous" if is_async else "synchronous"
    return f"{cls.__module__}.{cls.__qualname__} is {word}: use {use}. Nothing was enqueued"


def _calling(function: str, parameter: str) -> str:
    """Return the statement; a parameter is written as the driver wants it."""
    return f"SELECT id, is_new FROM {function}({parameter})"  # noqa: S608 - a checked name


def _psycopg(connection: Any, function: str, request: str) -> Rows:
    from psycopg.rows import tuple_row

    # The caller's own row factory may make anything of a row.
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(_calling(function, "%s"), [request])
        rows: Rows = cursor.fetchall()
    return rows


async def _psycopg_async(connection: Any, function: str, request: str) -> Rows:
    from psycopg.rows import tuple_row

    async with connection.cursor(row_factory=tuple_row) as cursor:
        await cursor.execute(_calling(function, "%s"), [request])
        rows: Rows = await cursor.fetchall()
    return rows


async def _asyncpg(connection: Any, function: str, request: str) -> Rows:
    rows: Rows = await connection.fetch(_calling(function, "$1"), request)
    return rows


def _sqlalchemy(connection: Any, function: str, request: str) -> Rows:
    rows: Rows = connection.execute(*_statement(connection, function, request)).all()
    return rows


async def _sqlalchemy_async(connection: Any, function: str, request: str) -> Rows:
    rows: Rows = (await connection.execute(*_statement(connection, function, request))).all()
    return rows


def _statement(connection: Any, function: str, request: str) -> tuple[Any, dict[str, str]]:
    from sqlalchemy import text

    bind = connection if hasattr(connection, "dialect") else connection.get_bind()
    _check_postgres(bind.dialect.name)
    return text(_calling(function, ":request")), {"request": request}


def _django(connection: Any, function: str, request: str) -> Rows:
    _check_postgres(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(_calling(function, "%s"), [request])
        rows: Rows = cursor.fetchall()
    return rows


def _check_postgres(name: str) -> None:
    if name != "postgresql":
        raise ConfigurationError(
            f"connection= leads to {name}, and an outbox is in PostgreSQL, in the database of the "
            "journal. Nothing was enqueued"
        )


_KINDS = (
    Kind("psycopg", frozenset({"AsyncConnection"}), _psycopg_async, is_async=True),
    Kind("psycopg", frozenset({"Connection"}), _psycopg, is_async=False),
    Kind("asyncpg", frozenset({"Connection", "PoolConnectionProxy"}), _asyncpg, is_async=True),
    Kind(
        "sqlalchemy",
        frozenset({"AsyncConnection", "AsyncSession", "async_scoped_session"}),
        _sqlalchemy_async,
        is_async=True,
    ),
    Kind(
        "sqlalchemy",
        frozenset({"Connection", "Session", "scoped_session"}),
        _sqlalchemy,
        is_async=False,
    ),
    Kind("django", frozenset({"ConnectionProxy", "BaseDatabaseWrapper"}), _django, is_async=False),
)
