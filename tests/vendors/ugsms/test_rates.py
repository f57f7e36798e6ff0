"""How often UGSMS is asked."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import respx
from support.ugsms.outcomes import SEND
from support.ugsms.wire import MESSAGE_ID, sent_answer, v2

from iprog_async import HttpPool, SmsClient
from iprog_async.testing import InstantClock


async def test_a_rate_limit_is_waited_for(respx_mock: respx.MockRouter) -> None:
    """After a 429 the send waits as told, and is accepted."""
    limited = httpx.Response(429, headers={"Retry-After": "12"}, json={"message": "Slow down"})
    respx_mock.post(SEND).mock(side_effect=[limited, sent_answer()])
    clock = InstantClock()
    async with HttpPool(clock=clock) as pool, SmsClient(v2(), pool=pool) as sms:
        receipt = await sms.send("0701234500", "Hi")
    assert (receipt.message_id, clock.sleeps) == (MESSAGE_ID, [12.0])


async def test_the_last_request_of_the_window_holds_up_the_next(
    respx_mock: respx.MockRouter,
) -> None:
    """`x-ratelimit-remaining: 0` pauses until our oldest call is a minute old."""
    last = sent_answer()
    last.headers["x-ratelimit-remaining"] = "0"
    respx_mock.post(SEND).mock(side_effect=[last, sent_answer()])
    clock = InstantClock()
    async with HttpPool(clock=clock) as pool, SmsClient(v2(), pool=pool) as sms:
        await sms.send("0701234500", "Hi")
        clock.advance(10)
        await sms.send("0701234501", "Hi")
    assert clock.sleeps == [50.0]


@pytest.mark.parametrize(("settings", "expected"), [({}, [60.0]), ({"rate": None}, [])])
async def test_sixty_requests_a_minute_are_the_default(
    respx_mock: respx.MockRouter, settings: dict[str, Any], expected: list[float]
) -> None:
    """The 61st request waits until the first is a minute old, unless `rate=None`."""
    respx_mock.post(SEND).mock(return_value=sent_answer())
    clock = InstantClock()
    async with HttpPool(clock=clock) as pool, SmsClient(v2(**settings), pool=pool) as sms:
        for _ in range(61):
            await sms.send("0701234500", "Hi")
    assert expected == clock.sleeps
