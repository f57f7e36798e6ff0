"""A journal of some texts, seen from outside while they are on their way."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from iprog_async import Message, Outcome
from iprog_async._journal.journal import Journal
from iprog_async._journal.ledger import Ledger
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.submit import submit
from iprog_async.testing import InstantClock
from support.outbox.looking import until


def states_in(path: Path) -> dict[str, str]:
    """Return the state of each number's row as another process would find it after a kill."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows: Sequence[tuple[str | int, str]]
        rows = connection.execute("SELECT number, state FROM entries").fetchall()
    return {f"+{str(number).removeprefix('+')}": state for number, state in rows}


class WatchingClock(InstantClock):
    """A router's clock that looks at the journal each time the router waits.

    Args:
        path: The journal's file.
        expected: The states that it waits for: releases are written in the background.
    """

    def __init__(self, path: Path, expected: set[str]) -> None:
        super().__init__()
        self.seen: list[dict[str, str]] = []
        self._path = path
        self._expected = expected

    async def sleep(self, seconds: float) -> None:
        """Look, once the file is as expected."""
        await until(lambda: set(states_in(self._path).values()) == self._expected)
        self.seen.append(states_in(self._path))


async def submit_one_batch(
    provider: SmsProvider, journal: Journal, numbers: Sequence[str]
) -> Sequence[Outcome]:
    """Send one text to some numbers in one batch, whatever the provider's limit is."""
    ledger = Ledger(journal)
    messages = [Message(number, "Hi") for number in numbers]
    prepared = [provider.prepare(message, index) for index, message in enumerate(messages)]
    batch, _ = await ledger.admit(prepared)
    outcomes = await submit(provider, batch, ledger.claim(batch))
    await ledger.record(batch, outcomes)
    return outcomes
