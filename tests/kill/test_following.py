"""A follow-up that is killed goes on where it was, and costs no more requests for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.journal.journaling import rows_in
from support.kill import following_child
from support.waiting import LONG

from iprog_async import Message, SmsClient
from iprog_async.sandbox import FAILS_DELIVERY, REFUSED_RECIPIENT, Sandbox


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems"),
]

PEOPLE = 10_000
PER_PAGE = 25


def _start(sandbox: Sandbox, path: Path, notes: Path) -> subprocess.Popen[str]:
    arguments = (sandbox.address("infopromo"), str(path), str(notes))
    command = [sys.executable, following_child.__file__, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours


def _requests(notes: Path) -> int:
    return notes.stat().st_size if notes.exists() else 0


def _kill_after(child: subprocess.Popen[str], notes: Path, requests: int) -> None:
    while _requests(notes) < requests and child.poll() is None:
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    child.communicate()


@pytest.mark.timeout(900)  # Ten thousand texts, perhaps on a busy machine.
async def test_ten_thousand_rows_in_four_hundred_requests(tmp_path: Path) -> None:
    """On Ultimate SMS, killed twice, while new texts push the pages; each has its own status."""
    path, notes = tmp_path / "june.db", tmp_path / "notes"
    numbers = (f"+63917{1_000_000 + number}" for number in range(PEOPLE + 1))
    messages = [
        Message(number, "We open at nine.")
        for number in numbers
        if not number.endswith(REFUSED_RECIPIENT)
    ]
    with Sandbox(delivered_after=0, credit=10 * PEOPLE) as sandbox:
        async with SmsClient.from_url(sandbox.address("infopromo")) as sms:
            async with sms.send_many(messages, journal=path) as run:
                assert PEOPLE == (await run.drain()).accepted
            for part in (1, 2):
                child = _start(sandbox, path, notes)
                _kill_after(child, notes, part * PEOPLE // PER_PAGE // 3)
                assert -signal.SIGKILL == child.returncode
                # New ones, which push what is still to be read to later pages.
                await sms.send("+639990000002", f"Beside the campaign, {part}")
        child = _start(sandbox, path, notes)
        output, _ = child.communicate(timeout=LONG)

    failing = sum(message.to.endswith(FAILS_DELIVERY) for message in messages)
    assert f"{PEOPLE - failing} {failing} True\n" == output
    for number, status in rows_in(path, "number, status"):
        assert ("failed" if number.endswith(FAILS_DELIVERY) else "delivered") == status
    # Of each kill, one page that was read and not noted; and the last round.
    assert PEOPLE // PER_PAGE <= _requests(notes) <= PEOPLE // PER_PAGE + 10
