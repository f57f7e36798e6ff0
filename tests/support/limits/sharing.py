"""Several throttles that share an account, as several processes do."""

from __future__ import annotations

from collections.abc import Callable

from iprog_async import Rate
from iprog_async._http.leases import Leases
from iprog_async._http.throttle import Throttle
from iprog_async._limits.shared import SharedLimits
from iprog_async._limits.store import LimitStore
from support.core.clock import VirtualClock


ACCOUNT = ("sms.example", ("a token",))


def sharing(
    count: int, rate: Rate | None, clock: VirtualClock, store: Callable[[], LimitStore]
) -> list[Throttle]:
    """Return the throttles of so many processes, each with a store object of its own."""
    throttles: list[Throttle] = []
    for _ in range(count):
        limits = SharedLimits(store())
        throttle = Throttle(rate, clock)
        throttle.share(Leases(limits.owner, limits.of_account(ACCOUNT), throttle, clock))
        throttles.append(throttle)
    return throttles
