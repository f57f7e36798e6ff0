"""The one retry loop of a router: rounds over its members, as long as nothing was sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence

from attrs import define

from iprog_async._core.clock import Clock
from iprog_async._core.context_vars import put_back
from iprog_async._core.errors import InvalidMessageError, SmsError
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._http.retry import RetryPolicy
from iprog_async._http.send_context import (
    Claim,
    WithdrawnError,
    active_claim,
    note_in_flight,
    withdrawable,
)
from iprog_async._routing.members import Member, RoutedMessage, prepare_for
from iprog_async._routing.progress import Trip
from iprog_async._sending.batching import fewest, plan_batches
from iprog_async._sending.bisect_batch import Bisection


# A gateway that says "retry after 0 seconds" forever must not be asked in a busy loop.
_SHORTEST_PAUSE = 1.0


@define
class Dispatch:
    """One batch on its way through the members.

    Args:
        router: Name of the router.
        members: Its members, by name.
        trips: The messages.
        retry: How often and how patiently they are tried.
        clock: What waits.
    """

    _router: str
    _members: Mapping[str, Member]
    _trips: Sequence[Trip]
    _retry: RetryPolicy
    _clock: Clock
    _claim: Claim | None = None

    async def run(self) -> None:
        """Bring every message to an outcome."""
        self._claim = active_claim.get()
        try:
            await self._rounds()
        except asyncio.CancelledError as exc:
            if any(trip.may_have_left for trip in self._trips):
                note_in_flight(exc, f"{self._router}: cancelled when a part of the batch had left")
            raise

    async def _rounds(self) -> None:
        attempt, paused = 1, 0.0
        while True:
            await self._round()
            waiting = [trip for trip in self._trips if trip.outcome is None]
            if not waiting:
                return
            pause = self._pause(waiting)
            if pause is not None and paused + pause <= self._retry.max_pause:
                # As with one gateway, a pause it asks for uses up no attempt.
                paused += pause
            elif attempt < self._retry.attempts:
                pause = random.uniform(0, self._retry.longest_wait(attempt))  # noqa: S311 - spreads load, guards nothing
                attempt += 1
            else:
                for trip in waiting:
                    trip.give_up(self._router, len(self._members))
                return
            self._give_back(waiting)
            try:
                await withdrawable(self._clock.sleep(pause))
            except WithdrawnError as exc:
                for trip in waiting:
                    trip.fail(exc)
                return

    def _pause(self, waiting: Sequence[Trip]) -> float | None:
        """Return how soon a member that asked to slow down takes texts again, if one did."""
        pauses = [trip.pause(self._retry.default_pause) for trip in waiting]
        asked = [pause for pause in pauses if pause is not None]
        return max(min(asked), _SHORTEST_PAUSE) if asked else None

    def _give_back(self, waiting: Sequence[Trip]) -> None:
        """Put on record that messages wait: a run that is killed now may send them again."""
        if self._claim is not None:
            self._claim.part([trip.position for trip in waiting]).give_back()

    async def _round(self) -> None:
        """Ask one member after the other, each for all messages whose turn it is."""
        for trip in self._trips:
            if trip.outcome is None:
                trip.restart()
        while names := [name for trip in self._trips if (name := trip.next_member) is not None]:
            group = [trip for trip in self._trips if trip.next_member == names[0]]
            for trip in group:
                trip.leave()
            await self._ask(self._members[names[0]], group)
        for trip in self._trips:
            trip.end_round()

    async def _ask(self, member: Member, group: Sequence[Trip]) -> None:
        """Send what one member can take, in requests of its own size."""
        trips = {trip.prepared.index: trip for trip in group}
        for batch in _batches(member, group):
            count = member.admissible(batch)
            await self._submit(member, batch[:count], trips)
            rest = batch[count:]
            if rest and member.breaker.state == "closed":
                await self._submit(member, rest, trips)
            else:
                _skip(rest, trips)

    async def _submit(self, member: Member, batch: Batch, trips: Mapping[int, Trip]) -> None:
        parts = Bisection(batch, fewest(batch, member.provider))
        while parts:
            part, kept = parts.next()
            for outcome in kept:
                trips[outcome.index].keep(outcome)
            if kept:
                continue
            outcomes = await self._send(member, part, trips)
            if outcomes is None:
                _skip(part, trips)
            else:
                if not parts.split(outcomes):
                    for outcome in outcomes:
                        trips[outcome.index].arrive(outcome)
                asked = [trips[prepared.index] for prepared in part]
                self._give_back([trip for trip in asked if trip.outcome is None])

    async def _send(
        self, member: Member, part: Batch, trips: Mapping[int, Trip]
    ) -> Sequence[Outcome] | None:
        """Make one request, which claims its own rows only: it must not take back others'."""
        if self._claim is None:
            return await member.submit(part, self._router)
        claim = self._claim.part([trips[prepared.index].position for prepared in part])
        token = active_claim.set(claim)
        try:
            return await member.submit(part, self._router)
        finally:
            put_back(active_claim, token)


def _skip(batch: Batch, trips: Mapping[int, Trip]) -> None:
    for prepared in batch:
        trips[prepared.index].skip()


def _batches(member: Member, group: Sequence[Trip]) -> Sequence[Batch]:
    """Plan the requests to one member; note which messages it can't take."""
    prepared = [found for trip in group if (found := _prepare(member, trip)) is not None]
    if len(prepared) == 1 and prepared[0].message.schedule_at is None:
        return (prepared,)
    batching = member.provider.batching
    plan = plan_batches(prepared, batching, final=False)
    # Scheduled texts that are too few for the member go to the next one.
    alone = {carried.index for carried in plan.carried}
    for trip in group:
        if trip.prepared.index in alone:
            trip.refuse(_too_few(member.provider.name, batching.min_scheduled))
    return plan.batches


def _prepare(member: Member, trip: Trip) -> PreparedMessage | None:
    asked = trip.prepared
    if isinstance(asked, RoutedMessage) and asked.member == member.provider.name:
        return asked.prepared
    try:
        return prepare_for(member.provider, asked.message, asked.e164, asked.index)
    except SmsError as exc:
        trip.refuse(exc)
        return None


def _too_few(name: str, least: int) -> InvalidMessageError:
    return InvalidMessageError(f"{name} schedules no fewer than {least} texts in one request")
