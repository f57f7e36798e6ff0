"""Where shared limits are kept: small states by name, each changed by one process at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar


R = TypeVar("R")

Decide = Callable[[str, float], tuple[str, R]]
"""Makes the new state, and an answer, of the state and the store's time in seconds."""


class LimitStoreError(Exception):
    """The store can't be reached or used; nobody is texted twice by that, see `Leases`."""


class LimitStore(Protocol):
    """Keeps states by name, for all processes; belongs to one event loop.

    A lost state does no harm that lasts: it is made anew from what the processes tell next.
    """

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it, while nobody else changes it.

        Args:
            name: Of the state.
            decide: A pure function. It gets `""` for a state that is not there yet, and the time
                by the store's clock, which is the same for all processes.

        Returns:
            What `decide` answered.

        Raises:
            LimitStoreError: The store can't be used; it may have changed the state all the same.
        """
        ...

    async def salt(self) -> bytes:
        """Return what goes into the names of accounts, the same for all processes.

        Raises:
            LimitStoreError: The store can't be used.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the store."""
        ...


class MemoryStore:
    """Shared limits within one process: the shortest store that keeps the promises.

    Args:
        now: What tells the time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._states: dict[bytes, str] = {}

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it."""
        self._states[name], answer = decide(self._states.get(name, ""), self._now())
        return answer

    async def salt(self) -> bytes:
        """Return what goes into the names of accounts."""
        return b"memory"

    async def aclose(self) -> None:
        """Keep it all: others may use it."""
