"""A lock that a thread of the parent held is free in a child."""

from __future__ import annotations

import os

import pytest

from iprog_async._core.forks.locks import ForkLock


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_child_has_a_lock_that_is_free() -> None:
    """Whoever held it goes on in the parent alone, where it stays taken until they let go."""
    turn = ForkLock()
    with turn.lock:
        child = os.fork()
        if not child:
            os._exit(0 if turn.lock.acquire(blocking=False) else 1)
        ended = os.waitpid(child, 0)[1]
        assert turn.lock.locked()

    assert (0, False) == (os.waitstatus_to_exitcode(ended), turn.lock.locked())
