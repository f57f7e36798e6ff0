from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest
import respx
from support.infopromo.wire import FLAVOURS, HOST, TEXT, connect, requests_of, seen, success

from iprog_async import InvalidMessageError, Message, SmsClient
from iprog_async_providers.infopromo import InfopromoProvider


FAR = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=8)))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EARLY = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


@pytest.mark.parametrize("when", [FAR, EARLY])
async def test_a_time_that_no_zone_can_write_is_refused_before_the_network(when: datetime) -> None:
    """A time at the end of the calendar is a mistake in the message, and nothing was sent."""
    provider = InfopromoProvider("1|token-of-a-test", sender_id="X", timezone="Asia/Manila")
    message = Message("+639171234567", "Hi", schedule_at=when)
    async with SmsClient(provider) as sms:
        async with sms.send_many([message] * 2) as run:
            outcomes = [outcome async for outcome in run]
        with pytest.raises(InvalidMessageError, match="range"):
            _ = [one async for one in sms.provider.messages.list(start=when, end=NOW)]

    assert ["not_sent", "not_sent"] == [outcome.state for outcome in outcomes]


async def test_times_of_one_minute_travel_together(respx_mock: respx.MockRouter) -> None:
    """Fifty times that differ by microseconds are one on the wire, and one request."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=success(None))

    respx_mock.route(url__startswith=HOST).mock(side_effect=answer)
    start = datetime.now(UTC).replace(second=20, microsecond=1) + timedelta(hours=3)
    later = [
        Message(f"+3161234{index:04}", TEXT, schedule_at=start + timedelta(microseconds=index))
        for index in range(50)
    ]
    async with connect(FLAVOURS["v3"]()) as sms, sms.send_many(later) as run:
        found = [outcome.state async for outcome in run]

    assert ["accepted"] * 50 == found
    bodies: list[Any] = [seen(request)[3] for request in requests_of(respx_mock)]
    assert sum(len(body["recipient"].split(",")) for body in bodies) == 50
    assert len({body["schedule_time"] for body in bodies}) == 1
    assert all("," in body["recipient"] for body in bodies)
