"""Connections to PostgreSQL that wait for no answer for ever; needs the driver to be installed.

A server can be there and not answer: its machine or its disk stands still, or a pooler hangs. The
system's own watch over a connection knows nothing of that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Any

import psycopg
from attrs import define


ANSWER_SECONDS = 10.0
"""How long a server may be silent; those that wait for a lock are told after eight seconds."""
_PROBE_SECONDS = 3


class _SilentError(Exception):
    """The server has said nothing for too long."""


class Waiting:
    """How long a connection waits for the server.

    It is read again and again: whoever is in a hurry makes it shorter while somebody waits.
    """

    answer_within: float | None = ANSWER_SECONDS
    """How many seconds the server may be silent; for ever if `None`, as for who only listens."""
    is_patient = True
    """Whether a server that is silent, and answers another connection, is waited for on."""


@define(eq=False)
class _Talk:
    """One conversation of the driver, which can be taken up again after a silence.

    Args:
        steps: The driver's side of it; it yields what it waits for.
        waiting: The connection.
    """

    steps: Generator[Any, Any, Any]
    waiting: Waiting
    waits_for: Any = None

    def go_on(self) -> Generator[Any, Any, Any]:
        """Lead it on, as the driver does.

        Raises:
            _SilentError: The server has said nothing for too long; nothing was lost.
        """
        heard_at = time.monotonic()
        try:
            if self.waits_for is None:
                self.waits_for = next(self.steps)
            while True:
                ready = yield self.waits_for
                if ready:
                    heard_at = time.monotonic()
                elif self._is_over(heard_at):
                    raise _SilentError
                self.waits_for = self.steps.send(ready)
        except StopIteration as end:
            return end.value

    def _is_over(self, heard_at: float) -> bool:
        limit = self.waiting.answer_within
        return limit is not None and time.monotonic() - heard_at >= limit


class WaitingConnection(psycopg.Connection[Any], Waiting):
    """A connection that is lost when the server does not answer."""

    def wait(self, gen: Any, *args: Any, **settings: Any) -> Any:
        """Wait for the server, as the driver does.

        Raises:
            psycopg.OperationalError: It does not answer; the connection is closed.
        """
        talk = _Talk(gen, self)
        while True:
            try:
                return super().wait(talk.go_on(), *args, **settings)
            except _SilentError:
                if not (self.is_patient and answers(self)):
                    raise _given_up(self) from None


class WaitingAsyncConnection(psycopg.AsyncConnection[Any], Waiting):
    """The same for a coroutine."""

    async def wait(self, gen: Any, *args: Any, **settings: Any) -> Any:
        """Wait for the server, as the driver does.

        Raises:
            psycopg.OperationalError: It does not answer; the connection is closed.
        """
        talk = _Talk(gen, self)
        while True:
            try:
                return await super().wait(talk.go_on(), *args, **settings)
            except _SilentError:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    # Of the answer to that, which the driver asks for, nothing was heard either.
                    self.pgconn.finish()
                    raise asyncio.CancelledError from None
                if not (self.is_patient and await asyncio.to_thread(answers, self)):
                    raise _given_up(self) from None


_Any = WaitingConnection | WaitingAsyncConnection


def _given_up(connection: _Any) -> psycopg.OperationalError:
    seconds = connection.answer_within or 0
    connection.pgconn.finish()
    return psycopg.OperationalError(f"the server is there, and has not answered for {seconds:g} s")


def answers(connection: _Any) -> bool:
    """Return whether the server of a connection says anything to another one."""
    info = connection.info
    try:
        psycopg.connect(
            info.dsn, password=info.password or None, connect_timeout=_PROBE_SECONDS
        ).close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except (psycopg.Error, OSError):
        # It refuses, which is an answer.
        return True
    return True
