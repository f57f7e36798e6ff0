"""The circuit breaker: a gateway that is out of order is left alone until it works again."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Literal

from attrs import field, frozen, validators

from iprog_async._core.clock import Clock
from iprog_async._core.errors import (
    ConnectionFailedError,
    NoAnswerError,
    ProviderError,
    RateLimitError,
)
from iprog_async._core.outcomes import Accepted, NotSent, Outcome, Unknown


BreakerState = Literal["closed", "open", "half-open"]


@frozen(kw_only=True)
class BreakerPolicy:
    """When a gateway counts as out of order, and for how long.

    Failures are connections that fail, unknown outcomes, and refusals because of the account
    other than a request to slow down. A text that is accepted, or refused because of the text
    or its recipient, shows that the gateway works.

    Args:
        failures: So many failures in a row, and the gateway is not asked any more.
        cooldown: After so many seconds one text at a time tries whether it works again.
    """

    failures: int = field(default=5, validator=validators.ge(1))
    cooldown: float = field(default=30.0, validator=validators.ge(0))


class Health(Enum):
    """What the outcomes of one request say about the gateway."""

    WORKS = "works"
    FAILS = "fails"
    NOTHING = "nothing"


def health_of(outcomes: Iterable[Outcome]) -> Health:
    """Return what outcomes say: one text that got through says more than others that did not."""
    found = Health.NOTHING
    for outcome in outcomes:
        health = _health(outcome)
        if health is Health.WORKS:
            return health
        if health is Health.FAILS:
            found = health
    return found


def _health(outcome: Outcome) -> Health:
    match outcome:
        case Accepted():
            return Health.WORKS
        case Unknown():
            return Health.FAILS
        case NotSent(error=RateLimitError()):
            # The account's pause sees to this already, and knows how long.
            return Health.NOTHING
        case NotSent(error=ProviderError() as error):
            return Health.FAILS if error.blame == "account" else Health.WORKS
        case NotSent(error=ConnectionFailedError() | NoAnswerError()):
            return Health.FAILS
        case _:
            # Something on our side: the client is closed, the journal can't be written, …
            return Health.NOTHING


class Admission:
    """Leave to make one request; has to be settled, however the request ends."""


class Breaker:
    """Decides whether one gateway is asked.

    Args:
        policy: When it is out of order.
        clock: What tells the time.
    """

    def __init__(self, policy: BreakerPolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._failures = 0
        self._opens_at: float | None = None
        self._probe: Admission | None = None

    @property
    def state(self) -> BreakerState:
        """`closed`: it is asked; `open`: it is not; `half-open`: one text at a time tries."""
        if self._opens_at is None:
            return "closed"
        return "open" if self._clock.monotonic() < self._opens_at else "half-open"

    @property
    def admits(self) -> bool:
        """Whether a request would be admitted now."""
        return self.state == "closed" or (self.state == "half-open" and self._probe is None)

    @property
    def cooldown_left(self) -> float:
        """Seconds until the next try; 0 if there may be one now."""
        return max(0.0, (self._opens_at or 0.0) - self._clock.monotonic())

    def admit(self) -> Admission | None:
        """Return leave for one request, or `None`; while half-open, to one at a time."""
        if not self.admits:
            return None
        admission = Admission()
        if self._opens_at is not None:
            self._probe = admission
        return admission

    def settle(self, admission: Admission, health: Health) -> bool:
        """Note how an admitted request ended; return whether the gateway failed or recovered by it.

        A request that was admitted earlier and succeeds late is as good a proof as a probe;
        one that fails late proves nothing new.
        """
        is_probe = admission is self._probe
        if is_probe:
            self._probe = None
        if health is Health.WORKS:
            return self._close()
        if health is Health.NOTHING:
            return False
        if self._opens_at is not None:
            if is_probe:
                self._open()
            return False
        self._failures += 1
        if self._failures < self._policy.failures:
            return False
        self._open()
        return True

    def trip(self) -> bool:
        """Open although fewer requests than that failed; return whether it was closed."""
        was_closed = self._opens_at is None
        if was_closed:
            self._open()
        return was_closed

    def follow(self, left: float | None) -> None:
        """Take over the state that goes for all processes.

        Args:
            left: Seconds until the next try; `None`: it is closed.
        """
        if left is not None:
            self._opens_at = self._clock.monotonic() + left
        elif self._opens_at is not None:
            self._close()

    def _open(self) -> None:
        self._opens_at = self._clock.monotonic() + self._policy.cooldown

    def _close(self) -> bool:
        was_open = self._opens_at is not None
        self._failures = 0
        self._opens_at = self._probe = None
        return was_open
