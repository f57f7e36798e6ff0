"""Each kind of connection with which a text can be enqueued, told the same things in one way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from iprog_async import Message
from iprog_async.outbox import Enqueued, enqueue, enqueue_sync


class Enqueues(Protocol):
    """A journal, or what stands in for one."""

    async def enqueue(self, message: Message, *, connection: object) -> Enqueued:
        """Enqueue over an asynchronous connection."""
        ...

    def enqueue_sync(self, message: Message, *, connection: object) -> Enqueued:
        """Enqueue over a synchronous connection."""
        ...


class Elsewhere:
    """Enqueues in a schema that is not there."""

    async def enqueue(self, message: Message, *, connection: object) -> Enqueued:
        """Enqueue over an asynchronous connection."""
        return await enqueue(message, connection=connection, schema="elsewhere")

    def enqueue_sync(self, message: Message, *, connection: object) -> Enqueued:
        """Enqueue over a synchronous connection."""
        return enqueue_sync(message, connection=connection, schema="elsewhere")


class Transaction(Protocol):
    """A connection that is in a transaction."""

    connection: Any
    """What is handed to the library."""

    async def open(self, address: str) -> None:
        """Connect."""

    async def enqueue(self, journal: Enqueues, message: Message) -> Enqueued:
        """Enqueue a text as a program with this kind of connection does."""
        ...

    async def execute(self, statement: str) -> None:
        """Run a statement of the program's own."""

    async def commit(self) -> None:
        """Commit; what comes next is another transaction."""

    async def rollback(self) -> None:
        """Roll back; what comes next is another transaction."""

    async def close(self) -> None:
        """Disconnect."""


def plain(address: str, scheme: str = "postgresql") -> str:
    """Return a journal's address as other programs write it, without the schema."""
    parts = urlsplit(address)
    query = {name: value for name, value in parse_qsl(parts.query) if name != "schema"}
    rest = f"?{urlencode(query)}" if query else ""
    return f"{scheme}://{parts.netloc}{parts.path}{rest}"


class _Async:
    """What asynchronous connections have in common."""

    connection: Any

    async def enqueue(self, journal: Enqueues, message: Message) -> Enqueued:
        """Enqueue a text."""
        return await journal.enqueue(message, connection=self.connection)

    async def execute(self, statement: str) -> None:
        """Run a statement of the program's own."""
        await self.connection.execute(statement)

    async def commit(self) -> None:
        """Commit."""
        await self.connection.commit()

    async def rollback(self) -> None:
        """Roll back."""
        await self.connection.rollback()

    async def close(self) -> None:
        """Disconnect."""
        await self.connection.close()


class PsycopgAsync(_Async):
    """psycopg's AsyncConnection."""

    async def open(self, address: str) -> None:
        """Connect."""
        import psycopg
        from psycopg.rows import dict_row

        # Of rows that are anything else than tuples the library must not be afraid.
        self.connection = await psycopg.AsyncConnection.connect(plain(address))
        self.connection.row_factory = dict_row


class Asyncpg(_Async):
    """asyncpg's Connection."""

    _transaction: Any

    async def open(self, address: str) -> None:
        """Connect."""
        import asyncpg

        self.connection = await asyncpg.connect(plain(address))
        await self._begin()

    async def _begin(self) -> None:
        self._transaction = self.connection.transaction()
        await self._transaction.start()

    async def commit(self) -> None:
        """Commit."""
        await self._transaction.commit()
        await self._begin()

    async def rollback(self) -> None:
        """Roll back."""
        await self._transaction.rollback()
        await self._begin()


class AsyncpgPool(Asyncpg):
    """A connection of asyncpg's pool."""

    _pool: Any

    async def open(self, address: str) -> None:
        """Connect."""
        import asyncpg

        self._pool = await asyncpg.create_pool(plain(address), min_size=1, max_size=1)
        self.connection = await self._pool.acquire()
        await self._begin()

    async def close(self) -> None:
        """Disconnect."""
        await self._transaction.rollback()
        await self._pool.release(self.connection)
        await self._pool.close()


class _AsyncAlchemy(_Async):
    scheme: ClassVar[str]
    _engine: Any

    async def open(self, address: str) -> None:
        """Connect."""
        from sqlalchemy.ext.asyncio import create_async_engine

        self._engine = create_async_engine(plain(address, f"postgresql+{self.scheme}"))
        self.connection = await self.make(self._engine)

    async def make(self, engine: Any) -> Any:
        """Make what is handed to the library."""
        return await engine.connect()

    async def execute(self, statement: str) -> None:
        """Run a statement of the program's own."""
        from sqlalchemy import text

        await self.connection.execute(text(statement))

    async def close(self) -> None:
        """Disconnect."""
        await self.connection.close()
        await self._engine.dispose()


class AlchemyAsyncConnection(_AsyncAlchemy):
    """SQLAlchemy's AsyncConnection, on psycopg."""

    scheme = "psycopg_async"


class AlchemyAsyncpg(_AsyncAlchemy):
    """SQLAlchemy's AsyncConnection, on asyncpg."""

    scheme = "asyncpg"


class AlchemyAsyncSession(_AsyncAlchemy):
    """SQLAlchemy's AsyncSession."""

    scheme = "psycopg_async"

    async def make(self, engine: Any) -> Any:
        """Make what is handed to the library."""
        from sqlalchemy.ext.asyncio import AsyncSession

        return AsyncSession(engine)


class _Sync:
    """What synchronous connections have in common: a thread of their own, as programs have."""

    connection: Any

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)

    def aside(self, work: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
        """Do something in the thread."""
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def open(self, address: str) -> None:
        """Connect."""
        self.connection = await self.aside(self.make, address)

    def make(self, address: str) -> Any:
        """Make what is handed to the library."""
        raise NotImplementedError

    async def enqueue(self, journal: Enqueues, message: Message) -> Enqueued:
        """Enqueue a text."""

        def work() -> Enqueued:
            return journal.enqueue_sync(message, connection=self.connection)

        enqueued: Enqueued = await self.aside(work)
        return enqueued

    async def execute(self, statement: str) -> None:
        """Run a statement of the program's own."""
        await self.aside(lambda: self.connection.execute(statement))

    async def commit(self) -> None:
        """Commit."""
        await self.aside(lambda: self.connection.commit())

    async def rollback(self) -> None:
        """Roll back."""
        await self.aside(lambda: self.connection.rollback())

    async def close(self) -> None:
        """Disconnect."""
        await self.aside(self.end)
        self._thread.shutdown()

    def end(self) -> None:
        """Disconnect, in the thread."""
        self.connection.close()


class Psycopg(_Sync):
    """psycopg's Connection."""

    def make(self, address: str) -> Any:
        """Make what is handed to the library."""
        import psycopg

        return psycopg.connect(plain(address))


class _Alchemy(_Sync):
    _engine: Any

    def make(self, address: str) -> Any:
        """Make what is handed to the library."""
        from sqlalchemy import create_engine

        self._engine = create_engine(plain(address, "postgresql+psycopg"))
        return self.connect(self._engine)

    def connect(self, engine: Any) -> Any:
        """Make what is handed to the library."""
        return engine.connect()

    async def execute(self, statement: str) -> None:
        """Run a statement of the program's own."""
        from sqlalchemy import text

        await self.aside(self.connection.execute, text(statement))

    def end(self) -> None:
        """Disconnect, in the thread."""
        self.connection.close()
        self._engine.dispose()


class AlchemyConnection(_Alchemy):
    """SQLAlchemy's Connection."""


class AlchemySession(_Alchemy):
    """SQLAlchemy's Session."""

    def connect(self, engine: Any) -> Any:
        """Make what is handed to the library."""
        from sqlalchemy.orm import Session

        return Session(engine)


class AlchemyScopedSession(_Alchemy):
    """SQLAlchemy's scoped_session, as in Flask-SQLAlchemy."""

    def connect(self, engine: Any) -> Any:
        """Make what is handed to the library."""
        from sqlalchemy.orm import scoped_session, sessionmaker

        return scoped_session(sessionmaker(engine))


class Django(_Sync):
    """Django's connection, as `django.db.connection` is one."""

    def make(self, address: str) -> Any:
        """Make what is handed to the library."""
        import django
        from django.apps import apps
        from django.conf import settings
        from django.db.utils import ConnectionHandler
        from django.utils.connection import ConnectionProxy
        from psycopg.conninfo import conninfo_to_dict

        if not settings.configured:
            settings.configure()
        if not apps.ready:
            django.setup()
        given = conninfo_to_dict(plain(address))
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
        database = {"ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"]}
        database |= {name: given[key] for key, name in names.items() if key in given}
        proxy = ConnectionProxy(ConnectionHandler({"default": database}), "default")
        proxy.set_autocommit(False)
        return proxy

    async def execute(self, statement: str) -> None:
        """Run a statement of the program's own."""

        def work() -> None:
            with self.connection.cursor() as cursor:
                cursor.execute(statement)

        await self.aside(work)


KINDS: tuple[type[Transaction], ...] = (
    PsycopgAsync,
    Psycopg,
    Asyncpg,
    AsyncpgPool,
    AlchemyAsyncConnection,
    AlchemyAsyncpg,
    AlchemyAsyncSession,
    AlchemyConnection,
    AlchemySession,
    AlchemyScopedSession,
    Django,
)
"""All of them."""
