"""Hours at full speed against a gateway that misbehaves leave nothing behind.

`pytest tests/soak --soak 600` takes so many seconds; the usual run takes a few.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen
from support import soak_gateway, soak_sender
from support.soak_levels import ALLOWANCE, Levels, grown


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="levels are read from /proc")

SEED = 20261124
FAULTS_PER_THOUSAND = 30
LAPS = 20
"""Moments of rest; nine are enough to tell a trend, and laps end late."""


@frozen
class Soaked:
    """What came of a soak.

    Args:
        outcomes: A letter a person, as the sender saw it: accepted, not sent, unknown.
        texted: How often each person was texted, as the gateway counted.
        faults: How often each fault came.
        samples: What the sender held, at moments of rest.
    """

    outcomes: str
    texted: bytes
    faults: Counter[str]
    samples: list[Levels]


@contextmanager
def _gateway() -> Iterator[str]:
    command = [sys.executable, soak_gateway.__file__, str(SEED), str(FAULTS_PER_THOUSAND)]
    with subprocess.Popen(  # noqa: S603 - ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()
            process.wait(10)


def _soak(folder: Path, seconds: float, lap: float, leak: str = "") -> Soaked:
    """Send for so many seconds, from a process of its own to another one."""
    with _gateway() as base_url:
        options = [base_url, str(folder), str(seconds), str(lap), leak]
        sender = subprocess.run(  # noqa: S603 - ours
            [sys.executable, soak_sender.__file__, *options],
            env={**os.environ, "PYTHONPATH": str(Path(soak_sender.__file__).parents[1])},
            stdout=subprocess.PIPE,
            check=True,
            timeout=seconds + 100,
        )
        with urllib.request.urlopen(f"{base_url}/ledger") as answer:  # noqa: S310 - loopback
            texted = answer.read()
            faults = Counter(json.loads(answer.headers["X-Faults"]))
    outcomes = (folder / "outcomes").read_text()
    return Soaked(outcomes, texted.ljust(len(outcomes), b"\0"), faults, json.loads(sender.stdout))


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """For how long to send, with as much more time for the test."""
    return float(str(request.config.getoption("--soak")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give the soak the time that the flag asks for."""


def test_nothing_is_left_behind(seconds: float, tmp_path: Path) -> None:
    """Memory, files, sockets and tasks stay flat, nobody has two texts, and outcomes are true."""
    soaked = _soak(tmp_path, seconds, seconds / LAPS)

    told = Counter(zip(soaked.outcomes, soaked.texted, strict=True))
    sys.stdout.write(f"{told} {soaked.faults} {soaked.samples[0]} {soaked.samples[-1]}")
