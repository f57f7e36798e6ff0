from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.core.fakes import LATER, FakeProvider, accept, lose, refusing, to_many

from iprog_async import (
    Accepted,
    AuthenticationError,
    BulkRun,
    ConfigurationError,
    DuplicateMessageError,
    InvalidMessageError,
    Message,
    NotSent,
    Outcome,
    RunHaltedError,
    SmsClient,
    Unknown,
)
from iprog_async.adapter import Batching, PreparedMessage, accepted, failed, rejected, unclear


@asynccontextmanager
async def running(
    provider: FakeProvider, messages: Any, max_connections: int = 100, **settings: Any
) -> AsyncGenerator[BulkRun, None]:
    """Run over messages with a client of its own."""
    async with (
        SmsClient(provider, max_connections=max_connections) as client,
        client.send_many(messages, **settings) as run,
    ):
        yield run


async def read(run: BulkRun, outcomes: list[Outcome]) -> None:
    """Collect the outcomes of a run that ends in an error."""
    async for outcome in run:
        outcomes.append(outcome)


async def run_all(
    provider: FakeProvider, messages: Any, **settings: Any
) -> tuple[list[Outcome], BulkRun]:
    """Send messages and return the outcomes, by index, with the run."""
    outcomes: list[Outcome] = []
    async with running(provider, messages, **settings) as run:
        await read(run, outcomes)
    return sorted(outcomes, key=lambda outcome: outcome.index), run


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


def blaming(bad: str) -> Any:
    """Return what refuses every batch that one number is in."""

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if any(prepared.e164 == bad for prepared in batch):
            return await refusing(blame="recipient")(batch)
        return await accept(batch)

    return send


@pytest.mark.usefixtures("whole_batches")
async def test_batch_refused_for_one_recipient_is_halved_down_to_that_one() -> None:
    """One bad number costs nobody else their text."""
    provider = FakeProvider(limits=Batching(max_batch=8), send=blaming("+639170000005"))

    outcomes, run = await run_all(provider, to_many(8))

    assert [5] == [outcome.index for outcome in outcomes if outcome.state == "not_sent"]
    assert 7 == run.counts.accepted
    assert [8, 4, 4, 2, 1, 1, 2] == [len(batch) for batch in provider.sent]


@pytest.mark.usefixtures("whole_batches")
async def test_recipients_refused_one_by_one_are_not_asked_again() -> None:
    """Where the gateway judged each recipient by itself, halving could tell nothing new."""

    async def refuse_each(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return [rejected(prepared, "fake", "no") for prepared in batch]

    provider = FakeProvider(limits=Batching(max_batch=8), send=refuse_each)

    _, run = await run_all(provider, to_many(8))

    assert (8, 1) == (run.counts.not_sent, len(provider.sent))


@pytest.mark.usefixtures("whole_batches")
async def test_unknown_outcome_stops_the_halving() -> None:
    """What was not asked again keeps its certain refusal."""
    script = iter([refusing(blame="recipient"), lose])

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return await next(script)(batch)

    provider = FakeProvider(limits=Batching(max_batch=8), send=send)

    outcomes, _ = await run_all(provider, to_many(8))

    assert ["unknown"] * 4 + ["not_sent"] * 4 == [outcome.state for outcome in outcomes]
    assert [8, 4] == [len(batch) for batch in provider.sent]


@pytest.mark.usefixtures("whole_batches")
async def test_refusal_of_the_account_stops_the_halving_and_the_run() -> None:
    """Credit that runs out in one half is not tried again in the other."""
    script = iter([refusing(blame="recipient"), refusing(blame="account")])

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        return await next(script)(batch)

    provider = FakeProvider(limits=Batching(max_batch=8), send=send)

    async with running(provider, to_many(8)) as run:
        with pytest.raises(RunHaltedError):
            await run.drain()

    assert 8 == run.counts.not_sent
    assert [8, 4] == [len(batch) for batch in provider.sent]


async def broke(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Refuse the account."""
    error = AuthenticationError("wrong token", provider="fake")
    return [failed(prepared, error) for prepared in batch]


async def test_refusal_of_the_account_halts_the_run() -> None:
    """What was read, one window ahead, comes back as not sent; the rest stays unread."""
    pulled = 0

    def many() -> Iterator[Message]:
        nonlocal pulled
        for message in to_many(10_000):
            pulled += 1
            yield message

    provider = FakeProvider(send=broke)
    outcomes: list[Outcome] = []

    async with running(provider, many(), concurrency=1, window=50) as run:
        with pytest.raises(RunHaltedError, match="wrong token") as caught:
            await read(run, outcomes)

    assert isinstance(caught.value.cause, AuthenticationError)
    assert caught.value.cause is run.halted
    assert 1 == len(provider.sent)
    assert pulled == len(outcomes) == run.counts.not_sent == 2 * 50
    rest = [outcome.error for outcome in outcomes[1:] if isinstance(outcome, NotSent)]
    assert {RunHaltedError} == {type(error) for error in rest}


@pytest.mark.parametrize(("in_a_row", "halts"), [(20, True), (19, False)])
async def test_unknowns_in_a_row_halt_the_run(in_a_row: int, halts: bool) -> None:
    """Twenty lost answers with nothing in between are enough; one answer starts the count anew."""
    sent = 0

    async def send(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        nonlocal sent
        sent += 1
        return await (accept if sent % (in_a_row + 1) == 0 else lose)(batch)

    async with running(FakeProvider(send=send), to_many(100), concurrency=1) as run:
        with suppress(RunHaltedError):
            await run.drain()

    assert halts == (run.halted is not None)
    assert (20 if halts else 100) == sent


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


async def test_leaving_the_loop_stops_the_sending() -> None:
    """`break` is enough: nothing goes on in the background."""
    provider = FakeProvider()

    async with running(provider, to_many(1000), concurrency=2) as run:
        async for _ in run:
            break
    sent = len(provider.sent)
    await asyncio.sleep(0.01)

    assert sent == len(provider.sent) < 1000


async def test_stop_lets_what_is_under_way_end() -> None:
    """After `stop()` nothing more is sent, and every text that was has its outcome."""
    three, release = asyncio.Event(), asyncio.Event()

    async def wait(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
        if len(provider.sent) == 3:
            three.set()
        await release.wait()
        return await accept(batch)

    provider = FakeProvider(send=wait)
    async with running(provider, to_many(100), concurrency=3) as run:
        reading = asyncio.create_task(run.drain())
        await three.wait()
        run.stop()
        release.set()
        counts = await reading

    assert 3 == counts.accepted == counts.total == len(provider.sent)


async def never(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Wait for ever."""
    await asyncio.Event().wait()
    raise AssertionError


async def one_then_silence(halted: asyncio.Event) -> AsyncIterator[Message]:
    """Yield one message and then nothing, as a queue of work does."""
    yield to_many(1)[0]
    halted.set()
    await asyncio.Event().wait()


async def test_stop_does_not_wait_for_a_silent_source() -> None:
    """A run over a queue of work ends when told, though the queue says nothing."""
    silent = asyncio.Event()
    async with running(FakeProvider(), one_then_silence(silent), linger=0.001) as run:
        await anext(run)
        await silent.wait()
        run.stop()
        counts = await asyncio.wait_for(run.drain(), 200)

    assert 1 == counts.accepted


async def test_halt_does_not_wait_for_a_silent_source() -> None:
    """A run that halts itself ends, though its source would go on some day."""
    source = one_then_silence(asyncio.Event())
    async with running(FakeProvider(send=broke), source, linger=0.001) as run:
        with pytest.raises(RunHaltedError):
            await asyncio.wait_for(run.drain(), 200)

    assert 1 == run.counts.not_sent


async def test_closing_ends_a_reader_in_another_task() -> None:
    """Whoever waits for outcomes when the run is closed elsewhere is not left waiting."""
    async with running(FakeProvider(send=never), to_many(3)) as run:
        reading = asyncio.create_task(run.drain())
        await asyncio.sleep(0.001)
        await run.aclose()
        counts = await asyncio.wait_for(reading, 200)
        await run.aclose()

    assert 0 == counts.total


@pytest.mark.parametrize("messages", ["plain", "async"])
async def test_error_of_the_source_comes_after_the_outcomes(messages: str) -> None:
    """What was read before the source failed is sent and told; then its own error comes."""

    def plain() -> Iterator[Message]:
        yield from to_many(30)
        raise OSError("the file is gone")

    async def asynchronous() -> AsyncIterator[Message]:
        for message in plain():
            yield message

    source = plain() if messages == "plain" else asynchronous()
    outcomes: list[Outcome] = []
    async with running(FakeProvider(), source) as run:
        with pytest.raises(OSError, match="gone"):
            await read(run, outcomes)

        with pytest.raises(StopAsyncIteration):
            await anext(run)

    assert ["accepted"] * 30 == [outcome.state for outcome in outcomes]


async def test_slow_reader_holds_the_sending_back() -> None:
    """Nobody reads, so soon nothing more is sent, and no connection slot is held meanwhile."""
    provider = FakeProvider()
    settings = {"max_connections": 1, "concurrency": 2, "window": 10}
    async with running(provider, to_many(1000), **settings) as run:
        for _ in range(200):
            await asyncio.sleep(0)
        held_back = len(provider.sent)
        counts = await run.drain()

    assert held_back <= 2 + 2 + 1
    assert 1000 == counts.accepted


async def test_source_is_read_only_as_far_as_needed() -> None:
    """The look-ahead is one window, whatever the length of the source."""
    pulled = 0

    def endless() -> Iterator[Message]:
        nonlocal pulled
        while True:
            pulled += 1
            yield Message("0917 123 4567", "Hi", key=str(pulled))

    async with running(FakeProvider(), endless(), concurrency=2, window=20) as run:
        async for outcome in run:
            if outcome.index >= 100:
                break

    assert pulled <= 160


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


async def crash(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Fail as a bug would."""
    raise KeyError("bug")


async def forget(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Return too few outcomes."""
    return (await accept(batch))[1:]


async def mix_up(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Return the outcomes in another order."""
    return list(reversed(await accept(batch)))


async def babble(batch: Sequence[PreparedMessage]) -> Any:
    """Return what are no outcomes."""
    return [None] * len(batch)


async def nothing(batch: Sequence[PreparedMessage]) -> Any:
    """Return nothing at all."""


@pytest.mark.parametrize("send", [crash, forget, mix_up, babble, nothing])
@pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("whole_batches")
async def test_adapter_with_a_bug_makes_unknowns(send: Any) -> None:
    """Nobody knows how far a broken adapter got, so nothing is called sent or not sent."""
    outcomes, run = await run_all(FakeProvider(limits=Batching(max_batch=3), send=send), to_many(3))

    assert ["unknown"] * 3 == [outcome.state for outcome in outcomes]
    assert 3 == run.counts.unknown


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
