"""Which incoming texts were handled: the same one that is told of twice is handled once.

Whoever handles one has a lease meanwhile, which ends by itself: a process that is killed leaves
no text behind that nobody may handle.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Literal, Protocol

from attrs import frozen

from iprog_async._core.forks.locks import ForkLock
from iprog_async._core.inbound import Inbound


if TYPE_CHECKING:
    from collections.abc import Callable

LEASE = 120.0
"""Seconds in which a text is handled; later another process may begin."""
ID_WINDOW = 24 * 3600.0
"""Seconds for which a gateway's id stays known."""

Turn = Literal["new", "busy", "done"]
"""Whether a text is to be handled now, is being handled, or was."""


class SeenStore(Protocol):
    """Knows what was begun and done, for any number of threads and processes."""

    def begin(self, key: bytes, owner: bytes, window: float) -> Turn:
        """Take a text for handling, unless it is known; twice by the same owner is once.

        Args:
            key: The text.
            owner: Who asks.
            window: For how many seconds it is known from now on.

        Raises:
            SuppressionsError: The store can't be used.
        """
        ...

    def end(self, key: bytes, owner: bytes) -> None:
        """Note that a text was handled."""
        ...

    def give_back(self, key: bytes, owner: bytes) -> None:
        """Let a text be handled again: it was not."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@frozen
class Record:
    """What is known of a text; times are seconds.

    Args:
        owner: Who began to handle it.
        lease_ends: Until when nobody else may.
        expires: Until when it is known.
        done: Whether it was handled.
    """

    owner: bytes
    lease_ends: float
    expires: float
    done: bool = False


def decide(record: Record | None, owner: bytes, now: float) -> Turn:
    """Return whose turn it is with a text."""
    if record is None or record.expires <= now:
        return "new"
    if record.done:
        return "done"
    return "new" if record.owner == owner or record.lease_ends <= now else "busy"


def begun(owner: bytes, now: float, window: float) -> Record:
    """Return what is known of a text from now on."""
    return Record(owner, now + LEASE, now + max(window, LEASE))


class MemorySeenStore:
    """Knows it for the threads of this process.

    Args:
        now: What tells the time.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._records: dict[bytes, Record] = {}
        self._turn = ForkLock()

    def begin(self, key: bytes, owner: bytes, window: float) -> Turn:
        """Take a text for handling, unless it is known."""
        with self._turn.lock:
            now = self._now()
            for old in [each for each, record in self._records.items() if record.expires <= now]:
                del self._records[old]
            turn = decide(self._records.get(key), owner, now)
            if turn == "new":
                self._records[key] = begun(owner, now, window)
            return turn

    def end(self, key: bytes, owner: bytes) -> None:
        """Note that a text was handled."""
        with self._turn.lock:
            record = self._records.get(key)
            if record is not None and record.owner == owner:
                self._records[key] = Record(owner, record.lease_ends, record.expires, done=True)

    def give_back(self, key: bytes, owner: bytes) -> None:
        """Let a text be handled again."""
        with self._turn.lock:
            record = self._records.get(key)
            if record is not None and record.owner == owner and not record.done:
                del self._records[key]

    def close(self) -> None:
        """Forget nothing."""


def key_of(inbound: Inbound) -> bytes:
    """Return what an incoming text is known by: its id, or else who said what to whom."""
    known = (
        (inbound.gateway, inbound.sender, inbound.to, inbound.text)
        if inbound.id is None
        else (inbound.gateway, inbound.id)
    )
    return hashlib.sha256(json.dumps(known).encode()).digest()
