"""A circuit breaker's state that all processes share, decided from what each of them tells."""

from __future__ import annotations

import json
from typing import Literal

from attrs import evolve, frozen


# Seconds; a process that was given the one try and tells nothing for so long is gone.
_PROBE_TTL = 60.0

BreakerNews = Literal["none", "opened", "failed", "works", "gave up"]
"""What a process tells: it opened; its try failed; a text got through; its try proved nothing."""


@frozen(kw_only=True)
class BreakerReport:
    """What one process tells of a breaker, and asks.

    Args:
        owner: Names the process.
        news: What happened there.
        cooldown: For how many seconds a breaker that opens is open.
        wants_probe: Whether it would try, if nobody else does.
    """

    owner: str
    news: BreakerNews = "none"
    cooldown: float = 0.0
    wants_probe: bool = False


@frozen(kw_only=True)
class BreakerReply:
    """What goes for all processes.

    Args:
        is_open: Whether it is open or half-open.
        left: In how many seconds there may be a try.
        may_probe: Whether this process is the one that tries.
    """

    is_open: bool = False
    left: float = 0.0
    may_probe: bool = False


@frozen(kw_only=True)
class _Breaker:
    """The state, taken apart; times are the store's."""

    opens_at: float | None = None
    cooldown: float = 0.0
    probe: str | None = None
    probe_until: float = 0.0


def settle_breaker(state: str, now: float, report: BreakerReport) -> tuple[str, BreakerReply]:
    """Return the state that a report leads to, and what goes for its process.

    Args:
        state: As this function returned it the last time; whatever can't be read is made anew.
        now: Seconds, by the store's clock.
        report: What a process tells.
    """
    breaker = _after(_read(state, now), now, report)
    if breaker.opens_at is None:
        return _write(breaker), BreakerReply()
    left = max(0.0, breaker.opens_at - now)
    taken = breaker.probe not in (None, report.owner) and now < breaker.probe_until
    may_probe = report.wants_probe and not left and not taken
    if may_probe:
        breaker = evolve(breaker, probe=report.owner, probe_until=now + _PROBE_TTL)
    return _write(breaker), BreakerReply(is_open=True, left=left, may_probe=may_probe)


def _after(breaker: _Breaker, now: float, report: BreakerReport) -> _Breaker:
    if report.news == "works":
        return _Breaker()
    is_probe = breaker.probe == report.owner
    if report.news == "failed" and is_probe:
        return _Breaker(opens_at=now + report.cooldown, cooldown=report.cooldown)
    if report.news == "opened" and breaker.opens_at is None:
        return _Breaker(opens_at=now + report.cooldown, cooldown=report.cooldown)
    if report.news == "gave up" and is_probe:
        return evolve(breaker, probe=None)
    return breaker


def _write(breaker: _Breaker) -> str:
    return json.dumps([breaker.opens_at, breaker.cooldown, breaker.probe, breaker.probe_until])


def _read(state: str, now: float) -> _Breaker:
    try:
        opens_at, cooldown, probe, probe_until = json.loads(state)
        if opens_at is None:
            return _Breaker()
        # A clock that was set back, or began anew, keeps nobody out for longer than told.
        return _Breaker(
            opens_at=min(float(opens_at), now + float(cooldown)),
            cooldown=float(cooldown),
            probe=None if probe is None else str(probe),
            probe_until=min(float(probe_until), now + _PROBE_TTL),
        )
    except (ValueError, TypeError):
        return _Breaker()
