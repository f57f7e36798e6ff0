"""Texts everybody in a CSV file with the columns `phone` and `name`, many at a time.

    python examples/fan_out.py people.csv "Hi {name}, we open at nine." --journal june.db

The gateway is the one that the environment names. The first Ctrl-C waits for what is on its
way, the second gives it up; the same command again texts the rest, and nobody twice.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import signal
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from iprog_async import Accepted, Message, RunHaltedError, SmsClient, SmsError


def read_messages(path: Path, text: str) -> Iterator[Message]:
    """Yield a message for each row, read as it is sent, however many there are.

    Raises:
        ValueError: A column is missing, or the file is no text.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := {"phone", "name"}.difference(reader.fieldnames or ()):
            raise ValueError(f"{path} has no column {' and no column '.join(sorted(missing))}")
        for row in reader:
            name = (row["name"] or "").strip()
            # An empty text is refused by itself: nobody gets one with a hole in it.
            yield Message(row["phone"] or "", text.replace("{name}", name) if name else "")


async def fan_out(messages: Iterator[Message], journal: Path, concurrency: int) -> int:
    """Send, print what was not accepted and how many were, and return the exit code."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with (
        SmsClient.from_env() as sms,
        sms.send_many(messages, concurrency=concurrency, journal=journal) as run,
    ):

        def drain() -> None:
            print("stopping: what is on its way is waited for", file=sys.stderr)
            stopped.set()
            run.stop()
            # The next Ctrl-C is an ordinary one.
            loop.remove_signal_handler(signal.SIGINT)

        with suppress(NotImplementedError):  # on Windows each is an ordinary one
            loop.add_signal_handler(signal.SIGINT, drain)
        try:
            async for outcome in run:
                if not isinstance(outcome, Accepted):
                    print(f"row {outcome.index + 1}: {outcome.state}: {outcome.error}")
        except RunHaltedError as exc:
            print(exc, file=sys.stderr)
    counts = run.counts
    print(f"{counts.accepted} accepted, {counts.not_sent} not sent, {counts.unknown} unknown")
    if counts.resumed:
        print(f"{counts.resumed} of them were settled by an earlier run")
    if stopped.is_set():
        return 130
    return 0 if counts.accepted == counts.total and run.halted is None else 1


def main() -> int:
    """Read the command line, check the whole file, and send."""
    parser = argparse.ArgumentParser(description="Text everybody in a CSV file.")
    parser.add_argument("people", type=Path, help="CSV file with the columns phone and name")
    parser.add_argument("text", help="what to send; {name} is filled in")
    parser.add_argument("--journal", type=Path, required=True, help="remembers who was texted")
    parser.add_argument("--concurrency", type=int, default=100, help="requests at once")
    given = parser.parse_args()
    try:
        deque(read_messages(given.people, given.text), maxlen=0)
    except (OSError, ValueError) as exc:
        parser.error(str(exc))
    try:
        messages = read_messages(given.people, given.text)
        return asyncio.run(fan_out(messages, given.journal, given.concurrency))
    except SmsError as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("given up: the next run reports what was on its way as unknown", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
