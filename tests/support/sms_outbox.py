"""Sending into an outbox in memory."""

from __future__ import annotations

from typing import Any

from iprog_async import SmsClient, SmsError
from iprog_async.testing import OutboxProvider, SmsOutbox


GLOBE, SMART = "+639171234567", "+639181234567"


def client(outbox: SmsOutbox, **settings: Any) -> SmsClient[OutboxProvider]:
    """Return a client that sends into an outbox."""
    return SmsClient(outbox.provider, **settings)


async def send(outbox: SmsOutbox, *numbers: str, text: str = "Hi") -> list[str]:
    """Send a text to each number, one after the other; return how each send ended."""
    ends: list[str] = []
    async with client(outbox) as sms:
        for number in numbers or (GLOBE,):
            try:
                await sms.send(number, text)
            except SmsError as exc:
                ends.append(type(exc).__name__)
            else:
                ends.append("accepted")
    return ends
