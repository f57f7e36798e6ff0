"""The end of a text's time, looked at while its call waits, and as it leaves."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from iprog_async._core.clock import Clock, uptime
from iprog_async._core.errors import ExpiredError, InvalidMessageError, SmsError


@frozen
class LeaveBy:
    """Until when a text may leave.

    Args:
        until: The end.
        scheduled: Whether it is the time for which the text is scheduled: what a gateway does with
            one whose time is over is not known of any.
    """

    until: datetime
    scheduled: bool = False

    def error(self, why: str = "") -> SmsError:
        """Return what a text comes to that has not left by then.

        Args:
            why: What kept it, in a few words.
        """
        if not self.scheduled:
            return ExpiredError(self.until, why)
        return InvalidMessageError(
            f"schedule_at {self.until.isoformat()} came before the gateway could be told"
            f"{f': {why}' if why else ''}. It was not sent"
        )


@frozen
class Expiry:
    """Until when the texts of a call may leave.

    Args:
        end: The end.
        clock: What tells the time.
    """

    _end: LeaveBy
    _clock: Clock

    @property
    def seconds_left(self) -> float:
        """How long they still may."""
        return (self._end.until - self._clock.now()).total_seconds()

    @property
    def leaves_by(self) -> float:
        """Until when, by `uptime`, a byte of them may be written."""
        return uptime() + self.seconds_left

    def check(self, why: str = "") -> None:
        """Raise what they come to, once it is too late.

        Args:
            why: What kept them.
        """
        self.check_wait(0.0, why)

    def check_wait(self, seconds: float, why: str) -> None:
        """Raise what they come to if it is too late after a wait; nobody has to wait for that.

        Args:
            seconds: How long the wait is.
            why: What it is for.
        """
        if seconds >= self.seconds_left:
            raise self.error(why)

    def error(self, why: str) -> SmsError:
        """Return what they come to if they can't leave in time.

        Args:
            why: What kept them.
        """
        return self._end.error(why)
