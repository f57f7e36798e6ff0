"""One gateway of a router: how a message is made fit for it, and whether it is asked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import evolve, field, frozen

from iprog_async._core.callbacks.failures import FAILURES, shown
from iprog_async._core.errors import InvalidMessageError, SmsError
from iprog_async._core.messages import Batch, Message, PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._http.calls import Call, Effect, HttpCall
from iprog_async._http.send_context import withdrawable
from iprog_async._providers.numbers import read_number
from iprog_async._providers.protocols import Batching, SmsProvider
from iprog_async._routing.caution import Caution, Departure
from iprog_async._routing.circuit_breaker import Breaker, Health, health_of
from iprog_async._routing.shared_breaker import Leave, SharedBreaker
from iprog_async._sending.batching import fewest
from iprog_async._sending.submit import submit
from iprog_async._sending.tally import tally_of


T = TypeVar("T")

logger = logging.getLogger("iprog_async")


@frozen
class SingleAttempts:
    """What a router's members send through: what must not happen twice is tried once."""

    _call: Call

    async def __call__(self, call: HttpCall[T], /) -> T:
        """Make the call; one that does no harm is still repeated by the session."""
        if call.effect is Effect.ONCE:
            call = evolve(call, single_attempt=True)
        return await self._call(call)


@frozen
class Member:
    """One gateway, as a router sends through it.

    Args:
        provider: Bound to single attempts.
        breaker: Whether it is out of order.
        caution: How many people it may have at risk.
        shared: What other processes know of the breaker; `None` where they share nothing.
    """

    provider: SmsProvider
    breaker: Breaker
    caution: Caution
    shared: SharedBreaker | None = None

    def admissible(self, batch: Batch) -> int:
        """Return how many messages of a batch may be sent now: few, while it is half-open.

        What is a probe could be lost, so it is one text, or as many as a request must have.
        """
        if self.breaker.state != "half-open":
            return len(batch)
        smallest = fewest(batch, self.provider)
        return smallest if len(batch) >= 2 * smallest else len(batch)

    async def depart(self, batch: Batch, bound: int) -> Departure | None:
        """Wait until some of a batch may leave; return it, or `None` if it is out of order.

        Args:
            batch: What is to be sent.
            bound: How many people the run lets become unknown.

        Raises:
            WithdrawnError: The run was stopped meanwhile; nothing of it was sent.
        """
        while self.breaker.admits:
            if self.breaker.state == "half-open":
                return self.caution.let_go(batch, self.admissible(batch))
            departure = self.caution.take(batch, fewest(batch, self.provider), bound)
            if departure is not None:
                return departure
            await withdrawable(self.caution.wait())
        return None

    async def submit(
        self, batch: Batch, departure: Departure | None, router: str
    ) -> Sequence[Outcome] | None:
        """Send messages that the provider prepared; `None` if it is out of order, and not asked.

        Args:
            batch: A departure, or a part of one.
            departure: As `depart` returned it; `None` if no run sends it.
            router: Name of the router, for the log.
        """
        leave = Leave.ASK if self.shared is None else await self._look(self.shared, router)
        if leave is Leave.NOTHING:
            return None
        admission = self.breaker.admit() if len(batch) == self.admissible(batch) else None
        if admission is None:
            if self.shared is not None:
                await self.shared.tell(leave, Health.NOTHING)
            return None
        health, too_many = Health.NOTHING, False
        try:
            outcomes = await submit(self.provider, batch)
            health = health_of(outcomes)
            too_many = self.caution.note(batch, tally_of(batch, outcomes), departure)
            return outcomes
        finally:
            changed = self.breaker.settle(admission, health)
            changed = (too_many and self.breaker.trip()) or changed
            if self.breaker.state == "open":
                self.caution.begin_anew()
            if changed:
                self._log_change(router)
            if self.shared is not None:
                await self.shared.tell(leave, health)

    async def _look(self, shared: SharedBreaker, router: str) -> Leave:
        """Take over what other processes know of the gateway."""
        was_closed = self.breaker.state == "closed"
        leave = await shared.look()
        state = self.breaker.state
        if state != "half-open" and was_closed != (state == "closed"):
            self._log_change(router)
        if state == "open":
            self.caution.begin_anew()
        return leave

    def _log_change(self, router: str) -> None:
        name = self.provider.name
        if self.breaker.state == "closed":
            logger.info("%s: %s works again", router, name)
        else:
            seconds = self.breaker.cooldown_left
            logger.warning("%s: %s is out of order, left alone for %g s", router, name, seconds)


@frozen
class RoutedMessage(PreparedMessage):
    """A message as a router prepared it, with what the first able member made of it.

    Args:
        member: The member's name.
        prepared: The message, as the member prepared it.
    """

    member: str = ""
    prepared: PreparedMessage | None = field(default=None, repr=False)


def prepare_for(
    provider: SmsProvider, message: Message, e164: str, index: int = 0
) -> PreparedMessage:
    """Check a message as one member sees it: the number as E.164, other members' options gone.

    Until when it may leave is the whole send's, whichever member is asked.

    Raises:
        SmsError: The member can't take it.
    """
    options = message.options
    if options is not None and not isinstance(options, options_types(provider)):
        options = None
    seen = Message(e164, message.text, message.sender_id, message.schedule_at, message.key, options)
    return _refusing(provider, "prepare the message", lambda: provider.prepare(seen, index))


def read_for(provider: SmsProvider, e164: str) -> str:
    """Return a number as one member reads it.

    Raises:
        SmsError: The member can't text it.
    """
    return _refusing(provider, "read the number", lambda: read_number(provider, e164))


def _refusing(provider: SmsProvider, what: str, ask: Callable[[], T]) -> T:
    """Return what a provider was asked for; one that breaks refuses, so that another is asked."""
    try:
        return ask()
    except SmsError:
        raise
    except FAILURES as exc:
        raise InvalidMessageError(f"{provider.name} can't {what}: {shown(exc)}") from exc


def routed(message: Message, prepared: PreparedMessage, member: str) -> RoutedMessage:
    """Return a message as a router hands it on, by what the first able member made of it."""
    wire = prepared.wire
    if wire.options != message.options:
        # They may be another member's, which this one leaves out.
        wire = evolve(wire, options=message.options)
    return RoutedMessage(
        message,
        prepared.to,
        prepared.e164,
        prepared.segments,
        prepared.index,
        member,
        prepared,
        wire=wire,
        schedule_step=prepared.schedule_step,
    )


def options_types(provider: SmsProvider) -> tuple[type[object], ...]:
    """Return the classes of options that a provider takes; any, if it does not say."""
    found: type[object] | tuple[type[object], ...] | None
    found = getattr(provider, "options_type", object)
    if found is None:
        return ()
    return found if isinstance(found, tuple) else (found,)


def common_batching(providers: Sequence[SmsProvider]) -> Batching:
    """Return what one request to any of the providers may carry.

    Where no size suits all of them for scheduled texts, it is one that can be divided for those
    that take fewer; dividing what is too small for one would leave it with nothing.
    """
    limits = [provider.batching for provider in providers]
    smallest = max(limit.min_scheduled for limit in limits)
    return Batching(
        max_batch=min(limit.max_batch for limit in limits),
        mixed_texts=all(limit.mixed_texts for limit in limits),
        # Below twice the smallest, some counts can't be divided at all.
        max_scheduled=max(min(limit.max_scheduled for limit in limits), 2 * smallest - 1),
        min_scheduled=smallest,
    )
