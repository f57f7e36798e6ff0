"""The connection of a list in PostgreSQL: made when it is needed, and again when it is lost."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from iprog_async._core.errors import JournalError, SuppressionsError
from iprog_async._core.forks.locks import ForkLock
from iprog_async._core.forks.postgres import end_connection
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import (
    Connection,
    ask,
    connect,
    is_lost,
    is_passing,
    run,
    unusable,
)
from iprog_async._journal.postgres.driver import driver
from iprog_async._journal.postgres.migrations import check_version, schema_version
from iprog_async._limits.postgres_settings import TROUBLE_OF_DRIVER


T = TypeVar("T")

# What was committed has to be on the disk, and what a standby has not heard of yet is not obeyed.
_SETTINGS = """
SELECT set_config('synchronous_commit', CASE
    WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on'
    ELSE current_setting('synchronous_commit') END, false),
  set_config('lock_timeout', '8s', false),
  set_config('statement_timeout', '10s', false),
  current_setting('transaction_read_only') = 'on'
"""
_TRIES = 3
_TURN_SECONDS = 30.0


class PostgresSession:
    """One connection, which serves one thread at a time; each statement is a transaction.

    Args:
        address: The database, and the schema of its journal.

    Raises:
        ConfigurationError: The driver is missing.
        SuppressionsError: It can't be reached, is read-only, or has no such tables.
    """

    def __init__(self, address: PostgresAddress) -> None:
        self.address = address
        self._turn = ForkLock()
        self._connection: Connection | None = None
        self._process = 0
        self._closing: Callable[[], object] = lambda: None
        try:
            self.use(lambda connection: ask(connection, "SELECT 1"))
        except BaseException:
            # Nobody has it, to close it.
            self.close()
            raise

    def rows(
        self, query: str, values: Sequence[object] | Mapping[str, object]
    ) -> list[tuple[Any, ...]]:
        """Run a statement that may be run twice, and return its rows.

        Raises:
            SuppressionsError: The database can't be used.
        """
        return self.use(lambda connection: run(connection, query, values).fetchall())

    def use(self, work: Callable[[Connection], T]) -> T:
        """Do what may be done twice, with a connection; one that is lost is made again.

        Raises:
            SuppressionsError: The database can't be used.
        """
        with self._in_turn():
            tries = 0
            while True:
                tries += 1
                try:
                    return work(self._open())
                except JournalError as exc:
                    raise SuppressionsError(str(exc)) from None
                except (driver().Error, *TROUBLE_OF_DRIVER) as exc:
                    if tries == _TRIES or not self._can_try_again(exc):
                        raise SuppressionsError(str(unusable(self.address, exc))) from None
                except BaseException:
                    # Nobody knows where in its conversation it stands.
                    self._drop()
                    raise

    @contextmanager
    def _in_turn(self) -> Generator[None]:
        """Wait for those before us, but not for ever: each of them may get no answer."""
        lock = self._turn.lock
        if not lock.acquire(timeout=_TURN_SECONDS):
            raise SuppressionsError(
                f"the list in {self.address} can't be used: its database does not answer. Nothing "
                "was sent"
            )
        try:
            yield
        finally:
            lock.release()

    def _can_try_again(self, cause: Exception) -> bool:
        if self._connection is None or is_lost(self._connection, cause):
            self._drop()
            return True
        return is_passing(cause)

    def close(self) -> None:
        """Disconnect; it is made again when it is needed."""
        with self._turn.lock:
            self._drop()

    def _open(self) -> Connection:
        """Return the connection, of this very process."""
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        self._drop()
        connection = connect(self.address)
        connection.is_patient = False
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._process = connection, os.getpid()
        # Not every list is closed.
        self._closing = weakref.finalize(self, end_connection, self._process, connection)
        return connection

    def _set_up(self, connection: Connection) -> None:
        check_version(self.address, schema_version(connection, self.address.schema))
        *_, read_only = ask(connection, _SETTINGS)
        if read_only:
            raise JournalError(
                f"the list in {self.address} can't be used: the database is read-only, as a "
                "standby is, and hears of a STOP later. Nothing was sent; use the address of the "
                "primary server"
            )

    def _drop(self) -> None:
        self._connection = None
        self._closing()
        self._closing = lambda: None
