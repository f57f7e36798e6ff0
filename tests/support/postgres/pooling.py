"""A connection pooler of a few lines: which session of the server gets which statement."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count
from typing import Any

import psycopg
import pytest
from attrs import define, field

from iprog_async._journal.postgres import health, migrations, session
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import (
    AsyncConnection,
    Connection,
    connect,
    connect_async,
    run,
)
from iprog_async.fleet import _database as fleet_database


@define(eq=False)
class Pooler:
    """Stands between the journal and the server.

    Args:
        size: How many sessions it hands statements to in turn, as poolers do in transaction mode;
            `None` is session mode.
    """

    size: int | None
    _sessions: list[Connection] = field(factory=list[Connection], init=False)
    _turn: count[int] = field(factory=count, init=False)
    _open: ExitStack = field(factory=ExitStack, init=False)

    def use(self, monkeypatch: pytest.MonkeyPatch) -> Pooler:
        """Have the journal connect through it."""
        for module in (session, health, migrations):
            monkeypatch.setattr(module, "connect", self.connect)
        # What a fleet's own connection does before it is known to be pooled.
        monkeypatch.setattr(fleet_database, "connect_async", _connect_async)
        return self

    def connect(self, address: PostgresAddress) -> Any:
        """Connect, as the journal does."""
        if self.size is None:
            return Pooled([self._new(address)], self._turn, is_own=True)
        while len(self._sessions) < self.size:
            self._sessions.append(self._new(address))
        return Pooled(self._sessions, self._turn, is_own=False)

    def close(self) -> None:
        """End all sessions."""
        self._open.close()

    def _new(self, address: PostgresAddress) -> Connection:
        made = connect(address)
        self._open.callback(made.close)
        return made


@define(eq=False)
class Pooled:
    """A connection to the pooler; it tells a number of its own, as poolers do."""

    _sessions: list[Connection]
    _turn: count[int]
    is_own: bool
    closed: bool = False
    broken: bool = False
    backend_pid: int = 0
    answer_within: float | None = None
    is_patient: bool = True

    @property
    def info(self) -> Pooled:
        """What is known of the connection."""
        return self

    def execute(
        self, query: str, values: Sequence[object] | None = None
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run a statement in the session whose turn it is."""
        return run(self._sessions[next(self._turn) % len(self._sessions)], query, values)

    def close(self) -> None:
        """Give the session back; in session mode, nothing that was set there is left."""
        self.closed = True
        if self.is_own:
            self._sessions[0].close()

    def __enter__(self) -> Pooled:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _connect_async(address: PostgresAddress, name: str = "") -> Any:
    return PooledAsync(await connect_async(address, name))


@define(eq=False)
class PooledAsync:
    """A fleet's connection to the pooler; it tells a number of its own."""

    _connection: AsyncConnection
    backend_pid: int = 0

    @property
    def info(self) -> PooledAsync:
        """What is known of the connection."""
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)
