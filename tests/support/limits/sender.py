"""A process that sends as fast as it may, one of several that share an account.

It says `ready`, waits for a line, and sends until there is another one; then it says what failed.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from iprog_async import HttpPool, RetryPolicy, SmsClient
from iprog_async._limits.shared import SharedLimits
from iprog_async_providers.iprog import IprogProvider
from support.limits.places import open_place


async def main(place: str, base_url: str, rate: str, concurrency: int) -> None:
    """Send with so many tasks at once, by the limits that are kept at a place."""
    provider = IprogProvider(api_token="a-token-of-all", base_url=base_url, rate=rate or None)
    pool = HttpPool(engine="asyncio", max_connections=concurrency)
    pool.share(SharedLimits(open_place(place)))
    numbers = count()
    _say("ready")
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)

    async with pool, SmsClient(provider, pool=pool, retry=RetryPolicy(attempts=5)) as sms:

        async def send() -> None:
            while True:
                await sms.send(f"0917{next(numbers):07}", "Hi")

        tasks = [asyncio.create_task(send()) for _ in range(concurrency)]
        ends = loop.run_in_executor(None, sys.stdin.readline)
        await asyncio.wait([ends, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
    failed = [str(error) for error in found if not isinstance(error, asyncio.CancelledError)]
    _say("; ".join(failed) or "ended")


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
