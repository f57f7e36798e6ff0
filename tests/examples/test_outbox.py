"""The examples of the outbox do what they say, with a real database and a sender of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest
from support.waiting import LONG

from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.migrations import migrate
from iprog_async.sandbox import Sandbox


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="SIGTERM is a signal of POSIX systems"),
]

FOLDER = Path(__file__).parents[2] / "examples" / "outbox"
PROGRAMS = sorted(path.name for path in FOLDER.glob("with_*.py"))


@pytest.fixture
def database(own_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a database with a journal, which the programs find in their environment."""
    migrate(PostgresAddress.parse(own_database))
    monkeypatch.setenv("DATABASE_URL", own_database)
    return own_database


def _place(python: Path, program: str, order: int, phone: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), str(FOLDER / program), str(order), phone]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONG)  # noqa: S603 - ours


def _until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG
    while not happened():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)


@pytest.mark.timeout(300)
def test_order_and_text_are_stored_together(
    database: str, sandbox: Sandbox, programs: Path
) -> None:
    """A committed order is told of, once; what failed left neither an order nor a text."""
    place = partial(_place, programs / "python")
    command = [sys.executable, str(FOLDER / "sender.py")]
    sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
    try:
        assert sender.stdout is not None
        assert "sending\n" == sender.stdout.readline()
        placed = [place(program, order, "0917 123 4567") for order, program in enumerate(PROGRAMS)]
        failed = [
            place(program, order, "12") for order, program in enumerate(PROGRAMS, len(PROGRAMS))
        ]
        _until(lambda: len(sandbox.inbox) == len(PROGRAMS))
        sender.send_signal(signal.SIGTERM)
        sender.communicate(timeout=LONG)
    finally:
        sender.kill()
        sender.communicate()
    with psycopg.connect(database) as connection:
        orders = connection.execute("SELECT id FROM orders ORDER BY id").fetchall()

    assert [(0, "")] * 5 == [(done.returncode, done.stderr) for done in placed]
    assert [(1, True)] * 5 == [
        (done.returncode, "phone number '12'" in done.stderr) for done in failed
    ]
    assert [(order,) for order in range(5)] == orders
    assert {f"Order {order} is on its way." for order in range(5)} == {
        text.text for text in sandbox.inbox
    }
    assert (5, 0) == (len(sandbox.inbox), sender.returncode)
