"""Senders, a program that enqueues, and what befalls them and their server."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psycopg

from iprog_async import JournalError, Message
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async.outbox import enqueue_sync
from support.kill.gateway import CountingGateway
from support.outbox import child as child_module
from support.outbox.connections import plain
from support.postgres.server import PostgresServer
from support.waiting import LONG


SENDERS = 3
CONCURRENCY = 10
LEASE = 0.8


class Program:
    """Enqueues texts in its own transactions, some of which it rolls back, in a thread.

    Args:
        address: The journal.
        count: How many texts are to be sent.
        draw: What draws the sizes of transactions.
    """

    def __init__(self, address: str, count: int, draw: random.Random) -> None:
        self.committed = [
            Message(f"+63917{n:07d}", f"Text {n}", key=f"order-{n}") for n in range(count)
        ]
        self._address = plain(address)
        self._schema = PostgresAddress.parse(address).schema
        self._draw = draw
        self._thread = threading.Thread(target=self._run)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the last commit."""
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            rest = list(self.committed)
            while rest:
                size = self._draw.randint(1, 8)
                self._transact(rest[:size], undone=self._draw.random() < 0.2)
                del rest[:size]
        except BaseException as exc:
            self.failure = exc

    def _transact(self, messages: list[Message], *, undone: bool) -> None:
        """Commit some texts; a transaction of which nobody knows whether it was is run again."""
        until = time.monotonic() + LONG
        while True:
            try:
                with psycopg.connect(self._address) as connection:
                    self._enqueue(connection, messages, undone=undone)
                    # Said aloud: leaving the block of a lost connection is no error.
                    connection.commit()
            except (psycopg.Error, JournalError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.02)
            else:
                return

    def _enqueue(
        self, connection: psycopg.Connection, messages: list[Message], *, undone: bool
    ) -> None:
        never = Message(messages[0].to, "Never", key="never")
        if undone:
            enqueue_sync(never, connection=connection, schema=self._schema)
            connection.rollback()
        for message in messages:
            enqueue_sync(message, connection=connection, schema=self._schema)
        if undone:
            with suppress(ZeroDivisionError), connection.transaction():
                enqueue_sync(never, connection=connection, schema=self._schema)
                raise ZeroDivisionError


class Chaos:
    """Senders at work, until something befalls them.

    Args:
        server: The server of the journal.
        address: The journal.
        gateway: What counts the texts.
    """

    def __init__(self, server: PostgresServer, address: str, gateway: CountingGateway) -> None:
        self._server = server
        self._address = address
        self._gateway = gateway
        self._senders = [self._start() for _ in range(SENDERS)]
        self.incidents: dict[str, Callable[[int], None]] = {
            "killed": self.kill,
            "stopped": self.stop_and_go_on,
            "cut off": self.terminate,
            "crashed": self.crash,
        }

    def _start(self) -> subprocess.Popen[str]:
        arguments = [self._address, self._gateway.base_url, str(CONCURRENCY), str(LEASE)]
        command = [sys.executable, child_module.__file__, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours

    def kill(self, place: int) -> None:
        """Kill one sender, and start another."""
        self._senders[place].kill()
        self._senders[place].communicate()
        self._senders[place] = self._start()

    def stop_and_go_on(self, place: int) -> None:
        """Stop one sender for longer than any lease, and let it go on."""
        sender = self._senders[place]
        sender.send_signal(signal.SIGSTOP)
        time.sleep(2 * LEASE)
        sender.send_signal(signal.SIGCONT)

    def terminate(self, _: int) -> None:
        """End all connections, the program's own too."""
        with psycopg.connect(plain(self._address), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )

    def crash(self, _: int) -> None:
        """Crash the server, and start it again."""
        self._server.crash()
        self._server.start()

    def end(self) -> list[int]:
        """Ask all senders to stop, and return their exit codes."""
        for sender in self._senders:
            assert sender.stdout is not None
            # Before that a signal kills it.
            assert "ready\n" == sender.stdout.readline()
            sender.terminate()
        for sender in self._senders:
            sender.communicate(timeout=LONG)
        return [sender.returncode for sender in self._senders]

    def abandon(self) -> None:
        """Let nothing go on after a test that failed."""
        for sender in self._senders:
            if sender.poll() is None:
                sender.kill()
                sender.communicate()


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for something that is sure to happen."""
    until = time.monotonic() + LONG
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.005)
