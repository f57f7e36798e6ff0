"""What calls make of a pause that lasts longer than they wait."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support.core.clock import VirtualClock
from support.core.fakes import NUMBER, TOKEN, Wire, iprog_ok

from iprog_async import (
    Failover,
    HttpPool,
    Journal,
    Message,
    RateLimitError,
    RetryPolicy,
    RunHaltedError,
    SmsClient,
)
from iprog_async_providers.iprog import IprogProvider


def used_up(reset: int, status: int = 200, **headers: str) -> Callable[..., httpx.Response]:
    """Return what answers that no call is left for so many seconds."""
    told = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset), **headers}

    def answer(request: httpx.Request) -> httpx.Response:
        if status == 200:
            return httpx.Response(200, json={"status": 200, "message_id": "1"}, headers=told)
        return httpx.Response(status, headers=told)

    return answer


LIMITED = used_up(40_000, 429)


@pytest.mark.parametrize("default_pause", [0, 0.001, 0.9])
async def test_a_gateway_that_never_says_how_long_is_not_asked_for_ever(
    default_pause: float,
) -> None:
    """Between two tries there is a second at least, and the sum of the pauses ends them."""
    wire = Wire(httpx.Response(429))
    retry = RetryPolicy(default_pause=default_pause, max_pause=5)
    async with wire.client(retry=retry) as client:
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Hi")

    assert [1.0] * 5 == wire.clock.sleeps
    assert 6 == len(wire.requests)


async def test_who_waits_for_nothing_asks_once() -> None:
    """With no pause to wait out, the first answer that asks for one is the last."""
    wire = Wire(httpx.Response(429))
    retry = RetryPolicy(attempts=1, default_pause=0, max_pause=0)
    async with wire.client(retry=retry) as client:
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Hi")

    assert 1 == len(wire.requests)


async def test_a_long_reset_is_told_to_the_calls_behind_it() -> None:
    """No call is left for a day: the next ones are told until when, and nothing leaves."""
    wire = Wire(used_up(86_400))
    async with wire.client() as client:
        await client.send(NUMBER, "Hi")
        for _ in range(2):
            with pytest.raises(RateLimitError, match=r"until 2026-01-02 00:00:00.*Nothing") as told:
                await client.send(NUMBER, "Ho")
            assert not told.value.may_have_been_sent
            assert 86_400 == told.value.retry_after

    assert ([], 1) == (wire.clock.sleeps, len(wire.requests))


async def test_a_reset_that_is_not_too_long_is_waited_for() -> None:
    """What a call may wait for, it waits for, and for a little more, as sharing rounds it."""
    wire = Wire(iprog_ok)
    async with wire.client(retry=RetryPolicy(max_pause=30)) as client:
        wire.pool.pace(IprogProvider(TOKEN).gateway).pause(30.5)
        await client.send(NUMBER, "Ho")

    assert [30.5] == wire.clock.sleeps


@pytest.mark.parametrize(
    "limited",
    [
        LIMITED,
        used_up(40_000, 429, **{"Retry-After": "40000"}),
        used_up(1, 429, **{"Retry-After": "40000"}),
    ],
)
async def test_a_refusal_for_long_is_not_waited_out(
    limited: Callable[..., httpx.Response],
) -> None:
    """Whichever field says that no call is left for hours, nobody waits, and nobody asks again."""
    wire = Wire(limited)
    async with wire.client(retry=RetryPolicy(max_pause=2)) as client:
        for _ in range(2):
            with pytest.raises(RateLimitError) as told:
                await client.send(NUMBER, "Hi")
            assert 40_000 == told.value.retry_after

    assert ([], 1) == (wire.clock.sleeps, len(wire.requests))


async def test_a_retry_after_for_too_long_holds_for_the_calls_behind_it() -> None:
    """Nobody asks again before `max_pause` is over, whoever was told; then one call does."""
    wire = Wire(httpx.Response(429, headers={"Retry-After": "3600"}))
    async with wire.client(retry=RetryPolicy(max_pause=60)) as client:
        told: list[tuple[float | None, int]] = []
        for pause in (0, 20, 39, 1):
            await wire.clock.sleep(pause)
            with pytest.raises(RateLimitError) as limited:
                await client.send(NUMBER, "Hi")
            told.append((limited.value.retry_after, len(wire.requests)))

    assert [(3600, 1), (3580, 1), (3541, 1), (3600, 2)] == told


LITTLE = [
    httpx.Response(429, headers={"Retry-After": "1"}),
    httpx.Response(
        200,
        json={"status": 200, "message_id": "1"},
        headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"},
    ),
]


@pytest.mark.parametrize("little", LITTLE, ids=["a refusal", "no call left"])
@pytest.mark.parametrize("works", [0, 1, 3])
async def test_a_long_pause_is_forgotten_once_the_gateway_works(
    little: httpx.Response, works: int
) -> None:
    """What was told holds until a call that may ask again is answered, with whatever."""
    long = httpx.Response(429, headers={"Retry-After": "3600"})
    wire = Wire(long, *[iprog_ok] * works, little, iprog_ok)
    async with wire.client(retry=RetryPolicy(max_pause=60)) as client:
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Hi")
        await wire.clock.sleep(60)
        for number in range(works + 2):
            await client.send(NUMBER, f"Hi {number}")

    assert [60, 1] == wire.clock.sleeps


async def test_a_router_does_not_stand_behind_who_waits_out_a_pause() -> None:
    """While others wait for a member to go on, a router sends through the next one at once."""
    wire = Wire(iprog_ok)
    clock = VirtualClock()
    first, second = [IprogProvider(f"{TOKEN}-{n}", name=f"iprog-{n}") for n in (1, 2)]
    async with HttpPool(http=wire.http, clock=clock) as pool, SmsClient(first, pool=pool) as plain:
        pool.pace(first.gateway).pause(6)
        waiting = asyncio.create_task(plain.send(NUMBER, "Hi"))
        await clock.settle()
        async with SmsClient(Failover(first, second, clock=clock), pool=pool) as router:
            receipt = await router.send(NUMBER, "Ho")

        assert ("iprog-2", 0) == (receipt.provider, clock.monotonic())
        await clock.pass_time(6)
        assert "iprog-1" == (await waiting).provider


async def test_resets_count_towards_the_longest_sum() -> None:
    """A refusal with a reset in a minute is waited for twice only."""
    wire = Wire(used_up(60, 429))
    async with wire.client(retry=RetryPolicy(default_pause=1)) as client:
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Hi")

    assert [60.0] * 2 == wire.clock.sleeps


async def test_a_refusal_that_says_soon_is_taken_at_its_word_and_not_for_ever() -> None:
    """`Retry-After` goes before a reset, and the sum of its pauses ends the tries."""
    wire = Wire(used_up(40_000, 429, **{"Retry-After": "1"}))
    async with wire.client(retry=RetryPolicy(max_pause=3)) as client:
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Hi")

    assert [1.0] * 3 == wire.clock.sleeps


async def test_calls_in_the_queue_are_told_of_a_long_pause() -> None:
    """Whoever stands in line for a connection is told as soon as the gateway has asked."""
    wire = Wire(used_up(86_400))
    pool = HttpPool(http=wire.http, clock=wire.clock, max_connections=1)
    async with SmsClient(IprogProvider(TOKEN), pool=pool) as client:
        sends = [client.send(NUMBER, f"Hi {n}") for n in range(5)]
        first, *others = await asyncio.gather(*sends, return_exceptions=True)

    assert not isinstance(first, BaseException)
    assert ["RateLimitError"] * 4 == [type(other).__name__ for other in others]
    assert 1 == len(wire.requests)


@pytest.mark.parametrize("status", [200, 429])
async def test_the_window_of_a_given_rate_is_waited_for(status: int) -> None:
    """Whoever gave a rate of an hour waits for an hour's window to move, and is told of more."""
    wire = Wire(iprog_ok, used_up(3600, 429), used_up(7200))
    if status == 200:
        wire = Wire(used_up(3600), used_up(7200))
    async with SmsClient(IprogProvider(TOKEN, rate="500/h"), pool=wire.pool) as client:
        await client.send(NUMBER, "Hi")
        await client.send(NUMBER, "Ho")
        with pytest.raises(RateLimitError):
            await client.send(NUMBER, "Ha")

    assert [3600.0] == wire.clock.sleeps


async def test_a_run_halts_where_the_pause_is_too_long() -> None:
    """What a run can't wait for stays unsent, with the gateway's word as the reason."""
    wire = Wire(iprog_ok, LIMITED)
    provider = IprogProvider(TOKEN, max_batch=1)
    messages = [Message(f"091712345{n:02}", "Hi") for n in range(5)]
    async with (
        SmsClient(provider, pool=wire.pool) as client,
        client.send_many(messages, concurrency=1) as run,
    ):
        with pytest.raises(RunHaltedError) as halted:
            _ = [outcome async for outcome in run]

    assert isinstance(halted.value.cause, RateLimitError)
    assert (1, 4) == (run.counts.accepted, run.counts.not_sent)
    assert ([], 2) == (wire.clock.sleeps, len(wire.requests))


async def test_a_router_goes_on_to_a_member_that_is_not_paused() -> None:
    """A member that is paused for a day is passed over, and is asked for nothing."""
    wire = Wire(used_up(86_400))
    members = [IprogProvider(f"{TOKEN}-{n}", name=f"iprog-{n}") for n in (1, 2)]
    async with SmsClient(Failover(*members, clock=wire.clock), pool=wire.pool) as client:
        receipts = [await client.send(NUMBER, text) for text in ("Hi", "Ho")]
        with pytest.raises(RateLimitError, match="until 2026-01-02"):
            await client.send(NUMBER, "Ha")

    assert ["iprog-1", "iprog-2"] == [receipt.provider for receipt in receipts]
    assert 2 == len(wire.requests)


@pytest.mark.parametrize("seconds", [999_999_999_999, 1e300, math.inf])
async def test_a_pause_beyond_the_calendar_is_told_all_the_same(seconds: float) -> None:
    """A pause that ends after the year 9999 is a rate limit, and nothing was sent."""
    wire = Wire(iprog_ok)
    async with wire.client() as client:
        wire.pool.pace(IprogProvider(TOKEN).gateway).pause(seconds)
        with pytest.raises(RateLimitError, match=r"s more\. Nothing was sent"):
            await client.send(NUMBER, "Hi")

    assert [] == wire.requests


async def test_a_client_after_a_restart_is_told_of_a_shared_pause(tmp_path: Path) -> None:
    """What the file of shared limits says of a day's pause holds up nobody in silence."""
    provider = IprogProvider(TOKEN, rate="60/min")
    wire = Wire(used_up(86_400))
    with Journal.open(tmp_path / "texts.db") as journal:
        async with SmsClient(provider, http=wire.http, journal=journal) as client:
            await client.send(NUMBER, "Hi")
        async with SmsClient(provider, http=Wire(iprog_ok).http, journal=journal) as restarted:
            with pytest.raises(RateLimitError, match="Nothing was sent"):
                await restarted.send(NUMBER, "Ho")

    assert 1 == len(wire.requests)
