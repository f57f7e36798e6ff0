"""What the processes of one account may do, decided from what each of them reports.

| a window takes | rule | kept of its ends |
|---|---|---|
| up to 100 calls | exact: a permit is free again a window after its call *ended* | each |
| more | the same, and spread: at most an eighth of them at once (GCRA) | hundredths of a window |

Both hold in every window of the gateway's own clock, because a request reaches it at some time
before its call ended. The state is one line of JSON; times in it are milliseconds of the store.
"""

from __future__ import annotations

import json
import math
from typing import Any

from attrs import Factory, define, frozen

from iprog_async._core.rates import Rate


OWNER_TTL = 10.0
"""Seconds after which a process that reports nothing counts as gone, and its calls as ended."""

FULL_SPEED = 64
"""After this many calls at once a restart is over, and only the rate limits."""

_VERSION = 1
_EXACT_UP_TO = 100
_BINS = 100
# A limit that is spread is given out a little faster than it allows, at most so much of it at
# once: what a stall lost can be caught up with. The window itself is exact all the same.
_CATCH_UP = 1.25
_AT_ONCE = 0.1
# In milliseconds; a time that lies further ahead was written before the clock was set back.
_CLOCK_SLACK = 1000


@frozen(kw_only=True)
class Report:
    """What one process tells of an account, and asks for.

    Args:
        owner: Names the process.
        rate: The most calls in any window, or `None`.
        held: How many permits it has: of calls under way, and of calls to come.
        wanted: How many more it could use now.
        ended: How long ago calls ended since its last report, in seconds, and how many.
        succeeded: How many calls were answered since then.
        pause: For how many seconds the gateway wants to be left alone, as it told this process.
    """

    owner: str
    rate: Rate | None = None
    held: int = 0
    wanted: int = 0
    ended: tuple[tuple[float, int], ...] = ()
    succeeded: int = 0
    pause: float = 0.0


@frozen(kw_only=True)
class Reply:
    """What a process may do.

    Args:
        granted: How many permits it gets.
        pause: For how many seconds the account is paused.
        restarting: Whether each call needs a permit, even without a rate: after a pause.
        wait: In how many seconds more permits may be free, if fewer than wanted were granted;
            `None`: once calls have ended.
    """

    granted: int = 0
    pause: float = 0.0
    restarting: bool = False
    wait: float | None = None


def exchange(state: str, now: float, report: Report) -> tuple[str, Reply]:
    """Return the state that a report leads to, and what its process may do.

    Args:
        state: As this function returned it the last time; whatever can't be read is made anew.
        now: Seconds, by the store's clock.
        report: What a process tells.
    """
    account = _read(state)
    # Rounded so that every window is a little too long, and none too short.
    moment = math.floor(now * 1000)
    account.settle_clock(moment)
    account.write_off(moment)
    account.note(report, now, moment)
    reply = account.grant(report, moment)
    return account.write(), reply


@define
class _Account:
    """The state, taken apart.

    Args:
        ended: When calls ended, and how many at that time.
        out: By process: how many permits it has, and when it last reported.
        resume_at: When the pause ends.
        pause: How long the pause is.
        allowed: How many calls at once there may be after a pause; `None`: any number.
        next_at: When the next permit of a spread limit is due.
        keep: The longest window that anybody told.
    """

    ended: dict[int, int] = Factory(dict[int, int])
    out: dict[str, tuple[int, int]] = Factory(dict[str, tuple[int, int]])
    resume_at: int = 0
    pause: int = 0
    allowed: int | None = None
    next_at: float = 0.0
    keep: int = 0

    def write(self) -> str:
        """Return the state as text."""
        values = [list(self.ended.items()), self.out, self.resume_at, self.pause, self.allowed]
        return json.dumps([_VERSION, *values, self.next_at, self.keep], separators=(",", ":"))

    def settle_clock(self, moment: int) -> None:
        """Let nothing last longer than it would have, if the clock was set back or began anew."""
        latest = moment + _CLOCK_SLACK
        if any(time > latest for time in self.ended):
            self.ended = {latest: sum(self.ended.values())}
        self.out = {who: (count, min(seen, latest)) for who, (count, seen) in self.out.items()}
        self.resume_at = min(self.resume_at, moment + self.pause)
        self.next_at = min(self.next_at, moment)

    def write_off(self, moment: int) -> None:
        """Take the calls of processes that are gone as ended, and forget ends that are past."""
        ttl = int(OWNER_TTL * 1000)
        for owner, (count, seen) in list(self.out.items()):
            if seen + ttl <= moment:
                del self.out[owner]
                if count:
                    self._note_end(seen + ttl, count)
        self.ended = {time: n for time, n in self.ended.items() if time + self.keep > moment}

    def note(self, report: Report, now: float, moment: int) -> None:
        """Take up what a process reports."""
        if report.rate is not None:
            self.keep = max(self.keep, _window(report.rate))
            grain = max(1, self.keep // _BINS) if report.rate.count > _EXACT_UP_TO else 1
            for age, count in report.ended:
                time = math.ceil((now - age) * 1000)
                self._note_end(-(-time // grain) * grain, count)
        self.out[report.owner] = (report.held, moment)
        if report.pause > 0:
            self.pause = math.ceil(report.pause * 1000)
            self.resume_at = max(self.resume_at, moment + self.pause)
            self.allowed = 1
        elif self.allowed is not None and moment >= self.resume_at:
            # One more for each answer doubles the calls at once from one round to the next.
            self.allowed += report.succeeded
            if self.allowed > FULL_SPEED:
                self.allowed = None

    def _note_end(self, time: int, count: int) -> None:
        self.ended[time] = self.ended.get(time, 0) + count

    def grant(self, report: Report, moment: int) -> Reply:
        """Give out what is free, and return the answer."""
        pause = max(0, self.resume_at - moment)
        granted, wait = (0, pause or None) if pause else self._free(report, moment)
        held = report.held + granted
        self.out[report.owner] = (held, moment)
        if not held:
            del self.out[report.owner]
        return Reply(
            granted=granted,
            pause=pause / 1000,
            restarting=self.allowed is not None,
            wait=None if wait is None or granted >= report.wanted else wait / 1000,
        )

    def _free(self, report: Report, moment: int) -> tuple[int, float | None]:
        """Return how many permits a process gets, and in how many milliseconds it may get more."""
        free, wait = report.wanted, None
        out = sum(count for count, _ in self.out.values())
        rate = report.rate
        if self.allowed is not None:
            free = min(free, self.allowed - out)
        if rate is not None:
            window = _window(rate)
            recent = {time: n for time, n in self.ended.items() if time + window > moment}
            free = min(free, rate.count - out - sum(recent.values()))
            if recent and free < report.wanted:
                wait = float(min(recent) + window - moment)
            if rate.count > _EXACT_UP_TO:
                free, wait = self._spread(max(0, free), wait, rate, moment)
        return max(0, free), wait

    def _spread(
        self, free: int, wait: float | None, rate: Rate, moment: int
    ) -> tuple[int, float | None]:
        """Give out no more than is due by now (the generic cell rate algorithm)."""
        interval = _window(rate) / (rate.count * _CATCH_UP)
        start = max(self.next_at, moment - _window(rate) * _AT_ONCE)
        due = int((moment - start) / interval)
        if due < free:
            free, wait = due, interval
        self.next_at = start + free * interval
        return free, wait


def _window(rate: Rate) -> int:
    return math.ceil(rate.per * 1000)


def _read(state: str) -> _Account:
    try:
        version, ended, out, resume_at, pause, allowed, next_at, keep = json.loads(state)
        if version != _VERSION:
            return _Account()
        return _Account(
            ended=dict(map(_pair, ended)),
            out={str(owner): _pair(one) for owner, one in out.items()},
            resume_at=int(resume_at),
            pause=int(pause),
            allowed=None if allowed is None else int(allowed),
            next_at=float(next_at),
            keep=int(keep),
        )
    except (ValueError, TypeError, AttributeError):
        # Of another release, or damaged: no harm, see `LimitStore`.
        return _Account()


def _pair(values: Any) -> tuple[int, int]:
    first, second = values
    return int(first), int(second)
