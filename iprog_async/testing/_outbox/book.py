"""What an outbox remembers, and how it ends each text."""

from __future__ import annotations

import threading
from collections import Counter
from decimal import Decimal

from attrs import define, evolve, field

from iprog_async._core.errors import InsufficientCreditError, NotFoundError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Accepted, Outcome, failed
from iprog_async._core.receipts import DeliveryState, DeliveryStatus
from iprog_async.testing._outbox.messages import OutboxMessage
from iprog_async.testing._outbox.rules import Accept, Refuse, Rule


@define(eq=False)
class OutboxBook:
    """Texts, rules and credit of one outbox; safe to use from other threads.

    Args:
        region: Region in which national numbers are read.
        credit: What is left, in segments.
    """

    region: str | None
    credit: Decimal
    texts: list[OutboxMessage] = field(factory=list[OutboxMessage], init=False)
    rules: list[Rule] = field(factory=list[Rule], init=False)
    reports: dict[str | None, tuple[DeliveryState, ...]] = field(
        factory=dict[str | None, tuple[DeliveryState, ...]], init=False
    )
    """What `status` tells, by number; `None` stands for all others."""
    _asked: Counter[str] = field(factory=Counter[str], init=False)
    # An app under test may send from a thread of its own; a function of a rule may ask for more.
    _lock: threading.RLock = field(factory=threading.RLock, init=False)

    def take(self, prepared: PreparedMessage, provider: str) -> Outcome:
        """Keep one text, and return what came of it."""
        given = prepared.message
        message = OutboxMessage(
            prepared.e164,
            given.text,
            given.sender_id,
            given.schedule_at,
            given.key,
            given.options,
            given.not_after,
            provider=provider,
        )
        with self._lock:
            outcome = self._end(prepared, message)
            message_id = outcome.receipt.message_id if isinstance(outcome, Accepted) else None
            self.texts.append(evolve(message, state=outcome.state, message_id=message_id))
            if outcome.state != "not_sent":
                self.credit -= message.segments
        return outcome

    def _end(self, prepared: PreparedMessage, message: OutboxMessage) -> Outcome:
        rule = next((rule for rule in self.rules if rule.matches(message)), None)
        ending = Accept() if rule is None else rule.use()
        if self.credit < message.segments and not isinstance(ending, Refuse):
            words = f"{message.provider}: {self.credit} segments are left. Nothing was sent"
            return failed(prepared, InsufficientCreditError(words, provider=message.provider))
        return ending.end(prepared, message.provider, f"text-{len(self.texts) + 1}")

    def status_of(self, message_id: str, provider: str) -> DeliveryStatus:
        """Return the next report on an accepted text.

        Raises:
            NotFoundError: There is no such text.
        """
        with self._lock:
            for message in self.texts:
                if (message.provider, message.message_id) == (provider, message_id):
                    return self._report_on(message, message_id)
        raise NotFoundError(f"{provider} has no text {message_id!r}", provider=provider)

    def _report_on(self, message: OutboxMessage, message_id: str) -> DeliveryStatus:
        states = self.reports.get(message.to) or self.reports.get(None) or ("delivered",)
        state = states[min(self._asked[message_id], len(states) - 1)]
        self._asked[message_id] += 1
        return DeliveryStatus(state, state)

    def clear(self, credit: Decimal) -> None:
        """Forget everything, and have this credit."""
        with self._lock:
            self.texts.clear()
            self.rules.clear()
            self.reports.clear()
            self._asked.clear()
            self.credit = credit
