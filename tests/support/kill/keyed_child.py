"""One of several processes that send the same texts with keys, to be killed.

Arguments: address, journal, how many keys, how often the journal is opened, seed of the order. For
each text it writes a line: its number, and the gateway's id, "unknown" or "not sent".
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator

from iprog_async import Journal, OutcomeUnknownError, SmsClient, SmsError
from iprog_async_providers import IprogProvider


_AT_ONCE = 10


async def _send(sms: SmsClient[IprogProvider], number: int) -> None:
    try:
        receipt = await sms.send(f"0917{number:07d}", f"Order {number}", key=f"order-{number}")
        end = str(receipt.message_id)
    except OutcomeUnknownError:
        end = "unknown"
    except SmsError as exc:
        end = f"not sent: {exc}"
    # Whole lines: the reader of a killed process must not see a part of one.
    sys.stdout.write(f"{number} {end}\n")
    sys.stdout.flush()


async def run(base_url: str, path: str, keys: int, openings: int, seed: int) -> None:
    """Send all texts, in an order of one's own, in parts: each with the journal opened anew."""
    numbers = list(range(keys))
    random.Random(seed).shuffle(numbers)  # noqa: S311 - an order, and no secret
    provider = IprogProvider("kill-test-token", base_url=base_url)
    for opening in range(openings):
        with Journal.open(path, campaign="shared") as journal:
            async with SmsClient(provider, journal=journal, engine="asyncio") as sms:
                waiting = iter(numbers[opening::openings])

                async def work(
                    waiting: Iterator[int] = waiting, sms: SmsClient[IprogProvider] = sms
                ) -> None:
                    for number in waiting:
                        await _send(sms, number)

                await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


if __name__ == "__main__":
    _, base_url, path, keys, openings, seed = sys.argv
    asyncio.run(run(base_url, path, int(keys), int(openings), int(seed)))
