"""The one retry loop of a router: rounds over its members, as long as nothing was sent."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager

from attrs import define

from iprog_async._cancellation import note_in_flight
from iprog_async._claims import Claim, active_claim
from iprog_async._clock import Clock
from iprog_async._errors import InvalidMessageError, SmsError
from iprog_async._halving import Halving
from iprog_async._messages import PreparedMessage
from iprog_async._planner import Batch, plan_batches
from iprog_async._retry import RetryPolicy
from iprog_async._router_members import Member, prepare_for
from iprog_async._router_trip import Trip


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
            await self._clock.sleep(pause)

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
        batching = member.provider.batching
        trips = {trip.prepared.index: trip for trip in group}
        for batch in plan_batches(_prepared(member, group), batching).batches:
            part = [trips[prepared.index] for prepared in batch]
            if batch[0].message.schedule_at is not None and len(batch) < batching.min_scheduled:
                for trip in part:
                    trip.refuse(_too_few(member.provider.name, batching.min_scheduled))
            else:
                await self._submit(member, batch, trips)

    async def _submit(self, member: Member, batch: Batch, trips: Mapping[int, Trip]) -> None:
        parts = Halving(batch)
        while parts:
            part, outcomes = parts.next()
            if not outcomes:
                with self._claiming([trips[prepared.index].position for prepared in part]):
                    answered = await member.submit(part, self._router)
                if answered is None:
                    for prepared in part:
                        trips[prepared.index].skip()
                    continue
                outcomes = answered
                if parts.split(part, outcomes):
                    continue
            for outcome in outcomes:
                trips[outcome.index].arrive(outcome)

    @contextmanager
    def _claiming(self, positions: Sequence[int]) -> Generator[None]:
        """Let the request claim its own rows only: a later one must not take back others'."""
        if self._claim is None:
            yield
            return
        token = active_claim.set(self._claim.part(positions))
        try:
            yield
        finally:
            active_claim.reset(token)


def _prepared(member: Member, group: Sequence[Trip]) -> Iterator[PreparedMessage]:
    """Yield the messages as the member prepares them; note those that it can't take."""
    for trip in group:
        asked = trip.prepared
        try:
            yield prepare_for(member.provider, asked.message, asked.e164, asked.index)
        except SmsError as exc:
            trip.refuse(exc)


def _too_few(name: str, least: int) -> InvalidMessageError:
    return InvalidMessageError(f"{name} schedules no fewer than {least} texts in one request")
