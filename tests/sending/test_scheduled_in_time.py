"""A scheduled text leaves before its time, or it is certainly not sent."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from support.core.clock import soon
from support.core.fakes import NUMBER, TOKEN, Wire
from support.journal.journaling import SLOW_DOWN, posting, run_over
from support.not_after import DOWN, kinds, send

from iprog_async import InvalidMessageError, Message, RetryPolicy, SmsClient
from iprog_async_providers import IprogProvider


PATIENT = RetryPolicy(attempts=50, base=1e9, max_wait=1e9)
MINUTE = 60.0


def _reminder(request: httpx.Request) -> httpx.Response:
    asked = json.loads(request.content)
    at = soon(4 * MINUTE).isoformat()
    data = {
        "id": 7,
        "phone_number": asked["phone_number"],
        "message": asked["message"],
        "scheduled_at": at,
        "status": "scheduled",
        "created_at": at,
        "updated_at": at,
    }
    message = f"Message reminder successfully scheduled on {at}"
    return httpx.Response(200, json={"status": "success", "message": message, "data": data})


async def test_rows_whose_time_has_come_while_they_waited_are_not_sent() -> None:
    """Those that leave before it are scheduled, and those behind them are not sent at once."""
    wire = Wire(_reminder)
    provider = IprogProvider(TOKEN, rate="1/100s")
    at = soon(4 * MINUTE)
    messages = [Message(f"0917123450{n}", f"Hi {n}", schedule_at=at) for n in range(5)]
    outcomes = await run_over(SmsClient(provider, pool=wire.pool), messages, concurrency=2)

    assert ["accepted"] * 3 + ["InvalidMessageError"] * 2 == kinds(outcomes)
    assert 3 == len(wire.requests)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        pytest.param(DOWN, "could not be reached in time", id="down"),
        pytest.param(SLOW_DOWN, "asks to wait for 5 s", id="pause"),
    ],
)
async def test_nobody_waits_past_the_time(reply: Any, words: str) -> None:
    """Whoever would have to is told at once, and why."""
    wire = Wire(reply)
    error = await send(posting(wire, retry=PATIENT), schedule_at=soon(4))

    assert isinstance(error, InvalidMessageError)
    assert (True, True) == ("schedule_at" in str(error), words in str(error))
    assert wire.clock.now() < soon(4)


async def test_a_sooner_end_is_the_one_that_is_told() -> None:
    """Of two ends the first one counts."""
    error = await send(
        posting(Wire(DOWN), retry=PATIENT), schedule_at=soon(90), not_after=soon(9e9)
    )

    assert isinstance(error, InvalidMessageError)
    assert NUMBER not in str(error)
