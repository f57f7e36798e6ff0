"""The policy behind `send_between=`: texts leave at certain hours of the day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from attrs import evolve, field, frozen

from iprog_async._core.errors import ConfigurationError, InvalidMessageError, SendLaterError
from iprog_async._core.redaction import shown
from iprog_async._policies.day_hours import DayHours, Span, to_zone, zones_of
from iprog_async._policies.decisions import Allow, Decision, Outgoing, Refuse, Rewrite, WaitUntil


WhenQuiet = Literal["wait", "schedule"]
"""What becomes of a single text outside of the hours; rows of a run wait in any case."""

# Clocks of machines differ, and a gateway takes its time, too.
_MARGIN = timedelta(minutes=1)


@frozen
class SendBetween:
    """Allows texts at the hours of the day of whoever gets them, and has others wait.

    Args:
        hours: The hours; nothing leaves in their last minute.
        zone: Whose clocks; those of the number's region if `None`.
        when_quiet: `"schedule"` hands a single text to the gateway, for when the hours begin.
    """

    hours: DayHours
    zone: ZoneInfo | None = None
    when_quiet: WhenQuiet = "wait"
    name: str = "send_between"
    _found: dict[Sequence[ZoneInfo], tuple[datetime, Span]] = field(
        factory=dict[Sequence[ZoneInfo], tuple[datetime, Span]], init=False, eq=False, repr=False
    )

    @classmethod
    def of_words(cls, hours: str, zone: str | None, when_quiet: WhenQuiet) -> SendBetween:
        """Return the policy of a client's arguments.

        Raises:
            ConfigurationError: One of them makes no sense.
        """
        given: object = when_quiet
        if given not in ("wait", "schedule"):
            raise ConfigurationError(f'when_quiet= takes "wait" or "schedule", not {shown(given)}')
        parsed = DayHours.parse(hours)
        if parsed.length <= _MARGIN:
            raise ConfigurationError(
                f"the hours {hours!r} are too short: nothing leaves in their last minute, because "
                "clocks differ"
            )
        return cls(parsed, None if zone is None else to_zone(zone), when_quiet)

    @property
    def zone_name(self) -> str | None:
        """Name of the zone whose clocks hold for all numbers, if there is one."""
        return None if self.zone is None else self.zone.key

    def decide(self, text: Outgoing, /) -> Decision:
        """Allow a text until the hours end, or tell when they begin."""
        scheduled = text.message.schedule_at
        zones = zones_of(text.number) if self.zone is None else (self.zone,)
        if not zones:
            return Refuse(_nobody_knows(text.number))
        span = self._span(zones, scheduled or text.now)
        if span is None:
            return Refuse(_never(text.number, self.hours, zones))
        if scheduled is not None:
            return self._of_scheduled(text, scheduled, span)
        if span.opens <= text.now:
            return Allow(until=span.closes - _MARGIN)
        wait = WaitUntil(_local(span.opens, zones), f"texts leave at {self.hours}")
        if text.in_run or self.when_quiet == "wait":
            return wait
        return Rewrite(evolve(text.message, schedule_at=span.opens), otherwise=wait)

    def preview(self, text: Outgoing, /) -> Decision:
        """Decide for a preview: it counts nothing."""
        return self.decide(text)

    def _span(self, zones: Sequence[ZoneInfo], moment: datetime) -> Span | None:
        """Return the hours of which enough is left at a moment, or the next ones."""
        since, found = self._found.get(zones, (moment, None))
        if found is not None and since <= moment < found.closes - _MARGIN:
            # As for nearly every text of a run.
            return found
        span = self.hours.next_span(moment, zones)
        if span is not None and span.closes - _MARGIN <= max(span.opens, moment):
            span = self.hours.next_span(span.closes, zones)
            if span is not None and span.closes - _MARGIN <= span.opens:
                # So it is each day, where several zones have to agree.
                span = None
        if span is not None:
            self._found[zones] = moment, span
        return span

    def _of_scheduled(self, text: Outgoing, scheduled: datetime, span: Span) -> Decision:
        """Decide about a text that the gateway is to send later."""
        if span.opens <= scheduled:
            return Allow()
        if self.when_quiet == "schedule":
            return Rewrite(evolve(text.message, schedule_at=span.opens))
        until = span.opens.astimezone(scheduled.tzinfo)
        return Refuse(
            SendLaterError(
                f"schedule_at {scheduled.isoformat()} is outside of {self.hours}, the hours at "
                f"which texts leave; they begin at {until.isoformat()}. Nothing was sent",
                until=until,
            )
        )


def _local(moment: datetime, zones: Sequence[ZoneInfo]) -> datetime:
    """Return a moment by the clocks of the number, if there is one clock."""
    return moment.astimezone(zones[0]) if len(zones) == 1 else moment


def _nobody_knows(number: str) -> InvalidMessageError:
    return InvalidMessageError(
        f"nobody knows the time zone of {number}, so it can't be told whether a text may leave now "
        "(send_between); give zone=. Nothing was sent"
    )


def _never(number: str, hours: DayHours, zones: Sequence[ZoneInfo]) -> InvalidMessageError:
    return InvalidMessageError(
        f"{number} may be in any of {len(zones)} time zones, and it is never {hours} in all of "
        "them (send_between); give zone=. Nothing was sent"
    )
