"""What a run has yet to do, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from iprog_async._bulk.counts import Counts
from iprog_async._bulk.plan import BulkPlan
from iprog_async._providers.protocols import SmsProvider
from iprog_async.cli._least_time import least_seconds


@frozen
class Outlook:
    """What the rest of a run waits for, as far as that can be told.

    Args:
        least_left: Seconds that the rest takes at least, by the rate of the gateway.
        pause: Seconds for which nothing is sent, because the gateway asked for a pause.
    """

    least_left: Callable[[Counts], float]
    pause: Callable[[], float]


UNKNOWN = Outlook(lambda counts: 0.0, lambda: 0.0)
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
