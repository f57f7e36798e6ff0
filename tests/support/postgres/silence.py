"""Sessions of a server that are there and do not answer, as where its disk stands still."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from attrs import define, field

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._limits.postgres_waiting import Waiting
from support.waiting import LONG


SOON = 0.2
"""Seconds: how long a test waits for an answer that does not come."""

_NOW = "SELECT now()"
_SINCE = """
SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_start >= %s
AND application_name LIKE 'iprog-async%%'"""


@define(eq=False)
class Silence:
    """Stops the server's side of connections; only for an answer of these nobody waits for long.

    Args:
        address: The journal.
        patience: How many seconds an answer of a stopped session is waited for.
    """

    address: PostgresAddress
    patience: float = SOON
    _since: object = None
    _stopped: list[int] = field(factory=list[int], init=False)
    _hurried: dict[int, float] = field(factory=dict[int, float], init=False)

    @classmethod
    def of(cls, address: str, monkeypatch: pytest.MonkeyPatch, patience: float = SOON) -> Silence:
        """Make one for connections that are made from now on."""
        made = cls(PostgresAddress.parse(address), patience)
        ((made._since,),) = made._ask(_NOW)
        monkeypatch.setattr(Waiting, "answer_within", property(made._within, made._hurry))
        return made

    @contextmanager
    def begin(self) -> Generator[None]:
        """Let all connections be silent for as long as a block takes."""
        try:
            for (pid,) in self._ask(_SINCE, self._since):
                # One may end at this moment.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    self._stopped.append(pid)
            assert self._stopped
            yield
        finally:
            for pid in self._stopped:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def _within(self, connection: psycopg.Connection) -> float:
        pid = connection.info.backend_pid
        return self._hurried.get(pid, self.patience) if pid in self._stopped else LONG

    def _hurry(self, connection: psycopg.Connection, seconds: float | None) -> None:
        self._hurried[connection.info.backend_pid] = LONG if seconds is None else seconds

    def _ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        # The driver itself: no connection of the library's is looked for.
        with psycopg.connect(str(self.address.conninfo)) as connection:
            return connection.execute(query.encode(), values or None).fetchall()
