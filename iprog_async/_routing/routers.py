"""Several gateways as one: failover, round robin, and a choice by number."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iprog_async._core.callbacks.failures import FAILURES, shown
from iprog_async._core.clock import Clock
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.messages import PreparedMessage
from iprog_async._http.calls import Call
from iprog_async._http.retry import RetryPolicy
from iprog_async._providers.protocols import SmsProvider
from iprog_async._routing.base import NamesFor, Router
from iprog_async._routing.circuit_breaker import BreakerPolicy
from iprog_async._routing.weighted_turns import WeightedRoundRobin


Choice = Callable[[str], str | Sequence[str]]
"""Names the gateway for a number in E.164, or several in order of preference."""


class Failover(Router):
    """Sends through the first gateway that takes a text, in the order given.

    Only what is certainly not sent goes on to the next one. `timeout=` and `deadline=` of the
    client hold for each request to a gateway.

    Args:
        members: Providers with distinct names; routers may be among them.
        region: Two-letter region in which national numbers are read, for all members alike:
            `0772123456` is a landline in one country and somebody's phone in another. Numbers
            have to be international if `None`.
        name: Label of the router; receipts carry the name of the member that accepted.
        retry: How many rounds over all members, and the waits between them. A pause that a
            gateway asks for uses up no round.
        breaker: When a member counts as out of order and is left alone for a while.
        clock: What tells the time and waits; for tests.

    Raises:
        ConfigurationError: There is no member, two have one name, or the region is none.
    """

    def __init__(
        self,
        *members: SmsProvider,
        region: str | None = None,
        name: str = "failover",
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            *members, region=region, name=name, retry=retry, breaker=breaker, clock=clock
        )

    def _names_for(self, e164: str) -> Sequence[str]:
        return tuple(self._members)


class RoundRobin(Router):
    """Spreads texts over gateways by weight; what one does not take falls on to the next.

    Texts that travel in one request go to one gateway together, and count as many. A gateway
    that is out of order has no turn.

    Args:
        members: Providers with distinct names; routers may be among them.
        weights: One number above zero for each member, in order; equal shares if `None`.
        region: Two-letter region in which national numbers are read, as for `Failover`.
        name: Label of the router; receipts carry the name of the member that accepted.
        retry: How many rounds over all members, and the waits between them.
        breaker: When a member counts as out of order and is left alone for a while.
        clock: What tells the time and waits; for tests.

    Raises:
        ConfigurationError: There is no member, two have one name, a weight is missing or not
            above zero, or the region is none.
    """

    def __init__(
        self,
        *members: SmsProvider,
        weights: Sequence[float] | None = None,
        region: str | None = None,
        name: str = "round-robin",
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            *members, region=region, name=name, retry=retry, breaker=breaker, clock=clock
        )
        given = [1.0] * len(members) if weights is None else list(weights)
        # The other way round, not a number would pass.
        if len(given) != len(members) or not all(0 < weight < float("inf") for weight in given):
            raise ConfigurationError(
                f"{name} has {len(members)} gateways, so weights= are as many numbers above zero"
            )
        self._weights = dict(zip(self._members, given, strict=True))
        self._round_robin = WeightedRoundRobin(self._weights)

    def _attach(self, call: Call) -> None:
        super()._attach(call)
        self._round_robin = WeightedRoundRobin(self._weights)

    def _names_for(self, e164: str) -> Sequence[str]:
        return tuple(self._members)

    def _preference(self, batch: Sequence[PreparedMessage]) -> NamesFor:
        ready = {name for name, member in self._senders.items() if member.breaker.admits}
        names = tuple(self._members)
        first = names.index(self._round_robin.take(len(batch), ready))
        order = names[first:] + names[:first]
        return lambda _: order


class Routed(Router):
    """Sends each text through the gateway that a function of yours names for its number.

    For example by the prefix of a network:
    `Routed(lambda number: "globe" if number.startswith("+63917") else ("smart", "globe"), …)`.

    Args:
        choose: Called with the number in E.164, more than once for a text; returns the name of
            a member, or several in order of preference. Others are not asked. It must not wait:
            it is a plain function. If it fails, or names no member, the text is not sent, for
            a `ConfigurationError`.
        members: Providers with distinct names; routers may be among them.
        region: Two-letter region in which national numbers are read, as for `Failover`.
        name: Label of the router; receipts carry the name of the member that accepted.
        retry: How many rounds over the members named, and the waits between them.
        breaker: When a member counts as out of order and is left alone for a while.
        clock: What tells the time and waits; for tests.

    Raises:
        ConfigurationError: There is no member, two have one name, or the region is none.
    """

    def __init__(
        self,
        choose: Choice,
        *members: SmsProvider,
        region: str | None = None,
        name: str = "routed",
        retry: RetryPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            *members, region=region, name=name, retry=retry, breaker=breaker, clock=clock
        )
        self._choose = choose

    def _names_for(self, e164: str) -> Sequence[str]:
        try:
            chosen = self._choose(e164)
            names = (chosen,) if isinstance(chosen, str) else tuple(dict.fromkeys(chosen))
            unknown = [name for name in names if name not in self._members]
        except FAILURES as exc:
            raise self._no_choice(e164, f"failed with {shown(exc)}") from exc
        if unknown or not names:
            raise self._no_choice(e164, f"named {', '.join(map(shown, unknown)) or 'nobody'}")
        return names

    def _no_choice(self, e164: str, what: str) -> ConfigurationError:
        error = ConfigurationError(
            f"{self.name}: for {e164} choose {what}; its gateways are {', '.join(self._members)}. "
            "Nothing was sent"
        )
        # The next number may have a gateway, so this stops no run.
        error.blame = "message"
        return error
