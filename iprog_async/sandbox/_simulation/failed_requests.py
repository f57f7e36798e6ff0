"""The last requests that came to nothing: a fault was in the way, or the gateway refused them."""

from __future__ import annotations

import itertools
from collections import deque
from datetime import datetime
from typing import Any

from attrs import define, field, frozen

from iprog_async.sandbox._simulation.exchange import Exchange, current
from iprog_async.sandbox._simulation.fault_kinds import EFFECTS, FaultKind


MOST = 20
"""Refused requests that are kept; older ones are forgotten first."""
_LARGEST = 256 * 1024
"""Bytes of the largest one of which more than the outline is kept."""
_ERROR = 400


@frozen
class FailedRequest:
    """One request without success.

    Args:
        serial: Its number among all of them, from 1.
        at: When it ended, in UTC.
        exchange: What travelled.
    """

    serial: int
    at: datetime
    exchange: Exchange

    @property
    def prefix(self) -> str:
        """The first part of its path, which is the gateway's prefix if there is such a gateway."""
        return self.exchange.path.strip("/").partition("/")[0]

    def outline(self) -> dict[str, Any]:
        """Return in JSON-ready data what happened to it."""
        exchange, reason = self.exchange, self.exchange.reason
        if reason is None and exchange.fault is not None:
            reason = EFFECTS[exchange.fault].brief
        return {
            "serial": self.serial,
            "status": exchange.status,
            "fault": exchange.fault,
            "reason": reason,
        }


def note_refusal(reason: str = "refused") -> None:
    """Let the inbox page tell that a gateway refuses the request that is being handled.

    HTTP statuses of 400 and more tell it by themselves; it is for refusals within an HTTP 200,
    and for those that have a name.

    Args:
        reason: A word or two; the first one that is noted for a request counts.
    """
    exchange = current.get()
    if exchange is not None and exchange.reason is None:
        exchange.reason = reason


def is_refused(exchange: Exchange) -> bool:
    """Return whether a request that has ended came to nothing; a text that came of it is in sight.

    A fault that only takes its time is none that matters.
    """
    if exchange.kept:
        return False
    broken = _is_broken(exchange.fault) or exchange.reason is not None
    return broken or (exchange.status or 0) >= _ERROR


def _is_broken(fault: FaultKind | None) -> bool:
    return fault is not None and not EFFECTS[fault].only_delays


@define
class FailedRequests:
    """The last refused requests; not safe by itself to use from several threads."""

    _kept: deque[FailedRequest] = field(
        factory=lambda: deque[FailedRequest](maxlen=MOST), init=False
    )
    _serials: itertools.count[int] = field(factory=lambda: itertools.count(1), init=False)

    def note(self, exchange: Exchange, at: datetime) -> None:
        """Keep one."""
        if exchange.size > _LARGEST:
            exchange.forget()
        self._kept.append(FailedRequest(next(self._serials), at, exchange))

    def list(self) -> list[FailedRequest]:
        """Return them, the newest first."""
        return [*reversed(self._kept)]

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()
