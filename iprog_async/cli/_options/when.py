"""When something is to happen: `--at` on the gateway's clock, or on that of `--tz`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from attrs import evolve
from cyclopts import Parameter

from iprog_async._core.errors import InvalidMessageError
from iprog_async._core.schedules import check_future, is_before, words_of
from iprog_async._providers.protocols import Capabilities
from iprog_async._routing.base import Router
from iprog_async.cli._options.times import WallClock, is_time_alone, to_zone


_AT = Parameter(
    name="--at",
    help='When: "2027-01-31 08:00", "1 Dec 2027 9:00", "tomorrow 8:00", 9:00 for the next time it '
    'is nine, "in 2 hours", "in 3 days", or with an offset.',
)
At = Annotated[str | None, _AT]
NeededAt = Annotated[str, _AT]
NotAfter = Annotated[
    str | None,
    Parameter(
        name="--not-after",
        help='The latest time at which a text may leave: 20:00 for eight today, "tomorrow 9:00" or '
        '"in 2 hours". A text that could not leave by then is not sent.',
    ),
]
Tz = Annotated[
    str | None,
    Parameter(
        name="--tz", help="Zone of the times, such as Asia/Manila; the gateway's by default."
    ),
]


def clock_of(provider: object, tz: str | None) -> WallClock:
    """Return what times are read by: the zone of `--tz`, or else that of the gateway.

    Commands call it before anything else: a wrong `--tz` must not show after the deed.

    Raises:
        InvalidMessageError: There is no zone of this name.
    """
    own = zone_name(provider)
    name = own if tz is None else tz
    zone = None if name is None else to_zone(name)
    return WallClock(zone, datetime.now(UTC), gateways=name == own)


def clock_of_gateway(provider: object) -> WallClock:
    """Return what times are read by where a command has no `--tz`."""
    return evolve(clock_of(provider, None), zone_option="")


def zone_name(provider: object) -> str | None:
    """Return the zone of a gateway's clocks: of the account if it is set, else of the country."""
    if isinstance(provider, Router):
        names = {zone_name(member) for member in provider.members.values()}
        return names.pop() if len(names) == 1 else None
    own: object = getattr(provider, "timezone", None)
    if isinstance(own, str):
        return own
    row: object = getattr(provider, "capabilities", None)
    return row.timezone if isinstance(row, Capabilities) else None


def later(given: str, clock: WallClock, option: str = "--at") -> datetime:
    """Read a time that is still to come.

    Raises:
        InvalidMessageError: It is no time, is there twice or never, or is over.
    """
    when = clock.read(given, option)
    check_future(when, clock.now, f"{option} {given!r}")
    return when


def read_not_after(given: str | None, clock: WallClock, at: datetime | None) -> datetime | None:
    """Read the time of `--not-after`; `None` if there is none.

    A time alone is today's: tomorrow's would let out what has been worthless for an hour.

    Args:
        given: What was given.
        clock: What it is read by.
        at: When the text is to be sent, if it is scheduled.

    Raises:
        InvalidMessageError: It is no time, is there twice or never, is over, or before `at`.
    """
    if given is None:
        return None
    # No gateway is told.
    read = evolve(clock, gateways=False).read_bound(given, "--not-after", last=True)
    until = read.replace(microsecond=0)
    advice = f"; write tomorrow {given.strip()}" if is_time_alone(given) else ""
    check_future(until, clock.now, f"--not-after {given!r}", advice)
    if at is not None and is_before(until, at):
        raise InvalidMessageError(f"--at is later than --not-after {given!r}")
    return until


def bound(
    given: str | None, clock: WallClock, option: str, *, last: bool = False
) -> datetime | None:
    """Read where a span of time begins, or ends; `None` where it has no such end.

    Raises:
        InvalidMessageError: It is no time, or is there twice or never.
    """
    return None if given is None else clock.read_bound(given, option, last=last)


def shown(when: datetime, clock: WallClock) -> str:
    """Return a time in words, on the clock that the caller reads."""
    return words_of(when if clock.zone is None else when.astimezone(clock.zone))
