"""Sends what the other programs of this folder enqueue, until it is told to stop.

    python examples/outbox/sender.py

The journal is at `DATABASE_URL`, the gateway is the one that the environment names. Start as many
as you like, on any machine.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from iprog_async import Journal, SmsClient
from iprog_async.outbox import OutboxSender


async def main() -> None:
    """Send until Ctrl-C or SIGTERM; what is on its way then is waited for."""
    with await asyncio.to_thread(Journal.open, os.environ["DATABASE_URL"]) as journal:
        async with SmsClient.from_env(journal=journal) as sms:
            sender = OutboxSender(sms)
            loop = asyncio.get_running_loop()
            for stop in (signal.SIGINT, signal.SIGTERM):
                with suppress(NotImplementedError):  # on Windows Ctrl-C is an ordinary one
                    loop.add_signal_handler(stop, sender.stop)
            print("sending", flush=True)
            await sender.run()


if __name__ == "__main__":
    asyncio.run(main())
