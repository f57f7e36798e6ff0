from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

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
