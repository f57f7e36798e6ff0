"""How often this process was forked off: a copy of an open journal is of no use in a child."""

from __future__ import annotations

import os


_count = 0


def generation() -> int:
    """Return a number that is another one in each child."""
    return _count


def _count_fork() -> None:
    global _count
    _count += 1


# Asking for the number of the process, instead, is a system call for each row.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_fork)
