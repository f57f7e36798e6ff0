"""The end of a text's time, looked at while its call waits, and as it leaves."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from iprog_async._core.clock import Clock, uptime
from iprog_async._core.errors import ExpiredError


@frozen
class Expiry:
    """Until when the texts of a call may leave.

    Args:
        not_after: The end.
        clock: What tells the time.
    """

    not_after: datetime
    _clock: Clock

    @property
    def seconds_left(self) -> float:
        """How long they still may."""
        return (self.not_after - self._clock.now()).total_seconds()

    @property
    def leaves_by(self) -> float:
        """Until when, by `uptime`, a byte of them may be written."""
        return uptime() + self.seconds_left

    def check(self, why: str = "") -> None:
        """Raise `ExpiredError` once it is too late.

        Args:
            why: What kept them.
        """
        self.check_wait(0.0, why)

    def check_wait(self, seconds: float, why: str) -> None:
        """Raise `ExpiredError` if it is too late after a wait; nobody has to wait for that.

        Args:
            seconds: How long the wait is.
            why: What it is for.
        """
        if seconds >= self.seconds_left:
            raise ExpiredError(self.not_after, why)
