"""What calls make of a gateway that says that no call is left."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from support.core.fakes import NUMBER, TOKEN, Wire, iprog_ok

from iprog_async import Failover, Message, RateLimitError, RetryPolicy, SmsClient
from iprog_async_providers.iprog import IprogProvider


ACCEPTED = '{"status": 200, "message_id": "1"}'
NONE_LEFT = {"X-RateLimit-Limit": "3", "X-RateLimit-Remaining": "0"}


def last_of_window(request: httpx.Request) -> httpx.Response:
    """Accept a text, and say that it was the last one."""
    return httpx.Response(200, text=ACCEPTED, headers=NONE_LEFT)


async def run_of(count: int, wire: Wire, retry: RetryPolicy, rate: str | None = None) -> int:
    """Send texts one by one; return how many were accepted."""
    provider = IprogProvider(TOKEN, max_batch=1, rate=rate)
    messages = [Message(f"091712345{n:02}", "Hi") for n in range(count)]
    async with (
        SmsClient(provider, pool=wire.pool, retry=retry) as client,
        client.send_many(messages, concurrency=1) as run,
    ):
        _ = [outcome async for outcome in run]
    return run.counts.accepted


@pytest.mark.parametrize(
    ("rate", "max_pause", "told", "pause"),
    [
        ("100/10min", 120, {"Retry-After": "5"}, 5.0),
        ("100/10min", 120, {}, 600.0),
        ("120/min", 30, {"Retry-After": "5"}, 5.0),
        (None, 30, {"Retry-After": "5"}, 5.0),
    ],
)
async def test_a_refusal_is_waited_for_as_told_or_until_our_window_moves(
    rate: str | None, max_pause: float, told: dict[str, str], pause: float
) -> None:
    """However long our own window is, it is no pause that the gateway asked for."""
    limited = httpx.Response(429, headers={**NONE_LEFT, **told})
    wire = Wire(iprog_ok, limited, iprog_ok)

    assert 5 == await run_of(5, wire, RetryPolicy(max_pause=max_pause), rate)
    assert [pause] == wire.clock.sleeps


@pytest.mark.parametrize("retry", [RetryPolicy(), RetryPolicy(max_pause=30), RetryPolicy.off()])
async def test_a_window_whose_end_nobody_told_halts_nothing(retry: RetryPolicy) -> None:
    """Without a rate or a reset a minute is waited for, whatever the longest pause."""
    wire = Wire(iprog_ok, last_of_window, iprog_ok, last_of_window, iprog_ok)

    assert 5 == await run_of(5, wire, retry)
    assert [60.0, 60.0] == wire.clock.sleeps


@pytest.mark.parametrize("minutes", [-60, 0, 2, 60])
@pytest.mark.parametrize(
    ("body", "told"), [(ACCEPTED, {}), ("", {"Retry-After": "30"}), ("", {})], ids=str
)
async def test_a_moment_in_time_is_one_of_the_gateways_clock(
    minutes: float, body: str, told: dict[str, str]
) -> None:
    """Whether our clock is slow or fast, the window ends when the gateway says."""
    wire = Wire()
    theirs = wire.clock.now() + timedelta(minutes=minutes)
    headers = {
        **NONE_LEFT,
        **told,
        "Date": format_datetime(theirs, usegmt=True),
        "X-RateLimit-Reset": f"{theirs.timestamp() + 30:.0f}",
    }
    wire = Wire(httpx.Response(200 if body else 429, text=body, headers=headers), iprog_ok)

    assert 2 == await run_of(2, wire, RetryPolicy(default_pause=1))
    assert [30.0] == wire.clock.sleeps


async def test_a_clock_that_is_off_does_not_matter_beside_a_wait_in_seconds() -> None:
    """An answer without a `Date` is waited for by its `Retry-After`."""
    wire = Wire()
    reset = f"{wire.clock.now().timestamp() + 3600:.0f}"
    told = {**NONE_LEFT, "Retry-After": "30", "X-RateLimit-Reset": reset}
    wire = Wire(httpx.Response(429, headers=told), iprog_ok)

    assert 1 == await run_of(1, wire, RetryPolicy())
    assert [30.0] == wire.clock.sleeps


async def test_whoever_has_no_time_to_wait_is_told_that_no_call_is_left() -> None:
    """A call with a deadline that comes before the window's end is told so at once."""
    wire = Wire(last_of_window)
    async with wire.client(deadline=10) as client:
        await client.send(NUMBER, "Hi")
        with pytest.raises(RateLimitError, match=r"no call left.* 60\.0 s more, until 2026"):
            await client.send(NUMBER, "Ho")

    assert ([], 1) == (wire.clock.sleeps, len(wire.requests))


async def test_a_router_does_not_wait_for_a_window_to_move() -> None:
    """A member with no call left is passed over while there is another one."""
    wire = Wire(last_of_window)
    members = [IprogProvider(f"{TOKEN}-{n}", name=f"iprog-{n}") for n in (1, 2)]
    async with SmsClient(Failover(*members, clock=wire.clock), pool=wire.pool) as client:
        receipts = [await client.send(NUMBER, text) for text in ("Hi", "Ho")]

    assert ["iprog-1", "iprog-2"] == [receipt.provider for receipt in receipts]
    assert [] == wire.clock.sleeps
