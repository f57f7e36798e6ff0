"""What a run has yet to do, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from iprog_async._bulk.plan import BulkPlan
from iprog_async._bulk.progress import Counts
from iprog_async._core.rates import Rate
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._terminal.show import count_of


@frozen
class Eta:
    """What the rest of a run waits for, as far as that can be told.

    Args:
        least_left: Seconds that the rest takes at least, by the rate of the gateway.
        pause: Seconds for which nothing is sent, because the gateway asked for a pause.
    """

    least_left: Callable[[Counts], float]
    pause: Callable[[], float]


UNKNOWN = Eta(lambda counts: 0.0, lambda: 0.0)
"""Nothing is known to hold it up."""


def least_left(plan: BulkPlan, provider: SmsProvider) -> Callable[[Counts], float]:
    """Return what tells the seconds that the rest of a planned run takes at least.

    Args:
        plan: The plan.
        provider: Where its requests go.
    """

    def seconds(counts: Counts) -> float:
        texts = min(plan.total - counts.total, plan.recipients)
        # As many texts in a request as in the plan, on average.
        requests = -(-texts * plan.batches // max(plan.recipients, 1))
        return least_seconds(requests, provider) or 0.0

    return seconds


_UNITS = {1.0: "s", 60.0: "min", 3600.0: "h"}


def least_seconds(requests: int, provider: SmsProvider) -> float | None:
    """Return how many seconds pass at least before the last request leaves.

    Args:
        requests: How many there are.
        provider: Where they go.

    Returns:
        `None` where there is no rate, or several gateways have their own.
    """
    rate = _rate_of(provider)
    # The first ones need not wait.
    return None if rate is None else max(requests - 1, 0) // rate.count * rate.per


def time_words(requests: int, provider: SmsProvider) -> str:
    """Return the rate and the least time in words; empty where no request has to wait."""
    rate, seconds = _rate_of(provider), least_seconds(requests, provider)
    if rate is None or not seconds:
        return ""
    unit = _UNITS.get(rate.per) or f"{rate.per:g}s"
    return f"at most {rate.count}/{unit}: that takes about {_duration(seconds)} or more"


def _rate_of(provider: SmsProvider) -> Rate | None:
    rate: object = getattr(provider, "rate", None)
    return rate if isinstance(rate, Rate) else None


def _duration(seconds: float) -> str:
    """Return a time in words, to the minute where it is long."""
    if seconds < 100:
        return count_of(round(seconds), "second")
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
