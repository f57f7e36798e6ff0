"""The pause of a sender whose gateway, account or database lets nothing through."""

from __future__ import annotations

from attrs import define, field

from iprog_async._core.errors import RateLimitError, SmsError
from iprog_async._http.back_off import BackOff
from iprog_async._http.retry import SHORTEST_PAUSE
from iprog_async.outbox._verdicts import Verdict


_BACK_OFF = BackOff(1.0, 30.0)


@define
class Pause:
    """Says when to go on. After a pause one text is tried, and the rest if that was answered.

    Args:
        seconds: How long trouble of the account lasts before it is tried again.
    """

    seconds: float
    cause: SmsError | None = None
    """Why nothing is sent at the moment, or only one text to see whether it goes."""
    _until: float = field(default=0.0, init=False)
    _count: int = field(default=0, init=False)

    def begin(self, cause: SmsError, verdict: Verdict, now: float) -> float | None:
        """Pause because of an error.

        Args:
            cause: The error.
            verdict: What it means.
            now: This moment, by `uptime`.

        Returns:
            For how many seconds; `None` if there is a pause already, and this changes nothing.
        """
        if self.left(now):
            return None
        self.cause = cause
        self._count += 1
        seconds = self._length(cause, verdict)
        self._until = now + seconds
        return seconds

    def _length(self, cause: SmsError, verdict: Verdict) -> float:
        if verdict is Verdict.HALT:
            return self.seconds
        if isinstance(cause, RateLimitError) and cause.retry_after is not None:
            return max(cause.retry_after, SHORTEST_PAUSE)
        return _BACK_OFF.longest_wait(self._count) / 2 + _BACK_OFF.draw_wait(self._count) / 2

    def left(self, now: float) -> float:
        """Return how many seconds are left."""
        return max(self._until - now, 0.0)

    def end(self) -> None:
        """Go on at once, with one text; somebody says that the trouble is over."""
        self._until = 0.0

    def forget(self) -> None:
        """Go on with all: the gateway has answered."""
        self._until, self._count, self.cause = 0.0, 0, None
