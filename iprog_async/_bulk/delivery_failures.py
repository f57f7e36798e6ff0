"""Noticing that a gateway takes texts and says in the same answers that they failed."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from iprog_async._core.errors import DeliveryFailedError
from iprog_async._core.outcomes import Accepted, Outcome
from iprog_async._sending.tally import Tally


logger = logging.getLogger("iprog_async")

_FIRST = 20


class Deliveries:
    """Counts the accepted texts of a run that failed one after the other.

    Args:
        halt_after: How many of them are too many; `None` for no bound.
    """

    def __init__(self, halt_after: int | None) -> None:
        self.failing: DeliveryFailedError | None = None
        """What is wrong if the first texts of the run have all failed."""
        self._halt_after = halt_after
        self._in_a_row = 0
        self._since_the_first = True

    def note(self, outcomes: Iterable[Outcome], tally: Tally) -> DeliveryFailedError | None:
        """Note outcomes of this run, as they were counted; return why it is to halt, if it is."""
        if not tally.failed:
            # As nearly always: nothing depends on their order.
            if tally.accepted:
                self._in_a_row, self._since_the_first = 0, False
            return None
        for outcome in outcomes:
            if not isinstance(outcome, Accepted):
                continue
            if not outcome.failed:
                self._in_a_row, self._since_the_first = 0, False
                continue
            self._in_a_row += 1
            if self._since_the_first and self._in_a_row == _FIRST:
                self.failing = _failing(self._in_a_row, outcome)
                logger.warning("the first texts of a run have all failed: %s", self.failing)
            if self._halt_after is not None and self._in_a_row >= self._halt_after:
                return _failing(self._in_a_row, outcome)
        return None


def _failing(count: int, last: Accepted) -> DeliveryFailedError:
    receipt = last.receipt
    return DeliveryFailedError(count, provider=receipt.provider, reason=receipt.status.word)
