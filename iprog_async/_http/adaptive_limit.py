"""Adaptive concurrency limit (AIMD): how many calls at once, told from how long answers take.

The rule is that of TCP: a little more with each answer in time, much less once answers come late
(additive increase, multiplicative decrease). It is cautious: there is no ceiling until answers
take seconds, and several times as long as they did before.
"""

from __future__ import annotations


# Answers below this are never late, in seconds: our own processor may be what is slow.
_IN_TIME = 2.0
# Answers that take so many times as long as the fastest do are late.
_TIMES_BEST = 4.0
_CUT = 0.7
# What stays late with fewer calls at once is simply slow: each cut in vain allows more time.
_FORBEARANCE = 1.5
# Weight of one more answer; the latest dozen or so decide.
_WEIGHT = 1 / 8
# The least number of answers from one cut to the next, which has to show what the first did.
_PATIENCE = 16


class AdaptiveLimit:
    """The ceiling on calls at once of one account; pure, so that it can be tested."""

    def __init__(self) -> None:
        self.limit: float | None = None
        """The most calls at once, never below one; `None` while there is no ceiling."""
        self._highest = 0
        self._best = float("inf")
        self._smoothed = 0.0
        self._until_next_cut = 0

    def note(self, seconds: float, at_once: int) -> None:
        """Note an answer, or a time-out.

        Args:
            seconds: How long it took.
            at_once: How many calls were under way.
        """
        if self._until_next_cut:
            self._until_next_cut -= 1
        # Written out, as it is done in each send: a call of `min` takes several times as long.
        if seconds < self._best:
            self._best = seconds
        late_after = _TIMES_BEST * self._best
        if late_after < _IN_TIME:
            late_after = _IN_TIME
        # One time-out is a lost packet and no slow gateway.
        sample = seconds if seconds < 2 * late_after else 2 * late_after
        self._smoothed += (sample - self._smoothed) * _WEIGHT
        if self._smoothed > late_after:
            if not self._until_next_cut:
                self._cut(at_once)
        elif self.limit is not None and seconds <= late_after:
            self._raise(self.limit)

    def _cut(self, at_once: int) -> None:
        current = at_once if self.limit is None else min(at_once, self.limit)
        self._highest = max(self._highest, at_once)
        self.limit = max(1.0, current * _CUT)
        self._best *= _FORBEARANCE
        self._until_next_cut = max(at_once, _PATIENCE)

    def _raise(self, limit: float) -> None:
        """Allow one call more for each round of answers, until no ceiling is needed."""
        self.limit = limit + 1 / limit
        if self.limit >= self._highest:
            self.limit, self._highest = None, 0
