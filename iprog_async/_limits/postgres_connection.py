"""A connection to the database of a journal for what processes count and limit together."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, ClassVar, LiteralString, TypeVar

from iprog_async._core.forks.postgres import end_connection
from iprog_async._core.sealed import Secret
from iprog_async._limits.postgres_settings import KEEPALIVES, TROUBLE_OF_DRIVER
from iprog_async._limits.store import LimitStoreError


if TYPE_CHECKING:
    from psycopg import AsyncConnection, AsyncPipeline

R = TypeVar("R")

# Seconds. Whoever answers late holds up texts.
_CONNECT_TIMEOUT = 3
# Of those in which the database answers nobody.
_TURN_SECONDS = 10.0


class PostgresConnection:
    """A connection that is opened when it is first needed, and used for one transaction at a time.

    Args:
        address: Of the database; shown nowhere.
    """

    settings: ClassVar[LiteralString]
    """What is said to the server first, as SQL."""

    def __init__(self, address: Secret) -> None:
        self._address = address
        self._connection: AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()
        self._answered = 0
        self._process = 0
        self._closing: Callable[[], object] | None = None

    async def transact(
        self, work: Callable[[AsyncConnection[Any], AsyncPipeline], Awaitable[R]]
    ) -> R:
        """Do something in a transaction, in a pipeline.

        Args:
            work: Is given the connection and the pipeline. It synchronises the pipeline when it has
                locked rows, before it does anything else: only then the server knows that it waits
                for us, and ends the transaction of a process that is stopped, or gone.

        Raises:
            LimitStoreError: The database can't be reached, or has no such table for us.
        """
        import psycopg

        async with self._in_turn():
            try:
                connection = await self._open()
                # There are two round trips instead of four.
                async with connection.pipeline() as pipeline:
                    await connection.execute("BEGIN")
                    answer = await work(connection, pipeline)
                    await connection.execute("COMMIT")
                self._answered += 1
            except psycopg.Error as exc:
                self._drop()
                code = f" (SQLSTATE {exc.sqlstate})" if exc.sqlstate else ""
                # Its text may quote the address.
                raise LimitStoreError(f"the database: {type(exc).__name__}{code}") from None
            except TROUBLE_OF_DRIVER as exc:
                self._drop()
                raise LimitStoreError(f"the database: {type(exc).__name__}") from None
            except BaseException:
                # Nobody knows where in its conversation it stands.
                self._drop()
                raise
        return answer

    @asynccontextmanager
    async def _in_turn(self) -> AsyncGenerator[None]:
        """Wait for those before us for as long as any of them gets an answer."""
        while True:
            answered = self._answered
            try:
                async with asyncio.timeout(_TURN_SECONDS):
                    await self._turn.acquire()
            except TimeoutError:
                if answered == self._answered:
                    raise LimitStoreError("the database does not answer") from None
                # It does: there are many before us, or it is far away.
                continue
            break
        try:
            yield
        finally:
            self._turn.release()

    async def _open(self) -> AsyncConnection[Any]:
        """Return the connection, of this very process."""
        from psycopg.conninfo import conninfo_to_dict

        from iprog_async._limits.postgres_waiting import WaitingAsyncConnection

        if self._connection is not None:
            if self._process == os.getpid():
                return self._connection
            self._drop()
        given: dict[str, Any] = KEEPALIVES | conninfo_to_dict(str(self._address))
        given["connect_timeout"] = _CONNECT_TIMEOUT
        given["application_name"] = "iprog-async limits"
        connection = await WaitingAsyncConnection.connect(
            **given, autocommit=True, prepare_threshold=1
        )
        # There is no long statement here: one that is not answered is not worth the wait.
        connection.is_patient = False
        self._connection, self._process = connection, os.getpid()
        # Some clients are never closed.
        self._closing = weakref.finalize(self, end_connection, self._process, connection)
        await connection.execute(self.settings)
        return connection

    def _drop(self) -> None:
        self._connection = None
        if self._closing is not None:
            self._closing()
            self._closing = None

    async def aclose(self) -> None:
        """Close the connection, whatever became of its event loop."""
        self._drop()
