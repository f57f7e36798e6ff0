"""What an outbox is told to report of a text."""

from __future__ import annotations

import asyncio

import pytest
from support.sms_outbox import GLOBE, SMART, client
from support.waiting import LONG

from iprog_async import ConfigurationError, DeliveryState, NotFoundError, WaitTimeoutError
from iprog_async.testing import InstantClock, SmsOutbox


pytestmark = pytest.mark.usefixtures("sms_clock")


async def test_delivery_is_reported_as_told(outbox: SmsOutbox) -> None:
    """Delivered by default; else one state for each question, for all numbers or for one."""
    outbox.report("pending", "sent", "failed", to=SMART)
    async with client(outbox) as sms:
        globe, smart = await sms.send(GLOBE, "Hi"), await sms.send(SMART, "Hi")

        assert "delivered" == (await sms.wait(globe)).state
        assert smart.ref is not None
        states = [(await sms.status(smart.ref)).state for _ in range(4)]
        assert ["pending", "sent", "failed", "failed"] == states
        outbox.report("failed")
        assert "failed" == (await sms.wait(globe)).state


async def test_waiting_for_what_stays_pending_takes_no_time(
    outbox: SmsOutbox, sms_clock: InstantClock
) -> None:
    """The minute of `wait` passes on the virtual clock."""
    outbox.report("pending")
    async with client(outbox) as sms:
        receipt = await sms.send(GLOBE, "Hi")
        with pytest.raises(WaitTimeoutError):
            await asyncio.wait_for(sms.wait(receipt, timeout=3600), LONG)

    assert 3600 == pytest.approx(sum(sms_clock.sleeps))


async def test_status_of_a_text_it_does_not_know(outbox: SmsOutbox) -> None:
    """As with a gateway, it is not found."""
    async with client(outbox) as sms:
        with pytest.raises(NotFoundError, match="no text 'text-9'"):
            await sms.status("outbox:text-9")


def test_a_report_has_a_state(outbox: SmsOutbox) -> None:
    """Reporting nothing is a mistake."""
    nothing: list[DeliveryState] = []
    with pytest.raises(ConfigurationError, match="at least one state"):
        outbox.report(*nothing)
