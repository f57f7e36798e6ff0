"""Texts that have to leave in time, and how their sends end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from iprog_async import NotSent, Outcome, SmsClient, SmsError
from support.core.fakes import NUMBER


DOWN = httpx.ConnectError("no route")


async def send(client: SmsClient[Any], text: str = "Hi", **settings: Any) -> SmsError | None:
    """Send a text; return the error, if it met one."""
    async with client:
        try:
            await client.send(NUMBER, text, **settings)
        except SmsError as exc:
            return exc
    return None


def kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the kind of each outcome: its error, or its state."""
    return [
        type(outcome.error).__name__ if isinstance(outcome, NotSent) else outcome.state
        for outcome in outcomes
    ]
