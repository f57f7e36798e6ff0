"""People who type what their phone shows."""

from __future__ import annotations

import re
from typing import Any

from iprog_async import HttpPool, SmsClient
from iprog_async.testing import InstantClock
from support.core.fakes import FakeProvider, Sending, accept


def client_of(
    provider: FakeProvider | None = None, clock: InstantClock | None = None, **settings: Any
) -> SmsClient[FakeProvider]:
    """Return a client on virtual time whose provider keeps what it was to send."""
    pool = HttpPool(clock=clock or InstantClock())
    return SmsClient(provider or FakeProvider(), pool=pool, **settings)


def codes_on(provider: FakeProvider) -> list[str]:
    """Return the codes that a provider was to send, in order."""
    texts = [prepared.message.text for batch in provider.sent for prepared in batch]
    return [code_in(text) for text in texts]


def code_in(text: str) -> str:
    """Return the code that a text has."""
    (code,) = re.findall(r"\d{4,}", text)
    return str(code)


def another(code: str) -> str:
    """Return a code of the same length that is not this one."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def in_turn(*sendings: Sending) -> Sending:
    """Return what sends in one way after the other; the last one goes on."""
    left = list(sendings)

    async def send(batch: Any) -> Any:
        return await (left.pop(0) if len(left) > 1 else left[0])(batch)

    return send


__all__ = ["accept", "another", "client_of", "code_in", "codes_on", "in_turn"]
