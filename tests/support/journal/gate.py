"""Stopping the thread of a journal between two of the things that it does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from iprog_async._journal.postgres.execution import Execution
from iprog_async._journal.sqlite.writer import Writer
from support.waiting import LONG


class Gate:
    """Stops journals' threads before the next thing they do, once they have done so many more.

    Args:
        monkeypatch: Stands in for what they do.
        after: How many they do first.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, after: int = 0) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._free = after
        for thread, name in ((Writer, "_results_of"), (Execution, "do")):
            monkeypatch.setattr(thread, name, self._stopped(getattr(thread, name)))

    def _stopped(self, really: Callable[..., Any]) -> Callable[..., Any]:
        def do(*asked: Any) -> Any:
            self._free -= 1
            if self._free < 0:
                self.reached.set()
                assert self.opened.wait(LONG)
            return really(*asked)

        return do
