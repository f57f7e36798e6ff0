"""Processes that share a journal and are killed text nobody twice, and never tell two outcomes.

`pytest tests/kill --kills 200` kills more often than the usual run.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from support.journal.journaling import Place
from support.kill import keyed_child
from support.kill.gateway import CountingGateway
from support.waiting import LONG

from iprog_async import JournalReader


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems"),
]

_AT_ONCE = 10


class _Senders:
    """Processes that send the same texts, and what each was told.

    Args:
        gateway: Where they send to.
        place: Their journal.
        keys: How many texts there are.
        openings: How often each opens the journal.
    """

    def __init__(self, gateway: CountingGateway, place: Place, keys: int, openings: int) -> None:
        self.told: defaultdict[int, set[str]] = defaultdict(set)
        self.unknown: set[int] = set()
        self._arguments = [gateway.base_url, str(place), str(keys), str(openings)]
        self._started = 0
        self.running: list[subprocess.Popen[str]] = []

    def start(self) -> None:
        """Start one more."""
        self._started += 1
        command = [sys.executable, keyed_child.__file__, *self._arguments, str(self._started)]
        self.running.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ours
        )

    def kill_one(self, moments: random.Random) -> None:
        """Kill one as hard as can be."""
        child = self.running.pop(moments.randrange(len(self.running)))
        child.send_signal(signal.SIGKILL)
        self._read(child, -signal.SIGKILL)

    def finish(self) -> None:
        """Let all of them come to their end."""
        while self.running:
            self._read(self.running.pop(), 0)

    def _read(self, child: subprocess.Popen[str], code: int) -> None:
        out, problems = child.communicate(timeout=LONG)
        assert (child.returncode, problems) in ((code, ""), (0, ""))
        for line in out.splitlines(keepends=True):
            number, _, end = line.partition(" ")
            if line.endswith("\n"):
                self._note(int(number), end.strip())

    def _note(self, number: int, end: str) -> None:
        assert not end.startswith("not sent")
        if end == "unknown":
            self.unknown.add(number)
        else:
            self.told[number].add(end)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return where the journal is."""
    if request.param == "SQLite":
        return tmp_path / "shared.db"
    address: str = request.getfixturevalue("postgres_journal")
    return address


@pytest.mark.parametrize(
    ("place", "openings"),
    [
        pytest.param("SQLite", 1, id="file, open all the time"),
        pytest.param("SQLite", 5, id="file, opened and closed"),
        pytest.param("PostgreSQL", 1, id="PostgreSQL"),
    ],
    indirect=["place"],
)
def test_the_same_keys_from_twelve_processes(
    openings: int, place: Place, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Each key is one text at most, all who ask are told the same, and the rest is unknown."""
    keys, kills = 150, int(str(pytestconfig.getoption("--kills"))) // 2
    moments = random.Random()  # noqa: S311 - moments, not secrets
    with CountingGateway() as gateway:
        senders = _Senders(gateway, place, keys, openings)
        for _ in range(12):
            senders.start()
        for number in range(kills):
            goal = (number + 1) * keys // (kills + 1)
            while gateway.texts.total() < goal and any(c.poll() is None for c in senders.running):
                time.sleep(0.0005)
            senders.kill_one(moments)
            senders.start()
        senders.finish()
        # One more is told of all of them what the others were told.
        senders.start()
        senders.finish()
    assert [1] * len(gateway.texts) == list(gateway.texts.values())
    assert {1} == {len(ends) for ends in senders.told.values()}
    assert set(range(keys)) == senders.told.keys() | senders.unknown
    assert set() == senders.told.keys() & senders.unknown
    assert keys - len(gateway.texts) <= len(senders.unknown) <= kills * _AT_ONCE
    files = [file for file in tmp_path.iterdir() if "-limits" not in file.name]
    assert files == ([place] if isinstance(place, Path) else [])
    JournalReader.open(place).close()
