"""The back-off: how long to wait before a call, a round, a resend or a poll is made again."""

from __future__ import annotations

import random

from attrs import frozen


@frozen
class BackOff:
    """Exponential back-off: each wait may be longer than the one before, up to a bound.

    Args:
        base: The longest first wait, in seconds.
        max_wait: The longest of all waits, in seconds.
        factor: How many times longer each further one may be.
    """

    base: float
    max_wait: float
    factor: float = 2.0

    def longest_wait(self, number: int) -> float:
        """Compute the upper bound of a wait, the first being number 1."""
        # Beyond a hundred of them a float overflows, long after `max_wait` has won.
        return min(self.base * self.factor ** min(number - 1, 100), self.max_wait)

    def draw_wait(self, number: int) -> float:
        """Draw a wait evenly from zero to its bound, the first being number 1.

        With this full jitter, clients that failed together do not come back together.
        """
        return random.uniform(0, self.longest_wait(number))  # noqa: S311 - spreads load, guards nothing
