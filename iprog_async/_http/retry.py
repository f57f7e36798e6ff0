"""Retries: how often and how patiently; tenacity runs the loop, with our back-off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from attrs import field, frozen, validators

from iprog_async._core.errors import ConnectionFailedError, NoAnswerError, SmsError
from iprog_async._http.back_off import BackOff
from iprog_async._http.send_context import withdrawable


T = TypeVar("T")

SHORTEST_PAUSE = 1.0
"""Seconds: a gateway that says "slow down" for ever is not asked in a busy loop, whatever it or the
policy says about how long to wait."""


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is tried again.

    A send is repeated only if it certainly did not leave, whatever this says.

    Args:
        attempts: The most tries of one call, the first one included; 1 turns retries off.
        base: Upper bound of the first wait, in seconds; it doubles with each further one, and
            the wait is drawn evenly from zero to the bound (full jitter).
        max_wait: The longest wait between two tries, in seconds.
        max_pause: The longest time in all that one call waits because the gateway asked to slow
            down, in seconds: by `Retry-After`, or by `X-RateLimit-Reset`. Such waits use up no
            attempts. A call that would have to wait longer is told so, by `RateLimitError`. The
            window of a rate is waited for all the same, and so is a minute where a gateway says
            that no call is left, and neither until when nor its rate is known.
        default_pause: The wait where a gateway says "slow down" and not for how long; at least a
            second.
    """

    attempts: int = field(default=4, validator=validators.ge(1))
    base: float = field(default=0.5, validator=validators.ge(0))
    max_wait: float = field(default=8.0, validator=validators.ge(0))
    max_pause: float = field(default=120.0, validator=validators.ge(0))
    default_pause: float = field(default=60.0, validator=validators.ge(0))

    def longest_wait(self, retries: int) -> float:
        """Return the upper bound of the wait before a retry, the first being number 1."""
        return back_off(self).longest_wait(retries)

    @classmethod
    def off(cls) -> RetryPolicy:
        """Return a policy that tries once and never waits."""
        return cls(attempts=1, max_pause=0)


def back_off(policy: RetryPolicy) -> BackOff:
    """Return the waits of a policy."""
    return BackOff(policy.base, policy.max_wait)


def is_repeatable(error: BaseException) -> bool:
    """Return whether a call may be made again after this error, with no effect happening twice."""
    return isinstance(error, (ConnectionFailedError, NoAnswerError))


async def try_again(
    policy: RetryPolicy,
    first: SmsError,
    attempt: Callable[[], Awaitable[T]],
    sleep: Callable[[float], Coroutine[Any, Any, None]],
    time_left: Callable[[], float] = lambda: float("inf"),
    repeatable: Callable[[BaseException], bool] = is_repeatable,
) -> T:
    """Go on after a failed first attempt; raises the last error when nothing more is allowed.

    Args:
        policy: How often and how patiently.
        first: What the first attempt raised.
        attempt: Makes one more.
        sleep: What waits between two tries.
        time_left: Seconds until the deadline.
        repeatable: Whether there may be another attempt after an error.
    """
    # Imported here: most calls succeed at once and never need it.
    from tenacity import (
        AsyncRetrying,
        RetryCallState,
        retry_if_exception,
        stop_after_attempt,
    )
    from tenacity.stop import stop_base

    pending: SmsError | None = first

    async def attempt_or_replay() -> T:
        # tenacity's own first attempt is the one that has already failed.
        nonlocal pending
        if pending is not None:
            error, pending = pending, None
            raise error
        return await attempt()

    class StopAtDeadline(stop_base):
        def __call__(self, state: RetryCallState) -> bool:
            return state.upcoming_sleep >= time_left()

    waits = back_off(policy)
    retrying = AsyncRetrying(
        stop=stop_after_attempt(policy.attempts) | StopAtDeadline(),
        wait=lambda state: waits.draw_wait(state.attempt_number),
        retry=retry_if_exception(repeatable),
        sleep=lambda seconds: withdrawable(sleep(seconds)),
        reraise=True,
    )
    return await retrying(attempt_or_replay)
