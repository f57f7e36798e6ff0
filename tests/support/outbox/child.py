"""A sender to be killed, stopped and cut off.

Arguments: address of the journal, base URL of the gateway, concurrency, lease.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time

from iprog_async import Journal, JournalError, SmsClient
from iprog_async.outbox import OutboxSender
from iprog_async_providers import IprogProvider


# It is run as a script, which finds nothing of the tests' own folder.
_LONG = 200.0


def _open(address: str) -> Journal:
    """Open the journal; its server may have crashed, and be back in a moment."""
    until = time.monotonic() + _LONG
    while True:
        try:
            return Journal.open(address)
        except JournalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


async def run(address: str, base_url: str, concurrency: int, lease: float) -> None:
    """Send until SIGTERM comes."""
    provider = IprogProvider("outbox-test-token", base_url=base_url, rate="1000000/1s")
    with _open(address) as journal:
        async with SmsClient(provider, engine="asyncio", journal=journal) as client:
            sender = OutboxSender(client, concurrency=concurrency, lease=lease, poll=0.2)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, sender.stop)
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await sender.run()


if __name__ == "__main__":
    _, address, base_url, concurrency, lease = sys.argv
    asyncio.run(run(address, base_url, int(concurrency), float(lease)))
