"""The policies of a client: the caller's own, and those that its arguments name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import define

from iprog_async._core.clock import Clock, SystemClock
from iprog_async._core.errors import ConfigurationError
from iprog_async._core.gsm7.replacement import Gsm7
from iprog_async._core.rates import Rate
from iprog_async._journal.journal import Journal
from iprog_async._policies.asking import NamedPolicy, read_policies
from iprog_async._policies.decisions import PolicyLike
from iprog_async._policies.gate import Gate
from iprog_async._policies.limits import Limits, LimitSettings
from iprog_async._policies.send_between import SendBetween, WhenQuiet
from iprog_async._providers.protocols import SmsProvider


@define(eq=False)
class ClientPolicies:
    """What a client asks before it sends.

    The caller's own policies are asked first, and the limits last: whoever may not be texted counts
    nothing.

    Args:
        own: The caller's own policies.
        hours: When texts leave, if not always.
        limits: How much may be sent, if not all.
    """

    own: Sequence[NamedPolicy] = ()
    hours: SendBetween | None = None
    limits: Limits | None = None
    _clock: Clock | None = None

    @classmethod
    def of_arguments(
        cls,
        policies: Iterable[PolicyLike],
        clock: Clock,
        *,
        per_number: Rate | str | None,
        per_number_same_text: Rate | str | None,
        credits_per_day: int | None,
        send_between: str | None,
        zone: str | None,
        when_quiet: WhenQuiet,
    ) -> ClientPolicies:
        """Return the policies of a client's arguments.

        Raises:
            ConfigurationError: One of them makes no sense.
        """
        if send_between is None and zone is not None:
            raise ConfigurationError("zone= is the clock of send_between=; give both")
        limits = LimitSettings.of_words(per_number, per_number_same_text, credits_per_day)
        return cls(
            read_policies(policies),
            None if send_between is None else SendBetween.of_words(send_between, zone, when_quiet),
            None if limits is None else Limits(limits, lambda: clock.now().timestamp()),
            # A clock of somebody's own is a test's, and the store's own would be another one.
            None if isinstance(clock, SystemClock) else clock,
        )

    def gate(self, provider: SmsProvider, clock: Clock, encoding: Gsm7 | None) -> Gate | None:
        """Return what asks them; `None` if there is nothing to ask."""
        given = [policy for policy in (self.hours, self.limits) if policy is not None]
        policies = (*self.own, *read_policies(given))
        return Gate(policies, provider, clock, encoding) if policies else None

    def share(self, journal: Journal) -> None:
        """Count in a journal's store, with all processes that have it; the first one is it."""
        if self.limits is not None:
            clock = self._clock
            now = None if clock is None else lambda: clock.now().timestamp()
            self.limits.share(lambda: journal.store.counts_of_texts(now))

    async def aclose(self) -> None:
        """Let go of what they count in."""
        if self.limits is not None:
            await self.limits.aclose()
