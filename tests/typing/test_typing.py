from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parent / "samples"

Places = set[tuple[str, int]]
"""File names and line numbers."""


def run(*command: str) -> str:
    """Return what a checker prints."""
    python = [sys.executable, "-m", *command]
    output = subprocess.run(python, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own files
    assert "" == output.stderr
    return output.stdout


def mypy(*files: str) -> Places:
    """Return where mypy complains."""
    output = run("mypy", "--no-error-summary", *files)
    return {(match[1], int(match[2])) for match in re.finditer(r"(\w+\.py):(\d+): error", output)}


def pyright(*files: str) -> Places:
    """Return where pyright complains."""
    output = json.loads(run("pyright", "--outputjson", "--project", str(ROOT), *files))
    return {
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1)
        for found in output["generalDiagnostics"]
    }


def expected() -> Places:
    """Return the lines that are marked."""
    lines = (SAMPLES / "wrong.py").read_text().splitlines()
    return {("wrong.py", number) for number, line in enumerate(lines, 1) if "# REJECT" in line}


@pytest.mark.parametrize("checker", [mypy, pyright])
def test_checkers_reject_what_is_wrong_and_nothing_else(
    checker: Callable[..., Places], tmp_path: Path
) -> None:
    """The marked lines are errors, `assert_type` holds, and `match` covers every outcome."""
    pytest.importorskip(checker.__name__)
    # Copied, because the project's own checks leave the wrong one out.
    names = ("right.py", "desks.py", "wrong.py")
    files = [str(shutil.copy(SAMPLES / name, tmp_path)) for name in names]

    assert expected() == checker(*files)
