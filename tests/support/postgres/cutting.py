"""Connections of a journal that are lost in the midst of a statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
import pytest
from attrs import define, field

from iprog_async._journal.postgres import execution
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import Connection, Cursor, connect, run


@define
class Cut:
    """Loses the connection once, in a statement of some kind.

    Args:
        word: What only that statement has in it.
        answered: Whether the server has done it, and only its answer is lost.
        times: How often this is to happen.
        refusal: What the server says instead, if the connection is not lost.
    """

    word: str
    answered: bool = False
    times: int = 1
    refusal: psycopg.Error | None = None
    happened: int = 0
    _run_really: Callable[..., Cursor] = field(default=run, init=False)

    def use(self, monkeypatch: pytest.MonkeyPatch) -> Cut:
        """Stand in for what runs statements, or for another one of these."""
        self._run_really = vars(execution)["run"]
        monkeypatch.setattr(execution, "run", self._run)
        return self

    def _run(
        self, connection: Connection, query: str, values: Sequence[object] | None = None
    ) -> Cursor:
        if self.word not in query or self.happened >= self.times:
            return self._run_really(connection, query, values)
        self.happened += 1
        if self.refusal is not None:
            raise self.refusal
        if self.answered:
            self._run_really(connection, query, values)
        connection.close()
        raise psycopg.OperationalError("the connection was lost")


CLAIM = "again AS"
CLAIM_NEW = "LEFT JOIN fresh"
SECOND_LOOK = "SELECT w.attempt FROM w WHERE"
RECORD = "e.id = w.id AND e.attempt = w.attempt"
RELEASE = "w.hash) AND e.attempt = w.attempt AND e.state = 'claimed'"


def terminate(address: str) -> int:
    """End the connections of a journal, as an administrator does; return how many there were.

    One that was closed a moment ago may be among them.
    """
    parsed = PostgresAddress.parse(address)
    with connect(parsed) as connection:
        ended = run(
            connection,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND query LIKE %s",
            [f"%{parsed.schema}%"],
        )
        return len(ended.fetchall())
