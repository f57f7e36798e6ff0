"""Every message of a run comes to one outcome, with whoever travels with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.bulk.runs import run_all, running
from support.core.fakes import LATER, FakeProvider, to_many

from iprog_async import (
    Accepted,
    ConfigurationError,
    DuplicateMessageError,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    SmsClient,
    Unknown,
)
from iprog_async.adapter import Batching, PreparedMessage, accepted, rejected, unclear


async def test_every_message_comes_to_one_outcome() -> None:
    """Bad rows and duplicates are outcomes like any other, and all are counted."""
    messages = [
        *to_many(5),
        Message("nobody", "Hi"),
        Message("+639170000003", "Hi"),
        Message("+639170000003", "Hi", key="again"),
        Message("+639170000003", "Ho"),
    ]

    outcomes, run = await run_all(FakeProvider(), messages)

    states = ["accepted"] * 5 + ["not_sent"] * 2 + ["accepted"] * 2
    assert states == [outcome.state for outcome in outcomes]
    assert list(range(9)) == [outcome.index for outcome in outcomes]
    assert (7, 2, 0, 9) == (
        run.counts.accepted,
        run.counts.not_sent,
        run.counts.unknown,
        run.counts.total,
    )
    assert isinstance(outcomes[6], NotSent)
    assert isinstance(outcomes[6].error, DuplicateMessageError)
    assert 3 == outcomes[6].error.first_index


@pytest.mark.parametrize(
    "row",
    [
        Message(None, "Hi"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
        Message("+639170000009", "Hi", schedule_at="soon"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
        Message("+639170000009", "Hi", key=["not", "hashable"]),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - a bad row
        ("+639170000009", "Hi"),
        None,
    ],
)
async def test_row_that_holds_anything_harms_no_other(row: Any) -> None:
    """What can't be a message is `InvalidMessageError` for itself alone."""
    outcomes, _ = await run_all(FakeProvider(), [row, *to_many(2)])

    assert ["not_sent", "accepted", "accepted"] == [outcome.state for outcome in outcomes]
    assert isinstance(outcomes[0], NotSent)
    assert isinstance(outcomes[0].error, InvalidMessageError)


@pytest.mark.usefixtures("whole_batches")
async def test_equal_texts_travel_together() -> None:
    """Messages of one text fill requests up to the gateway's limit."""
    provider = FakeProvider(limits=Batching(max_batch=10))

    await run_all(provider, to_many(25))

    assert [5, 10, 10] == sorted(map(len, provider.sent))


async def test_scheduled_messages_wait_for_company_across_windows() -> None:
    """Two scheduled texts in two windows still make one request of two."""
    provider = FakeProvider(limits=Batching(max_batch=2, max_scheduled=100, min_scheduled=2))
    first, second = to_many(2)
    scheduled = [Message(message.to, "Ho", schedule_at=LATER) for message in (first, second)]

    await run_all(provider, [scheduled[0], first, second, scheduled[1]], window=2)

    assert [2] == [len(batch) for batch in provider.sent if batch[0].message.schedule_at]


@pytest.mark.slow
async def test_texts_that_find_no_company_do_not_pile_up() -> None:
    """Scheduled texts that differ each wait only for so long; then they go as they are."""
    provider = FakeProvider(limits=Batching(max_batch=100, max_scheduled=100, min_scheduled=2))
    read = 0

    def source() -> Iterator[Message]:
        nonlocal read
        for message in to_many(18_000):
            read += 1
            yield Message(message.to, f"Hi {message.to}", schedule_at=LATER)

    most = 0
    async with running(provider, source(), concurrency=10) as run:
        async for _ in run:
            most = max(most, read - run.counts.total)

    assert (18_000, [1]) == (run.counts.accepted, sorted({len(batch) for batch in provider.sent}))
    assert most < 15_000


async def test_no_messages_make_an_empty_run() -> None:
    """Nothing to send is not an error."""
    outcomes, run = await run_all(FakeProvider(), [])

    assert ([], 0, None) == (outcomes, run.counts.total, run.halted)


async def test_drain_reads_all_and_returns_the_counts() -> None:
    """Who does not care for single outcomes gets the numbers."""
    async with running(FakeProvider(), to_many(30)) as run:
        counts = await run.drain()

    assert 30 == counts.accepted


async def test_one_text_at_two_times_is_sent_twice() -> None:
    """A reminder for two dates is no duplicate; the same date twice is."""
    monday = datetime(2030, 1, 7, 9, tzinfo=UTC)
    messages = [
        Message("+639171234567", "Pay the rent", schedule_at=when)
        for when in (None, monday, monday + timedelta(days=1), monday)
    ]

    async with running(FakeProvider(), messages) as run:
        outcomes = {outcome.index: outcome async for outcome in run}

    assert ["accepted", "accepted", "accepted", "not_sent"] == [
        outcomes[index].state for index in range(4)
    ]


async def test_run_is_entered_once() -> None:
    """A run can't be started again; its messages may be used up."""
    async with SmsClient(FakeProvider()) as client:
        run = client.send_many(to_many(1))
        async with run:
            await run.drain()
        with pytest.raises(ConfigurationError, match="once"):
            await run.__aenter__()


async def test_closed_run_is_not_entered() -> None:
    """Closing before entering leaves nothing to run."""
    async with SmsClient(FakeProvider()) as client:
        run = client.send_many(to_many(1))
        await run.aclose()
        with pytest.raises(ConfigurationError, match="once"):
            await run.__aenter__()


async def test_run_needs_its_block() -> None:
    """Without `async with`, nobody would stop the sending."""
    async with SmsClient(FakeProvider()) as client:
        with pytest.raises(ConfigurationError, match="async with"):
            await anext(client.send_many(to_many(1)))


@pytest.mark.parametrize(
    "wrong", [{"concurrency": 0}, {"window": 0}, {"halt_after_unknown": 0}, {"linger": -1}]
)
async def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    """A run that could not go forward is not made."""
    async with SmsClient(FakeProvider()) as client:
        with pytest.raises(ConfigurationError):
            client.send_many([], **wrong)


async def test_source_must_be_iterable() -> None:
    """One message is no list of messages."""
    async with SmsClient(FakeProvider()) as client:
        with pytest.raises(TypeError, match="nothing was sent"):
            client.send_many(Message("0917 123 4567", "Hi"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what the test is about


@pytest.mark.usefixtures("whole_batches")
async def test_outcomes_of_a_batch_are_the_adapters_own() -> None:
    """A mixed answer gives each recipient an outcome of its own."""

    async def mixed(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        first, second, third = batch
        return [
            accepted(first, "fake", message_id="1"),
            rejected(second, "fake", "barred"),
            unclear(third, "fake", "not named"),
        ]

    outcomes, _ = await run_all(FakeProvider(limits=Batching(max_batch=3), send=mixed), to_many(3))

    assert [Accepted, NotSent, Unknown] == [type(outcome) for outcome in outcomes]
