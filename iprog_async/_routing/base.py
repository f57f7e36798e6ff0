"""The base of providers that are made of providers."""

from __future__ import annotations

import asyncio
import copy
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Self, TypeVar

from attrs import evolve

from iprog_async._core.checks import check_provider
from iprog_async._core.clock import Clock, SystemClock
from iprog_async._core.errors import (
    ConfigurationError,
    InvalidMessageError,
    SmsError,
    UnsupportedError,
)
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._core.phones import to_e164, to_region
from iprog_async._core.receipts import Balance, DeliveryStatus, split_ref
from iprog_async._http.calls import Call, Gateway, check_name
from iprog_async._http.retry import RetryPolicy
from iprog_async._limits.shared import SharedLimits
from iprog_async._providers.protocols import (
    Batching,
    SmsProvider,
    SupportsBalance,
    SupportsStatus,
)
from iprog_async._routing.caution import Caution
from iprog_async._routing.circuit_breaker import Breaker, BreakerPolicy
from iprog_async._routing.dispatch import Dispatch
from iprog_async._routing.members import (
    Member,
    RoutedMessage,
    SingleAttempts,
    common_batching,
    options_types,
    prepare_for,
    read_for,
    routed,
)
from iprog_async._routing.progress import MessageRoute
from iprog_async._routing.shared_breaker import SharedBreaker


T = TypeVar("T")

NamesFor = Callable[[str], Sequence[str]]

logger = logging.getLogger("iprog_async")


class Router(ABC):
    """Base of providers that are made of providers.

    It is the only retry loop of what it sends: its members try each text once. Only what is
    certainly not sent, and could succeed elsewhere or later, goes on to the next member; an
    unknown outcome stays with the member it happened at. Routers may be members of routers:
    an inner one then makes one round, and the outer one repeats it.

    Args:
        members: Providers with distinct names.
        region: Two-letter region in which national numbers are read, for all members alike.
        name: Label of the router; receipts carry the name of the member that accepted.
        retry: How many rounds over all members, and the waits between them.
        breaker: When a member counts as out of order.
        clock: What tells the time and waits; for tests.
    """

    def __init__(
        self,
        *members: SmsProvider,
        region: str | None,
        name: str,
        retry: RetryPolicy | None,
        breaker: BreakerPolicy | None,
        clock: Clock | None,
    ) -> None:
        check_name(None, None, name)
        if not members:
            raise ConfigurationError(f"{name} has no gateway to send through")
        _check_names(members)
        self.name = name
        self.region = to_region(region)
        self._retry = retry or RetryPolicy()
        self._policy = breaker or BreakerPolicy()
        self._clock = clock or SystemClock()
        self._members = {member.name: member for member in members}
        self._senders = self._lanes(members)

    @property
    def members(self) -> Mapping[str, Any]:
        """The members by name, bound like the router: for the vendors' own operations.

        A checker can't know which class a name stands for, so the values are of type `Any`.
        """
        return MappingProxyType(self._members)

    @property
    def batching(self) -> Batching:
        """What one request may carry so that every member can take it."""
        return common_batching(list(self._members.values()))

    @property
    def options_type(self) -> tuple[type[object], ...]:
        """Classes of `Message.options` that some member takes; others leave them out."""
        return tuple(kind for member in self._members.values() for kind in options_types(member))

    def bind(self, call: Call, /) -> Self:
        """Return a copy whose members make their calls through `call`; the original stays."""
        bound = copy.copy(self)
        bound._attach(call)
        return bound

    def _attach(self, call: Call) -> None:
        if isinstance(call, SingleAttempts):
            # The router around this one has the retry loop.
            self._retry = RetryPolicy.off()
        single = SingleAttempts(call)
        members = self._members.values()
        self._senders = self._lanes([member.bind(single) for member in members])
        self._members = {member.name: member.bind(call) for member in members}

    def _lanes(self, members: Iterable[SmsProvider]) -> dict[str, Member]:
        return {
            member.name: Member(
                member, Breaker(self._policy, self._clock), Caution(self._policy.failures)
            )
            for member in members
        }

    def share_breakers(self, limits: SharedLimits) -> None:
        """Share the members' circuit breakers with other processes; for the library's own use.

        Only those of adapters that say by `gateway` which account they are: the processes have
        to mean the same one.
        """
        for name, member in self._senders.items():
            if isinstance(member.provider, Router):
                member.provider.share_breakers(limits)
            gateway: object = getattr(member.provider, "gateway", None)
            if isinstance(gateway, Gateway) and member.shared is None:
                report = limits.of_breaker(gateway.account)
                shared = SharedBreaker(
                    limits.owner, report, member.breaker, self._policy, self._clock
                )
                self._senders[name] = evolve(member, shared=shared)

    def prepare(self, message: Message, /, index: int = 0) -> PreparedMessage:
        """Check that some member can take the message, and normalise its number, once for all.

        Raises:
            InvalidMessageError: The number is none, or no member can take the message; the
                error is the first member's.
            UnsupportedError: No member can take the message; the error is the first member's.
            ConfigurationError: No member is named for this number.
        """
        e164 = to_e164(message.to, self.region)
        options = message.options
        if options is not None and not isinstance(options, self.options_type):
            raise InvalidMessageError(
                f"no gateway of {self.name} can use options of type {type(options).__name__}"
            )

        def prepare(member: SmsProvider) -> RoutedMessage:
            return routed(message, prepare_for(member, message, e164, index), member.name)

        return self._first_able(prepare, e164, message.to)

    def e164(self, number: str, /) -> str:
        """Return a number as E.164, if some member can text it: national ones are of its region.

        Raises:
            InvalidMessageError: It is no number, or no member can text it; the error is the first
                member's.
            ConfigurationError: No member is named for this number.
        """
        e164 = to_e164(number, self.region)
        return self._first_able(lambda member: read_for(member, e164), e164, number)

    def _first_able(self, ask: Callable[[SmsProvider], T], e164: str, number: str) -> T:
        """Return what the first member that can text a number made of it.

        Args:
            ask: Asks a member; raises an `SmsError` if it can't.
            e164: The number.
            number: As it was given, for the error.

        Raises:
            SmsError: None can; the first one's error.
        """
        refusals: list[SmsError] = []
        for name in self._names_for(e164):
            try:
                return ask(self._members[name])
            except SmsError as exc:
                refusals.append(exc)
        raise _as_written(refusals[0], e164, number)

    async def submit(self, batch: Sequence[PreparedMessage], /) -> Sequence[Outcome]:
        """Send prepared messages through the members; one outcome each, in order."""
        names_for = self._preference(batch)
        routes = [_route(position, prepared, names_for) for position, prepared in enumerate(batch)]
        await Dispatch(self.name, self._senders, routes, self._retry, self._clock).run()
        return [route.outcome for route in routes if route.outcome is not None]

    def _preference(self, batch: Sequence[PreparedMessage]) -> NamesFor:
        """Return what names, for the numbers of one batch, the members in order of preference."""
        return self._names_for

    @abstractmethod
    def _names_for(self, e164: str) -> Sequence[str]:
        """Return the names of the members that may get a text for this number.

        Raises:
            ConfigurationError: There is none.
        """

    async def status(self, ref: str, /) -> DeliveryStatus:
        """Return how far an accepted text has come, from the member that accepted it.

        Args:
            ref: The receipt's `ref`, which names the member.

        Raises:
            InvalidMessageError: It is no reference, or names no member.
            UnsupportedError: This member tells no status.
            NotFoundError: It knows no such text.
            ConnectionFailedError: It can't be reached; ask again.
            NoAnswerError: It gave no trustworthy answer; ask again.
            ProviderError: It refused to tell.
        """
        name, message_id = split_ref(ref)
        member = dict(_leaves(self._members.values())).get(name)
        if member is None:
            raise InvalidMessageError(
                f"this receipt is of {name!r}, which is no gateway of {self.name!r}"
            )
        if not isinstance(member, SupportsStatus):
            raise UnsupportedError(f"{name} has no status")
        return await member.status(message_id)

    async def balance(self) -> dict[str, Balance]:
        """Return what is left on each member's account, by its name.

        A member that tells no balance is left out. One that fails to answer is left out with
        a warning in the log, so that it does not hide what the others say; only if all fail,
        the first one's error is raised.

        Raises:
            UnsupportedError: No member tells a balance.
            SmsError: None of them could tell.
        """
        able = {
            name: member
            for name, member in _leaves(self._members.values())
            if isinstance(member, SupportsBalance)
        }
        if not able:
            raise UnsupportedError(f"no gateway of {self.name} has a balance")
        answers = await asyncio.gather(*(_balance(member) for member in able.values()))
        told = dict(zip(able, answers, strict=True))
        errors = {name: error for name, error in told.items() if isinstance(error, SmsError)}
        if len(errors) == len(told):
            raise next(iter(errors.values()))
        for name, error in errors.items():
            logger.warning("%s: no balance of %s: %s", self.name, name, error)
        return {name: found for name, found in told.items() if isinstance(found, Balance)}


def _as_written(error: SmsError, e164: str, number: str) -> SmsError:
    """Let an error quote the number as the caller wrote it; the member saw it as E.164."""
    error.args = tuple(
        arg.replace(repr(e164), repr(number)) if isinstance(arg, str) else arg for arg in error.args
    )
    return error


def _route(position: int, prepared: PreparedMessage, names_for: NamesFor) -> MessageRoute:
    try:
        return MessageRoute(prepared, position, names_for(prepared.e164))
    except SmsError as exc:
        route = MessageRoute(prepared, position, ())
        route.fail(exc)
        return route


async def _balance(member: SupportsBalance) -> Balance | SmsError:
    try:
        return await member.balance()
    except SmsError as exc:
        return exc


def _leaves(members: Iterable[SmsProvider]) -> Iterator[tuple[str, SmsProvider]]:
    """Yield the providers that are no routers, those of inner routers too, with their names."""
    for member in members:
        if isinstance(member, Router):
            yield from _leaves(member.members.values())
        else:
            yield member.name, member


def _check_names(members: Iterable[SmsProvider], seen: set[str] | None = None) -> None:
    """Raise `ConfigurationError` if two providers have one name, at whatever depth."""
    seen = set() if seen is None else seen
    for member in members:
        check_provider(member)
        if member.name in seen:
            raise ConfigurationError(
                f"two gateways are called {member.name!r}; give one of them another name="
            )
        seen.add(member.name)
        if isinstance(member, Router):
            _check_names(member.members.values(), seen)


def gateways_of(provider: SmsProvider) -> list[SmsProvider]:
    """Return the gateways behind a provider: itself, or the members of routers."""
    if not isinstance(provider, Router):
        return [provider]
    return [one for member in provider.members.values() for one in gateways_of(member)]
