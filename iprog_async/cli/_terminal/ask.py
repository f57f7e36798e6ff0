"""Asking a person at a terminal."""

from __future__ import annotations

import select
import sys


_LOOK_EVERY = 0.2


def ask(question: str) -> str:
    """Return the line that a person types; Ctrl-C interrupts, whenever it is pressed.

    `input` loses a Ctrl-C that comes between the question and the reading of its answer.
    """
    if sys.platform == "win32" or not sys.stdin.isatty():
        return input(question)
    sys.stdout.write(question)
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], _LOOK_EVERY)[0]:
        pass
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line
