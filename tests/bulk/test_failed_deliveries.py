"""Texts that a gateway accepts and reports as failed in the same answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.core.fakes import NUMBER, FakeProvider, Sending, to_many
from support.journal.journaling import run_over

from iprog_async import (
    Accepted,
    ConfigurationError,
    Counts,
    DeliveryFailedError,
    DeliveryState,
    DeliveryStatus,
    Failover,
    Journal,
    Outcome,
    RunHaltedError,
    SmsClient,
)
from iprog_async.adapter import Batching, PreparedMessage, accepted


def reporting(*states: DeliveryState) -> Sending:
    """Return what accepts each message with the status of its turn, the last one ever after."""

    async def accept(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        turns = [min(prepared.index, len(states) - 1) for prepared in batch]
        return [
            accepted(prepared, "fake", message_id="x", status=DeliveryStatus(states[turn], "word"))
            for prepared, turn in zip(batch, turns, strict=True)
        ]

    return accept


async def test_they_are_counted() -> None:
    """A text that failed is accepted, and counted as failed beside that; nobody is texted twice."""
    provider = FakeProvider(send=reporting("failed", "pending", "sent", "failed", "delivered"))
    async with SmsClient(provider).send_many(to_many(5)) as run:
        failed = [
            outcome.index async for outcome in run if outcome.state == "accepted" and outcome.failed
        ]

    assert [0, 3] == sorted(failed)
    assert Counts(accepted=5, failed=2) == run.counts
    assert (5, 5) == (run.counts.total, sum(map(len, provider.sent)))


async def test_they_are_counted_again_on_resuming(tmp_path: Path) -> None:
    """A resumed run has the receipts with their status, and counts as the first did."""
    provider = FakeProvider(send=reporting("failed", "sent"))
    for resumed in (0, 3):
        async with SmsClient(provider).send_many(to_many(3), journal=tmp_path / "j.db") as run:
            outcomes = sorted([outcome async for outcome in run], key=lambda one: one.index)
        assert Counts(accepted=3, failed=1, resumed=resumed) == run.counts
        states = [one.receipt.status.state for one in outcomes if isinstance(one, Accepted)]
        assert ["failed", "sent", "sent"] == states
    assert 3 == sum(map(len, provider.sent))


async def test_they_are_sent_nowhere_else() -> None:
    """What one gateway took and reports as failed is paid for; the next one is not asked."""
    first, second = FakeProvider(send=reporting("failed"), name="a"), FakeProvider(name="b")
    client = SmsClient(Failover(first, second))
    outcomes = await run_over(client, to_many(3))
    receipt = await client.send(NUMBER, "Hi")

    assert [True] * 3 == [isinstance(one, Accepted) and one.failed for one in outcomes]
    assert ("failed", []) == (receipt.status.state, second.sent)


@pytest.mark.parametrize(
    ("states", "people", "warns"),
    [
        (("failed",), 19, False),
        (("failed",), 20, True),
        (("failed",), 60, True),
        (("sent", "failed"), 60, False),
        (("failed",) * 19 + ("pending", "failed"), 60, False),
    ],
)
async def test_a_run_whose_first_twenty_fail_warns(
    states: tuple[DeliveryState, ...], people: int, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """If all of the first twenty fail the log has one warning; all are sent all the same."""
    client = SmsClient(FakeProvider(send=reporting(*states)))
    with caplog.at_level(logging.WARNING, "iprog_async"):
        async with client.send_many(to_many(people), concurrency=1) as run:
            await run.drain()

    assert people == run.counts.accepted
    assert warns == (run.failing is not None) == (len(caplog.records) == 1)
    assert ("reports each of them as failed (word)" in caplog.text) == warns


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(
    ("states", "sent"),
    [
        (("failed",), 3),
        (("failed", "sent", "failed"), 5),
        (("failed", "failed", "sent", "failed", "failed", "pending"), None),
    ],
)
@pytest.mark.usefixtures("whole_batches")
async def test_a_run_halts_after_so_many_in_a_row(
    states: tuple[DeliveryState, ...], sent: int | None, batch: int
) -> None:
    """It halts once so many failed one after another, and what is left is certainly not sent."""
    people = 40
    provider = FakeProvider(send=reporting(*states), limits=Batching(max_batch=batch))
    client = SmsClient(provider)
    async with client.send_many(
        to_many(people), concurrency=1, halt_after_failed=3, halt_after_unknown=1
    ) as run:
        if sent is None:
            await run.drain()
        else:
            with pytest.raises(RunHaltedError, match="each of them as failed") as caught:
                await run.drain()
            assert isinstance(caught.value.cause, DeliveryFailedError)
            assert 3 <= caught.value.cause.count
            assert caught.value.cause.blame == "account"
    reached = people if sent is None else -(-sent // batch) * batch
    assert (reached, people - reached) == (run.counts.accepted, run.counts.not_sent)
    assert reached == sum(map(len, provider.sent))


def test_the_bound_starts_at_one() -> None:
    """A bound that would stop every run is a mistake."""
    with pytest.raises(ConfigurationError, match="halt_after_failed starts at 1"):
        SmsClient(FakeProvider()).send_many([], halt_after_failed=0)


async def test_a_keyed_send_has_its_status_again(tmp_path: Path) -> None:
    """The second send with a key returns the receipt that says failed."""
    with Journal.open(tmp_path / "j.db") as journal:
        client = SmsClient(FakeProvider(send=reporting("failed")), journal=journal)
        receipts = [await client.send(NUMBER, "Hi", key="a") for _ in range(2)]
    assert ["failed", "failed"] == [receipt.status.state for receipt in receipts]
