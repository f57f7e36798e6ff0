"""A process that was forked off while a journal was open."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import LONG


_IN_A_FORK = """
import asyncio, os, sys, warnings
# The journal's thread goes on in the parent alone, which is what the test is about.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
sys.path.insert(0, sys.argv[2])
from support.core.fakes import NUMBER, Wire
from support.journal.journaling import ACCEPTED, posting
from iprog_async import Journal

def send(journal, key, text):
    wire = Wire(ACCEPTED)
    receipt = asyncio.run(posting(wire, journal).send(NUMBER, text, key=key))
    print(key, receipt.message_id, len(wire.requests), flush=True)

with Journal.open(
    sys.argv[1], campaign="june", resend_unknown=True, allow_changed_text=True
) as journal:
    send(journal, "a", "Hi")
    assert journal.in_this_process() is journal
    if os.fork() == 0:
        with journal.in_this_process() as own:
            assert own is not journal
            assert own.rules == journal.rules
            assert own.in_this_process() is own
            send(own, "a", "Hi")
            send(own, "b", "Hi")
        journal.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
    send(journal, "b", "Hi")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_opens_its_own(path: Path | str) -> None:
    """It has the parent's campaign and rules, and knows what was sent, as the parent does of it."""
    child = subprocess.run(  # noqa: S603 - ours
        [
            *(sys.executable, "-W", "error::ResourceWarning", "-c", _IN_A_FORK),
            *(str(path), str(Path(__file__).parents[1])),
        ],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    assert "a id-1 1\na id-1 0\nb id-1 1\nb id-1 0\n" == child.stdout
    assert "" == child.stderr
