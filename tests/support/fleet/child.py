"""A worker in a process of its own; SIGTERM stops it.

Arguments: address of the gateway, address of the journal, name, seconds until it counts as gone.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from iprog_async import SmsClient
from iprog_async.fleet import Worker
from iprog_async_providers import IprogProvider


CONCURRENCY = 10
BATCH = 4


async def work(base_url: str, journal: str, name: str, stalled_after: float) -> None:
    """Work until told to stop."""
    provider = IprogProvider("fleet-test-token", base_url=base_url, max_batch=BATCH)
    async with SmsClient(provider, engine="asyncio") as sms:
        worker = Worker(
            sms, journal, concurrency=CONCURRENCY, name=name, stalled_after=stalled_after
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        await worker.run()


if __name__ == "__main__":
    _, base_url, journal, name, stalled_after = sys.argv
    asyncio.run(work(base_url, journal, name, float(stalled_after)))
