"""Makes the sample journals of the present format: `cd tests && python -m support.make_journals 1`.

Only a new format of the file needs new samples: those of older ones are never made again.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from iprog_async import (
    DeliveryState,
    DeliveryStatus,
    Journal,
    Message,
    Outcome,
    RejectedError,
    SmsClient,
    SmsError,
)
from iprog_async._journal.ledger import Ledger
from iprog_async.adapter import PreparedMessage, accepted, failed, unclear
from support.core.fakes import FakeProvider, prepared
from support.journal.journaling import take


FOLDER = Path(__file__).parents[1] / "samples" / "journals"
CAMPAIGN = "sample"
TEXT = "We open at nine."
LATER = datetime(2030, 1, 31, 8, 30, tzinfo=UTC)
STATUSES: tuple[DeliveryState, ...] = ("pending", "sent", "delivered", "failed", "unknown")
KILLED = 400
"""People of the run that is killed."""


def person(number: int) -> str:
    """Return somebody's number."""
    return f"+63917000{number:04}"


async def answer(batch: Sequence[PreparedMessage]) -> Sequence[Outcome]:
    """Do with a message what the last digits of its number say."""
    return [_outcome(message) for message in batch]


def _outcome(message: PreparedMessage) -> Outcome:
    number = int(message.e164[-4:])
    if number < len(STATUSES):
        status = DeliveryStatus(STATUSES[number], STATUSES[number].upper())
        return accepted(message, "fake", message_id=f"id-{number}", status=status)
    if number in (5, 6):
        error = RejectedError(
            "no credit" if number == 5 else "no such number",
            provider="fake",
            healable=number == 5,
            blame="recipient",
        )
        return failed(message, error)
    if number == 7:
        return unclear(message, "fake", "no answer within 30 s")
    return accepted(message, "fake", message_id=None if number == 9 else f"id-{number}")


def messages() -> list[Message]:
    """Return those of the run that ended; the last two have a time and a key."""
    plain = [Message(person(number), TEXT) for number in range(8)]
    return [
        *plain,
        Message(person(9), TEXT, schedule_at=LATER),
        Message(person(10), TEXT, key="row-10"),
    ]


async def make_ended(path: Path) -> None:
    """Make a journal that was closed."""
    provider = FakeProvider(send=answer)
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        async with SmsClient(provider, journal=journal) as client:
            async with client.send_many(messages(), concurrency=1) as run:
                await run.drain()
            for number, key in ((20, "order-20"), (6, "order-6"), (7, "order-7")):
                try:
                    await client.send(person(number), TEXT, key=key)
                except SmsError:
                    continue
            # As a process leaves it that was killed after its claim.
            for number in (30, 31):
                await take(Ledger(journal, run=1).claim([prepared(to=person(number), text=TEXT)]))


async def be_killed(path: Path) -> None:
    """Send to many, and end as `kill -9` ends a process, in the middle."""
    provider = FakeProvider(send=answer)
    people = [Message(person(1000 + number), TEXT) for number in range(KILLED)]
    with Journal.open(path, campaign=CAMPAIGN) as journal:
        async with (
            SmsClient(provider) as client,
            client.send_many(people, journal=journal, concurrency=4) as run,
        ):
            seen = 0
            async for _ in run:
                seen += 1
                if seen == KILLED // 2:
                    os.kill(os.getpid(), signal.SIGKILL)


def main(number: str) -> None:
    """Make the samples of a format."""
    if number == "--killed":
        asyncio.run(be_killed(Path(sys.argv[2])))
        return
    with tempfile.TemporaryDirectory() as folder:
        ended, killed = Path(folder, "ended.db"), Path(folder, "killed.db")
        asyncio.run(make_ended(ended))
        subprocess.run(  # noqa: S603 - ours
            [sys.executable, "-m", "support.make_journals", "--killed", str(killed)], check=False
        )
        shutil.copy(ended, FOLDER / f"format-{number}.db")
        for suffix in ("", "-wal"):
            shutil.copy(f"{killed}{suffix}", FOLDER / f"format-{number}-killed.db{suffix}")


if __name__ == "__main__":
    main(sys.argv[1])
