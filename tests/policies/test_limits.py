"""How often a number is texted, and what a day may cost."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.core.fakes import NUMBER, FakeProvider, Wire, to_many
from support.journal.journaling import (
    ACCEPTED,
    BROKEN,
    REFUSED,
    PostingProvider,
    posting,
    run_over,
)

from iprog_async import (
    ConfigurationError,
    Journal,
    LimitExceededError,
    Message,
    NotSent,
    OutcomeUnknownError,
    RejectedError,
    RunHaltedError,
    SmsClient,
    SmsError,
)
from iprog_async.adapter import Batching, accepted
from iprog_async.testing import InstantClock


async def tries(client: SmsClient[Any], count: int, **of: Any) -> list[SmsError | None]:
    """Send so many texts to one number; return the errors."""
    errors: list[SmsError | None] = []
    for number in range(count):
        try:
            await client.send(NUMBER, f"Hi {number}", **of)
        except SmsError as exc:
            errors.append(exc)
        else:
            errors.append(None)
    return errors


async def test_a_loop_of_a_thousand_sends_five() -> None:
    """The others are not sent, say so, and when there is room again."""
    provider = FakeProvider()
    async with SmsClient(provider, per_number="5/day") as client:
        errors = await tries(client, 1000)
        await client.send("+639170000000", "Hi")

    refused = errors[5:]
    assert [None] * 5 == errors[:5]
    assert {LimitExceededError} == set(map(type, refused))
    assert 6 == len(provider.sent)
    error = refused[0]
    assert isinstance(error, LimitExceededError)
    assert ("per_number=5/day", True, False) == (
        error.limit,
        error.healable,
        error.may_have_been_sent,
    )
    assert NUMBER not in str(error)


async def test_there_is_room_again_when_the_error_says() -> None:
    """A day after the first of them, and not before."""
    clock = InstantClock()
    wire = Wire(ACCEPTED)
    wire.pool.clock = clock
    async with posting(wire, per_number="2/day") as client:
        *_, last = await tries(client, 3)
        assert isinstance(last, LimitExceededError)
        left = (last.until - clock.now()).total_seconds()
        assert timedelta(days=1).total_seconds() <= left <= 86400 + 300
        clock.advance(left - 1)
        (before,) = await tries(client, 1)
        clock.advance(1)
        (after,) = await tries(client, 1)

    assert isinstance(before, LimitExceededError)
    assert after is None


async def test_equal_texts_have_a_limit_of_their_own() -> None:
    """A click that is repeated sends one; another text goes."""
    provider = FakeProvider()
    async with SmsClient(provider, per_number_same_text="1/10min", per_number="5/day") as client:
        await client.send(NUMBER, "Hi")
        with pytest.raises(LimitExceededError, match="texts of these words"):
            await client.send(NUMBER, "Hi")
        await client.send(NUMBER, "Hi again")

    assert 2 == len(provider.sent)


@pytest.mark.parametrize(
    ("reply", "kind", "sent"),
    [(REFUSED, RejectedError, 5), (BROKEN, OutcomeUnknownError, 2)],
    ids=["not sent", "unknown"],
)
async def test_only_what_certainly_was_not_sent_is_given_back(
    path: Path | str, reply: httpx.Response, kind: type[SmsError], sent: int
) -> None:
    """What may be out counts, since the number may have it."""
    wire = Wire(reply)
    with Journal.open(path) as journal:
        async with posting(wire, journal, per_number="2/day") as client:
            errors = await tries(client, 5)

    assert sent == len(wire.requests) == sum(type(error) is kind for error in errors)


async def test_processes_count_together(path: Path | str) -> None:
    """Two clients with one journal are as one; a third without it counts for itself."""
    wire = Wire(ACCEPTED)
    errors: list[SmsError | None] = []
    with Journal.open(path) as first, Journal.open(path) as second:
        async with (
            posting(wire, first, per_number="3/day") as one,
            posting(wire, second, per_number="3/day") as other,
        ):
            errors += [*await tries(one, 2), *await tries(other, 2)]
    async with posting(wire, per_number="3/day") as alone:
        errors += await tries(alone, 1)

    assert [True, True, True, False, True] == [error is None for error in errors]


async def test_a_repeat_of_a_key_does_not_count(path: Path | str) -> None:
    """It sends nothing, and returns the first receipt."""
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        async with posting(wire, journal, per_number="2/day") as client:
            receipts = [await client.send(NUMBER, "Hi", key="1") for _ in range(5)]
            await client.send(NUMBER, "Hi", key="2")
            with pytest.raises(LimitExceededError):
                await client.send(NUMBER, "Hi", key="3")
            assert receipts[0] == await client.send(NUMBER, "Hi", key="1")

    assert 2 == len(wire.requests)


async def test_what_was_counted_without_a_journal_still_counts_with_one(path: Path | str) -> None:
    """A run with a journal texts nobody who had enough before there was one."""
    provider = FakeProvider(limits=Batching(max_batch=100))
    async with SmsClient(provider, per_number="2/day") as client:
        await client.send(NUMBER, "one")
        with Journal.open(path) as journal:
            messages = [Message(NUMBER, f"Hi {n}") for n in range(3)]
            outcomes = await run_over(client, messages, journal=journal, concurrency=1)
        await client.send("+639180000000", "Hi")
        with pytest.raises(LimitExceededError):
            await client.send(NUMBER, "four")

    assert ["accepted", "not_sent", "not_sent"] == [outcome.state for outcome in outcomes]
    assert 3 == sum(len(batch) for batch in provider.sent)


async def test_rows_of_a_run_count_as_well(path: Path | str) -> None:
    """In batches, too; the journal of the run is where they count."""
    rows = [Message(NUMBER, f"Hi {number}") for number in range(4)]
    wire = Wire(ACCEPTED)
    provider = PostingProvider(limits=Batching(max_batch=100, mixed_texts=True))
    states: list[str] = []
    for _ in range(2):
        async with SmsClient(provider, pool=wire.pool, per_number="3/day") as client:
            outcomes = await run_over(client, [*rows, *to_many(2)], journal=path)
            states += [outcome.state for outcome in outcomes]

    assert (["accepted"] * 3 + ["not_sent"] + ["accepted"] * 2) * 2 == states


async def test_a_day_costs_no_more_than_it_may(path: Path | str) -> None:
    """Segments count, and a run halts, since every further row would meet it."""
    rows = [Message(message.to, 200 * "x") for message in to_many(30)]
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        async with posting(wire, journal, credits_per_day=10) as client:
            outcomes = await run_over(client, rows, concurrency=3)
            with pytest.raises(LimitExceededError, match="10 credits of 24 hours"):
                await client.send(NUMBER, "Hi")

    refused = [outcome.error for outcome in outcomes if isinstance(outcome, NotSent)]
    assert 5 == len(outcomes) - len(refused) == len(wire.requests)
    assert {LimitExceededError, RunHaltedError} == set(map(type, refused))


async def test_what_a_gateway_took_beyond_the_segments_counts() -> None:
    """A header and a footer make three of one."""

    async def dear(batch: Any) -> Any:
        return [
            accepted(prepared, "fake", message_id="1", credits=Decimal(3)) for prepared in batch
        ]

    provider = FakeProvider(send=dear)
    async with SmsClient(provider, credits_per_day=7) as client:
        errors = await tries(client, 5)

    assert [True, True, True, False, False] == [error is None for error in errors]


async def test_many_at_once_are_counted_right() -> None:
    """A hundred tasks at the same moment get five."""
    provider = FakeProvider()
    async with SmsClient(provider, per_number="5/day") as client:
        ended = await asyncio.gather(
            *(client.send(NUMBER, f"Hi {n}") for n in range(100)), return_exceptions=True
        )

    assert 5 == len(provider.sent) == sum(not isinstance(one, Exception) for one in ended)


async def test_where_nothing_can_be_counted_nothing_is_sent(tmp_path: Path) -> None:
    """A store that is broken is the journal's trouble, and halts a run."""
    path = tmp_path / "texts.db"
    wire = Wire(ACCEPTED)
    with Journal.open(path) as journal:
        (tmp_path / "texts.db-counts").write_bytes(b"no database" * 1000)
        async with posting(wire, journal, per_number="5/day") as client:
            (error,) = await tries(client, 1)

    assert [] == wire.requests
    assert "texts can't be counted" in str(error)
    assert "account" == getattr(error, "blame", None)


@pytest.mark.parametrize(
    "limits",
    [
        {"per_number": "5"},
        {"per_number": "0/day"},
        {"per_number": 5},
        {"per_number_same_text": "1/week"},
        {"credits_per_day": 0},
        {"credits_per_day": "2000"},
        {"credits_per_day": True},
    ],
)
def test_limits_that_make_no_sense(limits: dict[str, Any]) -> None:
    """They are refused at once, by their name."""
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        SmsClient(FakeProvider(), **limits)


_CHILD = """
import asyncio, sys
sys.path[:0] = sys.argv[2:]
from support.core.fakes import NUMBER, FakeProvider
from iprog_async import Journal, LimitExceededError, SmsClient

async def main():
    sent = 0
    with Journal.open(sys.argv[1]) as journal:
        async with SmsClient(FakeProvider(), journal=journal, per_number="5/day") as client:
            for number in range(250):
                try:
                    await client.send(NUMBER, f"Hi {number}")
                    sent += 1
                except LimitExceededError:
                    pass
    print(sent)

asyncio.run(main())
"""


@pytest.mark.slow
async def test_four_processes_send_five(path: Path | str) -> None:
    """A loop of a thousand sends in four processes is one loop."""
    Journal.open(path).close()
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _CHILD, str(path), *sys.path, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    told = [await process.communicate() for process in processes]

    assert 5 == sum(int(out) for out, _ in told)
