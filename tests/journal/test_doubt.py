"""What an earlier sending may have sent stays unknown, whatever becomes of it the second time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from support.journal.journaling import run_over, states_in

from iprog_async import (
    AuthenticationError,
    ConnectionFailedError,
    Journal,
    Message,
    NotSent,
    OutcomeUnknownError,
    Outgoing,
    ProviderError,
    Refuse,
    RejectedError,
    SmsClient,
)
from iprog_async._journal.ledger import Ledger
from iprog_async.testing import SmsOutbox


NUMBER, OTHER = "+639171234567", "+639181234567"
TEXT = Message(NUMBER, "Hi")


def _stopped(_: Outgoing) -> Refuse:
    return Refuse("STOP")


@frozen
class Way:
    """What becomes of a text that is sent again.

    Args:
        refusal: What the gateway says to it, if it is asked.
        policies: The client's.
        not_after: By when it has to leave.
    """

    refusal: type[ConnectionFailedError | ProviderError] | None = None
    policies: Sequence[Callable[[Outgoing], Refuse]] = ()
    not_after: datetime | None = None


WAYS = {
    "refused by the gateway": Way(RejectedError),
    "unreachable": Way(ConnectionFailedError),
    "refused by a policy": Way(policies=[_stopped]),
    "too late": Way(not_after=datetime.now(UTC) - timedelta(hours=1)),
}


async def left_unknown(path: Path, key: str | None = None) -> SmsOutbox:
    """Leave a text unknown in a journal; return the gateway, which has it.

    Args:
        path: Where the journal is made.
        key: That of a single send; without one the text is a row of a run.
    """
    gateway = SmsOutbox()
    gateway.lose(times=1)
    with Journal.open(path) as journal:
        async with SmsClient(gateway.provider, journal=journal) as client:
            if key is None:
                (outcome,) = await run_over(client, [TEXT])
                assert "unknown" == outcome.state
            else:
                with pytest.raises(OutcomeUnknownError):
                    await client.send(NUMBER, "Hi", key=key)
    return gateway


@asynccontextmanager
async def resuming(path: Path, gateway: SmsOutbox, way: Way) -> AsyncGenerator[SmsClient[Any]]:
    """Give a client that sends again what is unknown, and is refused."""
    if way.refusal is not None:
        gateway.refuse(way.refusal, times=10)
    with Journal.open(path, resend_unknown=True) as journal:
        async with SmsClient(gateway.provider, journal=journal, policies=way.policies) as client:
            yield client


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_single_send_stays_unknown(tmp_path: Path, way: Way) -> None:
    """The error says that it may have been sent, as the journal does."""
    path = tmp_path / "j.db"
    gateway = await left_unknown(path, key="a")

    async with resuming(path, gateway, way) as client:
        with pytest.raises(OutcomeUnknownError) as caught:
            await client.send(NUMBER, "Hi", key="a", not_after=way.not_after)

    assert "the first time" in str(caught.value)
    assert ["unknown"] == states_in(path)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
async def test_row_of_a_run_stays_unknown(tmp_path: Path, way: Way) -> None:
    """Outcomes and counts of the run that sends again are those of the journal."""
    path = tmp_path / "j.db"
    gateway = await left_unknown(path)

    async with (
        resuming(path, gateway, way) as client,
        client.send_many([TEXT], not_after=way.not_after) as run,
    ):
        outcomes = [outcome async for outcome in run]

    assert ["unknown"] == [outcome.state for outcome in outcomes]
    assert (0, 1) == (run.counts.not_sent, run.counts.unknown)
    assert ["unknown"] == states_in(path)


async def test_only_what_may_be_out_stays_unknown(tmp_path: Path) -> None:
    """Of texts that are refused together, each keeps its own outcome, and is counted by it."""
    path = tmp_path / "j.db"
    gateway = await left_unknown(path)
    messages = [Message(OTHER, "Hi"), TEXT]

    async with (
        resuming(path, gateway, Way(RejectedError)) as client,
        client.send_many(messages) as run,
    ):
        states = {outcome.index: outcome.state async for outcome in run}

    assert {0: "not_sent", 1: "unknown"} == states
    assert (1, 1) == (run.counts.not_sent, run.counts.unknown)


async def test_what_a_halted_run_gives_up_stays_unknown(tmp_path: Path) -> None:
    """A row whose turn does not come again was still sent before, or not."""
    path = tmp_path / "j.db"
    gateway = await left_unknown(path)
    messages = [Message(OTHER, "Hello"), TEXT]

    async with resuming(path, gateway, Way(AuthenticationError)) as client:
        outcomes = await run_over(client, messages, concurrency=1)

    assert ["not_sent", "unknown"] == [outcome.state for outcome in outcomes]


async def test_asking_what_is_told_changes_nothing(tmp_path: Path) -> None:
    """The answer is the same until the outcome is on record; then nothing is kept of it."""
    path = tmp_path / "j.db"
    gateway = await left_unknown(path)
    batch = [gateway.provider.prepare(TEXT, 0)]
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
