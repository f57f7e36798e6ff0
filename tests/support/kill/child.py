"""A run to be killed.

Arguments: address, journal, messages, engine, rate, "resend" or nothing, the text.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Literal

from iprog_async import Journal, Message, SmsClient
from iprog_async_providers import IprogProvider


CONCURRENCY = 10
BATCH = 8


async def run(
    base_url: str, path: str, count: int, engine: str, rate: str, resend: str, text: str
) -> None:
    """Send every message once, as far as the journal knows; equal texts travel together."""
    name: Literal["httpx", "asyncio"] = "httpx" if engine == "httpx" else "asyncio"
    provider = IprogProvider(
        "kill-test-token", base_url=base_url, rate=rate or None, max_batch=BATCH
    )
    messages = [Message(f"0917{number:07d}", text.format(number)) for number in range(count)]
    with Journal.open(path, campaign="kill", resend_unknown=resend == "resend") as journal:
        async with SmsClient(provider, engine=name) as sms:
            run = sms.send_many(
                messages, concurrency=CONCURRENCY, journal=journal, halt_after_unknown=count
            )
            async with run:
                counts = await run.drain()
    sys.stdout.write(f"{counts.accepted} {counts.not_sent} {counts.unknown}\n")


if __name__ == "__main__":
    _, base_url, path, count, engine, rate, resend, text = sys.argv
    asyncio.run(run(base_url, path, int(count), engine, rate, resend, text))
