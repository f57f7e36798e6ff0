"""What each place promises where a list of suppressed numbers is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from iprog_async._suppressions.entries import Suppression, SuppressionChange


class SuppressionStore(Protocol):
    """Keeps a list for any number of threads and processes; what one wrote all others see at once.

    Whatever can't be read or written is a `SuppressionsError`.
    """

    @property
    def shown(self) -> str:
        """Where it is, as people may see it."""
        ...

    @property
    def is_quick(self) -> bool:
        """Whether `among` takes microseconds, so that an event loop may wait for it."""
        ...

    def among(self, numbers: Sequence[str]) -> set[str]:
        """Return those of some numbers that are on the list now."""
        ...

    def add(self, entries: Sequence[Suppression]) -> int:
        """Put numbers on the list, durably; one that is on it stays as it is.

        Returns:
            How many were not on it yet.
        """
        ...

    def remove(self, changes: Sequence[SuppressionChange]) -> int:
        """Take numbers off the list, durably, and return how many were on it."""
        ...

    def count(self) -> int:
        """Return how many numbers are on the list."""
        ...

    def page(self, after: str, limit: int) -> list[Suppression]:
        """Return the next entries behind a number, in the order of numbers."""
        ...

    def changes(self, after: int, limit: int) -> list[tuple[int, SuppressionChange]]:
        """Return the next changes behind a place, in their order, each with its place."""
        ...

    def close(self) -> None:
        """Let go of it; twice is fine."""
        ...
