"""What an earlier sending may have sent stays unknown, whatever becomes of it the second time."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.journal.journaling import run_over, states_in

from iprog_async import (
    AuthenticationError,
    ConnectionFailedError,
    Journal,
    Message,
    NotSent,
    OutcomeUnknownError,
    Outgoing,
    Refuse,
    RejectedError,
    SmsClient,
)
from iprog_async._journal.ledger import Ledger
from iprog_async.testing import SmsOutbox


NUMBER, OTHER = "+639171234567", "+639181234567"
OVER = datetime.now(UTC) - timedelta(hours=1)


def _stopped(_: Outgoing) -> Refuse:
    return Refuse("STOP")


WAYS: dict[str, dict[str, Any]] = {
    "refused by the gateway": {"refusal": RejectedError},
    "unreachable": {"refusal": ConnectionFailedError},
    "refused by a policy": {"policies": [_stopped]},
    "too late": {"not_after": OVER},
}


@asynccontextmanager
async def resuming(
    path: Path, gateway: SmsOutbox, refusal: Any = None, **settings: Any
) -> AsyncGenerator[SmsClient[Any]]:
    """Give a client that sends again what is unknown, and is refused."""
    if refusal is not None:
        gateway.refuse(refusal, times=10)
    with Journal.open(path, resend_unknown=True) as journal:
        async with SmsClient(gateway.provider, journal=journal, **settings) as client:
            yield client


@pytest.mark.parametrize("way", WAYS)
async def test_single_send_stays_unknown(tmp_path: Path, way: str) -> None:
    """The error says that it may have been sent, as the journal does."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    settings = dict(WAYS[way])
    end = settings.pop("not_after", None)
    gateway.lose(times=1)
    with Journal.open(path) as journal:
        async with SmsClient(gateway.provider, journal=journal) as client:
            with pytest.raises(OutcomeUnknownError):
                await client.send(NUMBER, "Hi", key="a")

    async with resuming(path, gateway, **settings) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi", key="a", not_after=end)

    assert "the first time" in str(caught.value)
    assert ["unknown"] == states_in(path)


@pytest.mark.parametrize("way", WAYS)
async def test_row_of_a_run_stays_unknown(tmp_path: Path, way: str) -> None:
    """Outcomes and counts of the run that sends again are those of the journal."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    settings = dict(WAYS[way])
    end = settings.pop("not_after", None)
    gateway.lose(times=1)
    with Journal.open(path) as journal:
        async with SmsClient(gateway.provider) as client:
            first = client.send_many([Message(NUMBER, "Hi")], journal=journal)
            async with first as run:
                assert 1 == (await run.drain()).unknown

    async with (
        resuming(path, gateway, **settings) as client,
        client.send_many([Message(NUMBER, "Hi")], not_after=end) as run,
    ):
        outcomes = [outcome async for outcome in run]

    assert ["unknown"] == [outcome.state for outcome in outcomes]
    assert (0, 1) == (run.counts.not_sent, run.counts.unknown)
    assert ["unknown"] == states_in(path)


async def lose_in_a_run(path: Path, gateway: SmsOutbox, *messages: Message) -> None:
    """Leave the texts of a run unknown."""
    gateway.lose(times=len(messages))
    async with (
        SmsClient(gateway.provider) as client,
        client.send_many(messages, journal=path) as run,
    ):
        assert len(messages) == (await run.drain()).unknown


async def test_only_what_may_be_out_stays_unknown(tmp_path: Path) -> None:
    """Of texts that are refused together, each keeps its own outcome, and is counted by it."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    await lose_in_a_run(path, gateway, Message(NUMBER, "Hi"))
    messages = [Message(OTHER, "Hi"), Message(NUMBER, "Hi")]

    async with (
        resuming(path, gateway, RejectedError) as client,
        client.send_many(messages) as run,
    ):
        states = {outcome.index: outcome.state async for outcome in run}

    assert {0: "not_sent", 1: "unknown"} == states
    assert (1, 1) == (run.counts.not_sent, run.counts.unknown)


async def test_what_a_halted_run_gives_up_stays_unknown(tmp_path: Path) -> None:
    """A row whose turn does not come again was still sent before, or not."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    await lose_in_a_run(path, gateway, Message(NUMBER, "Hi"))
    messages = [Message(OTHER, "Hello"), Message(NUMBER, "Hi")]

    async with resuming(path, gateway, AuthenticationError) as client:
        outcomes = await run_over(client, messages, concurrency=1)

    assert ["not_sent", "unknown"] == [outcome.state for outcome in outcomes]


async def test_asking_what_is_told_changes_nothing(tmp_path: Path) -> None:
    """The answer is the same until the outcome is on record; then nothing is kept of it."""
    path, gateway = tmp_path / "j.db", SmsOutbox()
    await lose_in_a_run(path, gateway, Message(NUMBER, "Hi"))
    batch = [gateway.provider.prepare(Message(NUMBER, "Hi"), 0)]
    refused = [NotSent(0, batch[0].message, RejectedError("no", provider="outbox"))]

    def asked(ledger: Ledger) -> tuple[list[str], int]:
        told, still_unknown = ledger.told(refused)
        return [outcome.state for outcome in told], still_unknown

    with Journal.open(path, resend_unknown=True) as journal:
        ledger = await Ledger.of_run(journal)
        to_send, _ = await ledger.admit(batch)
        assert batch == to_send
        assert [(["unknown"], 1)] * 2 == [asked(ledger), asked(ledger)]
        ledger.claim(batch)
        assert await ledger.record(batch, refused) is None
        assert (["not_sent"], 0) == asked(ledger)
        ledger.end()
