"""Scheduled texts in a journal, by the time at which the gateway sends them."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.core.fakes import NUMBER, FakeProvider

from iprog_async import Journal, JournalConflictError, Message, NotSent, SmsClient
from iprog_async._core.messages import PreparedMessage
from iprog_async._journal.ledger import Ledger
from iprog_async.adapter import Capabilities


EIGHT = datetime(2999, 5, 17, 8, 0, tzinfo=UTC)


class ByTheMinute(FakeProvider):
    """A gateway that keeps whole minutes."""

    capabilities = Capabilities(
        title="Minutes", scheduling="native", schedule_step=timedelta(minutes=1)
    )


def later(seconds: float) -> Message:
    """Return a message that is scheduled so many seconds after eight."""
    return Message(NUMBER, "Hi", schedule_at=EIGHT + timedelta(seconds=seconds))


async def run_over(path: Path, message: Message, **settings: Any) -> tuple[int, Any]:
    """Run over one message, and return how many texts went out, and the outcome."""
    provider = ByTheMinute()
    with Journal.open(path, **settings) as journal:
        client = SmsClient(provider, journal=journal)
        async with client, client.send_many([message]) as run:
            outcomes = [outcome async for outcome in run]
    return len(provider.sent), outcomes[0]


def as_older_versions_did(self: Ledger, prepared: PreparedMessage) -> bytes:
    """Hash a message with the time that was asked for, to the microsecond."""
    when = prepared.message.schedule_at
    assert when is not None
    return self._journal.hash(prepared.message.text) + struct.pack("d", when.timestamp())  # pyright: ignore[reportPrivateUsage] - as older versions wrote it


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize(("first", "then"), [(-30, -30), (-30, -7.5), (-59.9, 0), (0, -1), (0, 0)])
async def test_one_minute_is_one_text(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: float,
    then: float,
    changed: bool,
    older: bool,
) -> None:
    """A journal, also one of an older version, knows a text by the minute in which it is sent."""
    path = tmp_path / "june.db"
    with monkeypatch.context() as patched:
        if older:
            patched.setattr(Ledger, "_hash", as_older_versions_did)
        await run_over(path, later(first))

    sent, outcome = await run_over(path, later(then), allow_changed_text=changed)

    assert (0, "accepted") == (sent, outcome.state)


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("then", [0.5, 60, -60, -61])
async def test_another_minute_is_another_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: float, older: bool
) -> None:
    """A text that was put off is not sent to somebody who has it for the earlier time."""
    path = tmp_path / "june.db"
    with monkeypatch.context() as patched:
        if older:
            patched.setattr(Ledger, "_hash", as_older_versions_did)
        await run_over(path, later(0))

    sent, outcome = await run_over(path, later(then))

    assert 0 == sent
    assert isinstance(outcome, NotSent)
    assert isinstance(outcome.error, JournalConflictError)
    assert 1 == (await run_over(path, later(then), allow_changed_text=True))[0]
