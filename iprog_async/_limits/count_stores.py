"""Where counts are kept: in memory, or in a store that processes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from iprog_async._limits.counts import Counts


R = TypeVar("R")

Change = Callable[[Counts], R]
"""Changes counts, and answers something; it is a plain function."""


class CountStore(Protocol):
    """Keeps counts by name, for all processes; belongs to one event loop."""

    async def change(self, names: Sequence[bytes], change: Change[R]) -> R:
        """Change some counts together, while nobody else changes them.

        Args:
            names: Which ones.
            change: Is given the counts, with the time by the store's clock.

        Returns:
            What it answered.

        Raises:
            LimitStoreError: The store can't be used; the counts may be changed all the same.
        """
        ...

    async def salt(self) -> bytes:
        """Return what goes into the names of counts, the same for all processes.

        Raises:
            LimitStoreError: The store can't be used.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the store."""
        ...


class MemoryCountStore:
    """Counts of one process, which end with it.

    Args:
        now: What tells the time, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._states: dict[bytes, tuple[str, float]] = {}
        self._next_sweep = 1_000

    def __bool__(self) -> bool:
        """Whether anything was counted."""
        return bool(self._states)

    async def change(self, names: Sequence[bytes], change: Change[R]) -> R:
        """Change some counts together."""
        found = {name: self._states[name][0] for name in names if name in self._states}
        counts = Counts(found, self._now())
        answer = change(counts)
        self._states.update(counts.changed())
        if len(self._states) > self._next_sweep:
            self._sweep(counts.now)
        return answer

    def _sweep(self, now: float) -> None:
        self._states = {name: kept for name, kept in self._states.items() if kept[1] > now}
        self._next_sweep = 2 * len(self._states) + 1_000

    async def salt(self) -> bytes:
        """Return what goes into the names of counts."""
        return b"memory"

    async def aclose(self) -> None:
        """Keep it all."""
