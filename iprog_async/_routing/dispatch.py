"""The one retry loop of a router: rounds over its members, as long as nothing was sent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from attrs import define

from iprog_async._core.clock import Clock
from iprog_async._core.errors import InvalidMessageError, SmsError
from iprog_async._core.hot_path import put_back
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._http.expiry import Expiry
from iprog_async._http.retry import SHORTEST_PAUSE, RetryPolicy, back_off
from iprog_async._http.send_context import (
    Claim,
    Permit,
    WithdrawnError,
    active_send,
    note_in_flight,
    withdrawable,
)
from iprog_async._routing.caution import Departure
from iprog_async._routing.members import Member, RoutedMessage, prepare_for
from iprog_async._routing.progress import MessageRoute
from iprog_async._sending.batching import fewest, plan_batches
from iprog_async._sending.bisect_batch import Bisection


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
    _routes: Sequence[MessageRoute]
    _retry: RetryPolicy
    _clock: Clock
    _claim: Claim | None = None
    _permit: Permit | None = None
    _expiry: Expiry | None = None

    async def run(self) -> None:
        """Bring every message to an outcome."""
        context = active_send.get()
        self._claim, self._permit = context.claim, context.permit
        if context.leave_by is not None:
            self._expiry = Expiry(context.leave_by, self._clock)
        try:
            await self._rounds()
        except asyncio.CancelledError as exc:
            if any(route.may_have_left for route in self._routes):
                note_in_flight(exc, f"{self._router}: cancelled when a part of the batch had left")
            raise

    async def _rounds(self) -> None:
        attempt, paused = 1, 0.0
        while True:
            await self._round()
            waiting = [route for route in self._routes if route.outcome is None]
            if not waiting:
                return
            pause = self._pause(waiting)
            if pause is not None and paused + pause <= self._retry.max_pause:
                # As with one gateway, a pause it asks for uses up no attempt.
                paused += pause
            elif attempt < self._retry.attempts:
                pause = back_off(self._retry).draw_wait(attempt)
                attempt += 1
            else:
                for route in waiting:
                    route.give_up(self._router, len(self._members))
                return
            self._give_back(waiting)
            try:
                if self._expiry is not None:
                    self._expiry.check_wait(pause, f"no gateway of {self._router} took it in time")
                await withdrawable(self._clock.sleep(pause))
            except SmsError as exc:
                # They were withdrawn, or it would be too late.
                for route in waiting:
                    route.fail(exc)
                return

    def _pause(self, waiting: Sequence[MessageRoute]) -> float | None:
        """Return how soon a member that asked to slow down takes texts again, if one did."""
        pauses = [route.pause(self._retry.default_pause) for route in waiting]
        asked = [pause for pause in pauses if pause is not None]
        return max(min(asked), SHORTEST_PAUSE) if asked else None

    def _give_back(self, waiting: Sequence[MessageRoute]) -> None:
        """Put on record that messages wait: a run that is killed now may send them again."""
        if self._claim is not None:
            self._claim.part([route.position for route in waiting]).give_back()

    async def _round(self) -> None:
        """Ask one member after the other, each for all messages whose turn it is."""
        for route in self._routes:
            if route.outcome is None:
                route.restart()
        while names := [name for route in self._routes if (name := route.next_member) is not None]:
            group = [route for route in self._routes if route.next_member == names[0]]
            for route in group:
                route.advance()
            await self._ask(self._members[names[0]], group)
        for route in self._routes:
            route.end_round()

    async def _ask(self, member: Member, group: Sequence[MessageRoute]) -> None:
        """Send what one member can take, in requests of its own size."""
        routes = {route.prepared.index: route for route in group}
        bound = active_send.get().unknown_bound
        for batch in _batches(member, group):
            if bound is None:
                count = member.admissible(batch)
                await self._submit(member, batch[:count], None, routes)
                rest = batch[count:]
                if rest and member.breaker.state == "closed":
                    await self._submit(member, rest, None, routes)
                else:
                    _skip(rest, routes)
            else:
                await self._submit_cautiously(member, batch, bound, routes)

    async def _submit_cautiously(
        self, member: Member, batch: Batch, bound: int, routes: Mapping[int, MessageRoute]
    ) -> None:
        """Send a run's batch in parts that are as large as the member may have by now."""
        departure: Departure | None = None
        while batch and (departure is None or member.breaker.state == "closed"):
            # A probe that proved nothing is not followed by another one.
            try:
                if departure is not None:
                    # The run may have been stopped while the first of them were on their way.
                    await withdrawable(asyncio.sleep(0))
                departure = await member.depart(batch, bound)
            except WithdrawnError as exc:
                for prepared in batch:
                    routes[prepared.index].fail(exc)
                return
            if departure is None:
                break
            leaving, batch = batch[: departure.count], batch[departure.count :]
            try:
                await self._submit(member, leaving, departure, routes)
            finally:
                member.caution.arrive(departure)
        _skip(batch, routes)

    async def _submit(
        self,
        member: Member,
        batch: Batch,
        departure: Departure | None,
        routes: Mapping[int, MessageRoute],
    ) -> None:
        parts = Bisection(batch, fewest(batch, member.provider))
        while parts:
            part, kept = parts.next()
            for outcome in kept:
                routes[outcome.index].finalize(outcome)
            if kept:
                continue
            outcomes = await self._send(member, part, departure, routes)
            if outcomes is None:
                _skip(part, routes)
            else:
                if not parts.split(outcomes):
                    for outcome in outcomes:
                        routes[outcome.index].record(outcome)
                asked = [routes[prepared.index] for prepared in part]
                self._give_back([route for route in asked if route.outcome is None])

    async def _send(
        self,
        member: Member,
        part: Batch,
        departure: Departure | None,
        routes: Mapping[int, MessageRoute],
    ) -> Sequence[Outcome] | None:
        """Make one request, which claims its own rows only: it must not take back others'."""
        if self._claim is None and self._permit is None:
            return await member.submit(part, departure, self._router)
        positions = [routes[prepared.index].position for prepared in part]
        claim = None if self._claim is None else self._claim.part(positions)
        permit = None if self._permit is None else self._permit.part(positions)
        context = active_send.get()
        token = active_send.set(context.carrying(claim, permit, context.leave_by))
        try:
            return await member.submit(part, departure, self._router)
        finally:
            put_back(active_send, token)


def _skip(batch: Batch, routes: Mapping[int, MessageRoute]) -> None:
    for prepared in batch:
        routes[prepared.index].skip()


def _batches(member: Member, group: Sequence[MessageRoute]) -> Sequence[Batch]:
    """Plan the requests to one member; note which messages it can't take."""
    prepared = [found for route in group if (found := _prepare(member, route)) is not None]
    if len(prepared) == 1 and prepared[0].message.schedule_at is None:
        return (prepared,)
    batching = member.provider.batching
    plan = plan_batches(prepared, batching, final=False)
    # Scheduled texts that are too few for the member go to the next one.
    alone = {carried.index for carried in plan.carried}
    for route in group:
        if route.prepared.index in alone:
            route.refuse(_too_few(member.provider.name, batching.min_scheduled))
    return plan.batches


def _prepare(member: Member, route: MessageRoute) -> PreparedMessage | None:
    asked = route.prepared
    if isinstance(asked, RoutedMessage) and asked.member == member.provider.name:
        return asked.prepared
    try:
        return prepare_for(member.provider, asked.message, asked.e164, asked.index)
    except SmsError as exc:
        route.refuse(exc)
        return None


def _too_few(name: str, least: int) -> InvalidMessageError:
    return InvalidMessageError(f"{name} schedules no fewer than {least} texts in one request")
