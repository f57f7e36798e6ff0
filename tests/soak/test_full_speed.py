"""Sending for a long time through everything that can go wrong costs nothing that stays.

`pytest tests/soak/test_full_speed.py --soak 600 -rP` sends for ten minutes and shows the figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from soak.books import ACCEPTED, UNKNOWN, Tally
from soak.levels import Level, changes
from soak.mishaps import MISHAPS


pytestmark = pytest.mark.slow


_TESTS = Path(__file__).parents[1]
# For what is on its way at the end, with pauses that the gateway asks for.
_REST = 60
# It takes memory half a minute to reach its level, 15 MB above the first second's, and on a busy
# machine a second has only some rounds of a bulk run. So a shorter run finds the leaks of files,
# and large ones of memory and tasks; small ones of tasks at its end, when none may be left.
_WARM_AFTER = 60
_STILL_WARMING = {"memory": 20_000.0, "tasks": 100.0}


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    # A warning, such as that of a socket nobody closed, ends up on standard error.
    command = [sys.executable, "-W", "always", "-m", f"soak.{module}", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603 - our own modules
        command, cwd=_TESTS, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


def _output(process: subprocess.Popen[str], timeout: float) -> Any:
    output, errors = process.communicate(timeout=timeout)
    assert (0, "") == (process.returncode, errors)
    return json.loads(output)


@contextmanager
def _running(module: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    process = _start(module, *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _tallies(folder: Path) -> dict[str, Tally]:
    return {
        book.name: Tally.of(book.read_bytes(), (folder / "deliveries" / book.name).read_bytes())
        for book in sorted((folder / "outcomes").iterdir())
    }


def _sum(tallies: dict[str, Tally], mark: int) -> int:
    return sum(tally.marked(mark) for tally in tallies.values())


@pytest.mark.skipif(not Level.can_measure(), reason="reads Linux's own figures")
def test_nothing_grows_and_nobody_is_texted_twice(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """Under every fault, both engines hold what they held, and tell the truth of each text."""
    seconds = float(str(pytestconfig.getoption("--soak")))
    for name in ("outcomes", "deliveries"):
        (tmp_path / name).mkdir()

    with _running("gateway", str(tmp_path / "deliveries")) as gateway:
        assert gateway.stdout is not None
        base_url = f"http://127.0.0.1:{int(gateway.stdout.readline())}"
        with _running("sender", base_url, str(seconds), str(tmp_path)) as sender:
            sent = _output(sender, seconds + _REST)
        seen = _output(gateway, _REST)

    tallies = _tallies(tmp_path)
    levels = [Level(**level) for level in sent["levels"]]
    found = changes(levels, noise=_STILL_WARMING if seconds < _WARM_AFTER else None)
    _show(sent, seen, tallies, {name: str(change) for name, change in found.items()})

    assert 10 == len(tallies)
    assert {} == {name: tally.lies for name, tally in tallies.items() if tally.lies}
    assert [] == seen["strange"]
    for tally in tallies.values():
        accepted, unknown = tally.marked(ACCEPTED), tally.marked(UNKNOWN)
        assert 0 < accepted <= tally.delivered <= accepted + unknown
    # Neither all good nor all bad: the faults came, and most of the texts all the same.
    assert 0 < _sum(tallies, UNKNOWN) < _sum(tallies, ACCEPTED)
    assert {mishap.name for mishap in MISHAPS} | {"429", "hang up"} == seen["happened"].keys()
    assert {} == {name: str(change) for name, change in found.items() if change.grew}
    # With everything closed not even one descriptor or task is left.
    before, after = Level(**sent["before"]), Level(**sent["after"])
    assert (before.files, before.tasks) == (after.files, after.tasks)


def _show(
    sent: dict[str, Any], seen: dict[str, Any], tallies: dict[str, Tally], found: dict[str, str]
) -> None:
    lines = [f"{name:>20} {tally}" for name, tally in tallies.items()]
    lines += [f"{name:>20} {change}" for name, change in found.items()]
    lines += [f"{name:>20} {count}" for name, count in sorted(seen["happened"].items())]
    lines += [f"{name:>20} {sent[name]}" for name in ("before", "after")]
    sys.stdout.write("\n".join(["", *lines, ""]))
