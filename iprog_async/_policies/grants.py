"""What policies have allowed: one grant for each text, from its turn to its outcome."""

from __future__ import annotations

import math
from datetime import datetime

from attrs import define, field, frozen

from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import NotSent
from iprog_async._policies.asking import NamedPolicy
from iprog_async._policies.decisions import Allow, Outgoing, Rewrite


@define(eq=False)
class Answer:
    """That a policy allowed a text, and the text as it saw it.

    Args:
        policy: The policy.
        text: What it was asked about.
        until: Until when it said that this holds, if it did.
        may_age: Whether the answer is too old after some seconds.
        rewrote: Whether it allowed another text in its place.
    """

    policy: NamedPolicy
    text: Outgoing
    until: datetime | None = None
    may_age: bool = False
    rewrote: bool = False

    @classmethod
    def of(cls, policy: NamedPolicy, text: Outgoing, decision: object) -> Answer:
        """Return the answer of a decision that allows a text, as it is or rewritten."""
        if not isinstance(decision, Allow):
            return cls(policy, text, may_age=policy.settle is None, rewrote=True)
        until = decision.until
        return cls(policy, text, until, may_age=until is None and policy.settle is None)

    def holds(self, decision: object) -> bool:
        """Return whether a new decision about the same text lets what was allowed leave.

        Another rewriting of it does: a policy may write the time into each, and would have the text
        wait for ever.
        """
        return isinstance(decision, Rewrite if self.rewrote else Allow)

    def renew(self, decision: object) -> None:
        """Note a new decision that holds."""
        if isinstance(decision, Allow):
            self.until, self.may_age = decision.until, decision.until is None


@define(eq=False)
class Grant:
    """That all policies allow a text.

    Args:
        original: The text, as its turn came.
        prepared: The text, as it may be sent.
        text: The same as policies see it.
        asked_at: When they were asked, by the clock's `monotonic`.
        answers: What each of them said.
        is_rewritten: Whether it is another text than the one that was asked about.
    """

    original: PreparedMessage
    prepared: PreparedMessage
    text: Outgoing
    asked_at: float
    answers: list[Answer] = field(factory=list[Answer])
    is_rewritten: bool = False
    until: datetime | None = None
    """Until when all answers hold that say for how long they do."""
    fresh_until: float = math.inf
    """Until when, by the clock's `monotonic`, those hold that don't."""

    def add(self, answer: Answer) -> None:
        """Note that one more policy allows it."""
        self.answers.append(answer)
        self.note_times(self.asked_at)

    def note_times(self, asked_at: float) -> None:
        """Note until when the answers hold, once those that can age are of this moment."""
        times = [answer.until for answer in self.answers if answer.until is not None]
        self.until = min(times, default=None)
        ages = (answer.policy.holds_for for answer in self.answers if answer.may_age)
        self.fresh_until = asked_at + min(ages, default=math.inf)


@frozen
class Held:
    """That a text has to wait.

    Args:
        time: From when on it may be asked about again.
        outcome: What it comes to where it can't wait.
    """

    time: datetime
    outcome: NotSent
