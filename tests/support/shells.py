"""Shells on a terminal of their own, in which a line is completed as a person completes it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import frozen

from support.waiting import LONG


_TOLD = re.compile(r"GOT<([^>]*)>")
_START = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
# Makes the terminal the one that the shell is controlled by, and becomes the shell.
_ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
# In place of the command, a function that tells what it was given.
_COMMAND = {
    "bash": "iprog-async() { printf 'GOT<%s>\\n' \"$*\"; }",
    "zsh": "iprog-async() { printf 'GOT<%s>\\n' \"$*\"; }",
    "fish": "function iprog-async; printf 'GOT<%s>\\n' \"$argv\"; end",
}


@frozen
class Shell:
    """One interactive shell.

    Args:
        name: Which one.
        folder: Where it works.
        setup: Lines that it reads first.
    """

    name: str
    folder: Path
    setup: tuple[str, ...]

    def complete(self, line: str) -> str:
        """Return what the command is given when a line is typed, with a tab, and run."""
        program = shutil.which(self.name)
        if program is None:
            pytest.skip(f"{self.name} is not installed")
        (self.folder / "setup").write_text("\n".join((*self.setup, _COMMAND[self.name])) + "\n")
        leader, follower = pty.openpty()
        env = {**os.environ, "TERM": "xterm", "HOME": str(self.folder), **_quiet(self.folder)}
        process = subprocess.Popen(  # noqa: S603 - a shell that the test names
            [sys.executable, "-c", _ON_TERMINAL, program, *_START[self.name]],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=self.folder,
            env=env,
            start_new_session=True,
        )
        os.close(follower)
        try:
            _type(leader, ". ./setup; printf 'REA''DY\\n'\n")
            _read(leader, re.compile("(READY)\r?\n"))
            _type(leader, f"{line}\t\n")
            return _read(leader, _TOLD)
        finally:
            process.kill()
            process.wait()
            os.close(leader)


def _quiet(folder: Path) -> Mapping[str, str]:
    return {"PS1": "$ ", "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}


def _type(leader: int, keys: str) -> None:
    os.write(leader, keys.encode())


def _read(leader: int, expected: re.Pattern[str]) -> str:
    """Read until something is there, and return its first group."""
    seen, ends = "", time.monotonic() + LONG
    while time.monotonic() < ends:
        ready, _, _ = select.select([leader], [], [], 1.0)
        if ready:
            seen += os.read(leader, 65536).decode(errors="replace")
        if found := expected.search(seen):
            return found[1].strip()
    raise AssertionError(f"the shell did not come to it: {seen!r}")
