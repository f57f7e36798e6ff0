"""A follow-up to be killed; it notes each request. Arguments: address, journal, notes."""

from __future__ import annotations

import asyncio
import os
import sys

from attrs import frozen

from iprog_async import AttemptEnded, Observer, SmsClient


@frozen
class Notes(Observer):
    """Writes a byte for each request, at once.

    Args:
        file: Where to.
    """

    file: int

    def attempt_ended(self, event: AttemptEnded) -> None:
        """Note a request."""
        os.write(self.file, b".")


async def follow(address: str, path: str, notes: str) -> None:
    """Follow a journal to the end."""
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async with SmsClient.from_url(address, observers=[Notes(file)]) as sms:
        found = await sms.follow(path, interval=0.01)
    sys.stdout.write(f"{found.delivered} {found.failed} {found.finished}\n")


if __name__ == "__main__":
    asyncio.run(follow(*sys.argv[1:]))
