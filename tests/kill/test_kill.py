"""A run that is killed at any moment goes on without texting anyone twice.

`pytest tests/kill --kills 200` kills more often than the usual run.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attrs import frozen
from support import kill_child
from support.kill_gateway import CountingGateway

from iprog_async import Journal


def _start(gateway: CountingGateway, path: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, kill_child.__file__, gateway.base_url, str(path), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours


def _kill_some_time(child: subprocess.Popen[str], gateway: CountingGateway, after: int) -> None:
    """Kill the child once the gateway has had so many more texts, if it lives that long."""
    goal = gateway.texts.total() + after
    while gateway.texts.total() < goal and child.poll() is None:
        time.sleep(0.0005)
    child.send_signal(signal.SIGKILL)
    child.communicate()


async def _unknown(path: Path) -> int:
    with Journal.open(path, campaign="kill") as journal:
        return len([entry async for entry in journal.unknown()])


def _finish(gateway: CountingGateway, path: Path, *options: str) -> list[int]:
    child = _start(gateway, path, *options)
    output, _ = child.communicate(timeout=60)
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
    "one by one": Campaign(200, "Text {}", kill_child.CONCURRENCY),
    "one by one, httpx": Campaign(200, "Text {}", kill_child.CONCURRENCY, engine="httpx"),
    "in batches": Campaign(900, "Hi", kill_child.CONCURRENCY * kill_child.BATCH),
    "at a rate": Campaign(60, "Text {}", kill_child.CONCURRENCY, rate="20/1s"),
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


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is a signal of POSIX systems")
def test_texts_that_wait_for_their_rate_are_never_unknown(tmp_path: Path) -> None:
    """A run killed while it waits for its rate leaves no more unknown than were on their way."""
    path = tmp_path / "rate.db"
    with CountingGateway(latency=0.0) as gateway:
        child = _start(gateway, path, "50", "asyncio", "20/60s", "", "Text {}")
        while gateway.texts.total() < 20 and child.poll() is None:
            time.sleep(0.001)
        time.sleep(0.3)  # every answer has come back; the other texts wait for a minute
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert 0 == asyncio.run(_unknown(path))
        accepted, not_sent, unknown = _finish(gateway, path, "50", "asyncio", "", "", "Text {}")
        assert (50, 0, 0) == (accepted, not_sent, unknown)
        assert [1] * 50 == list(gateway.texts.values())
