"""A run that is killed at any moment goes on without texting anyone twice.

`pytest tests/kill --kills 200` kills more often than the usual run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attrs import frozen
from support.journal.journaling import states_in
from support.kill import child as child_module
from support.kill.gateway import CountingGateway
from support.waiting import LONG

from iprog_async import Journal


pytestmark = pytest.mark.slow


def _start(gateway: CountingGateway, path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, child_module.__file__, gateway.base_url, str(path), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours


def _kill_some_time(child: subprocess.Popen[str], gateway: CountingGateway, after: int) -> None:
    """Kill the child once the gateway has had so many more texts, if it lives that long."""
    goal = gateway.texts.total() + after
    while gateway.texts.total() < goal and child.poll() is None:
        time.sleep(0.0005)
    child.send_signal(signal.SIGKILL)
    child.communicate()


def _has_accepted(path: Path, count: int) -> bool:
    try:
        return states_in(path).count("accepted") >= count
    except sqlite3.Error:
        # It is being made.
        return False


async def _unknown(path: Path) -> int:
    with Journal.open(path, campaign="kill") as journal:
        return len([entry async for entry in journal.unknown()])


def _finish(gateway: CountingGateway, path: Path, *options: str) -> list[int]:
    child = _start(gateway, path, *options)
    output, _ = child.communicate(timeout=LONG)
    assert child.returncode == 0
    return [int(word) for word in output.split()]


@frozen
class Campaign:
    """What is sent, and how.

    Args:
        messages: How many people there are.
        text: What they are texted; equal texts travel together.
        in_flight: The most texts that are on their way at once.
        engine: Which engine sends.
        rate: The most requests, or nothing.
    """

    messages: int
    text: str
    in_flight: int
    engine: str = "asyncio"
    rate: str = ""

    def options(self, resend: str = "") -> tuple[str, ...]:
        """Return the arguments of the sending process."""
        return str(self.messages), self.engine, self.rate, resend, self.text


CAMPAIGNS = {
    "one by one": Campaign(200, "Text {}", child_module.CONCURRENCY),
    "one by one, httpx": Campaign(200, "Text {}", child_module.CONCURRENCY, engine="httpx"),
    "in batches": Campaign(900, "Hi", child_module.CONCURRENCY * child_module.BATCH),
    "at a rate": Campaign(60, "Text {}", child_module.CONCURRENCY, rate="20/1s"),
}


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_nobody_is_texted_twice_and_nobody_is_lost(
    name: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """However often a run is killed, each person has one text, or is listed as unknown."""
    campaign = CAMPAIGNS[name]
    rest = -(-int(str(pytestconfig.getoption("--kills"))) // len(CAMPAIGNS))
    moments = random.Random()  # noqa: S311 - moments, not secrets
    while rest > 0:
        kills = min(rest, 5)
        rest -= kills
        path = tmp_path / f"{rest}.db"
        with CountingGateway() as gateway:
            for number in range(kills):
                child = _start(gateway, path, *campaign.options())
                _kill_some_time(child, gateway, moments.randrange(campaign.messages // kills))
                unknown = asyncio.run(_unknown(path)) if path.exists() else 0
                assert unknown <= campaign.in_flight * (number + 1)
            accepted, not_sent, unknown = _finish(gateway, path, *campaign.options())
            assert (campaign.messages, 0) == (accepted + unknown, not_sent)
            assert unknown <= campaign.in_flight * kills
            assert 1 == max(gateway.texts.values())
            # Whoever was not reached is among the unknown ones, and nobody else is missing.
            assert campaign.messages - len(gateway.texts) <= unknown

            ended = _finish(gateway, path, *campaign.options("resend"))
            assert [campaign.messages, 0, 0] == ended
            assert campaign.messages == len(gateway.texts)


def _forget_rate(path: Path) -> None:
    """Let the next process begin at once: what a killed one has sent counts in its window, too."""
    for file in path.parent.glob(f"{path.name}-limits*"):
        file.unlink()


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
def test_texts_that_wait_for_their_rate_are_never_unknown(tmp_path: Path) -> None:
    """However often a run is killed while it waits for its rate, nothing that waits is unknown."""
    path = tmp_path / "rate.db"
    kills, at_a_time = 5, 8
    with CountingGateway(latency=0.0) as gateway:
        for number in range(1, kills + 1):
            child = _start(gateway, path, "60", "asyncio", f"{at_a_time}/60s", "", "Text {}")
            while not _has_accepted(path, number * at_a_time) and child.poll() is None:
                # Until every answer has come back, and all the others wait for a minute.
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            child.communicate()
            assert -signal.SIGKILL == child.returncode
            assert (0, number * at_a_time) == (asyncio.run(_unknown(path)), gateway.texts.total())
            _forget_rate(path)
        assert [60, 0, 0] == _finish(gateway, path, "60", "asyncio", "", "", "Text {}")
        assert [1] * 60 == list(gateway.texts.values())


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
def test_texts_that_wait_are_not_unknown_beside_others_on_their_way(tmp_path: Path) -> None:
    """Killed with two texts on their way and many waiting, a run leaves those two in doubt."""
    path = tmp_path / "rate.db"
    kills, at_a_time = 4, 2
    with CountingGateway(latency=30.0) as gateway:
        for number in range(1, kills + 1):
            child = _start(gateway, path, "40", "asyncio", f"{at_a_time}/60s", "", "Text {}")
            while gateway.texts.total() < number * at_a_time and child.poll() is None:
                time.sleep(0.001)
            time.sleep(0.1)
            child.send_signal(signal.SIGKILL)
            child.communicate()
            assert -signal.SIGKILL == child.returncode
            assert number * at_a_time == asyncio.run(_unknown(path)) == gateway.texts.total()
            _forget_rate(path)
        assert 1 == max(gateway.texts.values())
