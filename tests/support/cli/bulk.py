"""Files for `iprog-async bulk`, and the command as a process of its own."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from iprog_async.sandbox import Sandbox
from support.cli.runner import Ran


COMMAND = (sys.executable, "-m", "iprog_async")
SEND = "POST /iprog/*"
HI = ("--text", "Hi {name}")

Bulk = Callable[..., Ran]
"""Writes rows to a file and runs the command over it."""


def texts_of(sandbox: Sandbox) -> list[tuple[str, str]]:
    """Return number and text of all that came in."""
    return sorted((text.to, text.text) for text in sandbox.inbox)


def people(count: int) -> list[tuple[str, str]]:
    """Return numbers and names, all distinct."""
    return [(f"0917{place:07}", f"Ann{place}") for place in range(100, 100 + count)]


def write_csv(
    path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("phone", "name")
) -> str:
    """Write a CSV file and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a CSV file that has a header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def start(*tokens: str, **settings: str) -> subprocess.Popen[str]:
    """Start the command as a process."""
    return subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, *tokens],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **settings},
    )


def read_json(text: str) -> dict[str, object]:
    """Read the one JSON document of a process."""
    return dict(json.loads(text))
