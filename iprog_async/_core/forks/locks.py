"""A lock that is free in a process that was forked off, whichever thread of the parent held it."""

from __future__ import annotations

import os
import threading
import weakref


class ForkLock:
    """Holds a lock, which a child of a fork has a new one of: nobody is there to let go of the old.

    It is taken by `with turn.lock:`, so that who was forked off within lets go of what it took.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        """The lock of this process."""
        _all.add(self)


_all: weakref.WeakSet[ForkLock] = weakref.WeakSet()


def _renew_all() -> None:
    for each in list(_all):
        each.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
