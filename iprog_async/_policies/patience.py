"""Slowing down where policies allow a text at its turn, and not as it leaves, again and again."""

from __future__ import annotations

from contextlib import suppress

from iprog_async._core.clock import Clock
from iprog_async._http.send_context import WithdrawnError, withdrawable


_PAUSE_SECONDS = 1.0


class Patience:
    """Has a sender pause, from the second time in a row on that a text was withdrawn.

    Once is usual: the night began, or the number said STOP. A policy that never comes to one
    answer would otherwise keep the program busy with nothing.

    Args:
        clock: What tells the time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.in_a_row = 0
        """How many sends in a row ended with a text that was withdrawn."""

    def ends(self, *, withdrawn: bool) -> bool:
        """Note that a send has ended; return whether a pause is due.

        Args:
            withdrawn: Whether a text of it was withdrawn.
        """
        self.in_a_row = self.in_a_row + 1 if withdrawn else 0
        return self.in_a_row > 1

    async def pause(self) -> None:
        """Pause; not once the run is stopped."""
        with suppress(WithdrawnError):
            await withdrawable(self._clock.sleep(_PAUSE_SECONDS))
