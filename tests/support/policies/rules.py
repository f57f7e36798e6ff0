"""Policies that note what they are asked, and what they are told."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field

from iprog_async import Allow, Decision, Message, Outcome, Outgoing, Rewrite, WaitUntil


@define(eq=False)
class Noting:
    """Decides as a test says, and notes the numbers that it was asked about.

    Args:
        answer: What it decides.
        settled: What became of the texts that it allowed, as number and state.
    """

    answer: Callable[[Outgoing], Decision] = lambda _: Allow()
    name: str = "noting"
    asked: list[str] = field(factory=list[str])

    def decide(self, text: Outgoing) -> Decision:
        """Decide."""
        self.asked.append(text.number)
        return self.answer(text)


@define(eq=False)
class Counting(Noting):
    """The same, and is told what became of each text that it allowed."""

    settled: list[tuple[str, str]] = field(factory=list[tuple[str, str]])

    async def settle(self, text: Outgoing, outcome: Outcome) -> None:
        """Note an outcome."""
        self.settled.append((text.number, outcome.state))


Rule = Callable[[Outgoing], Decision]


def always(decision: Decision) -> Rule:
    """Return what decides the same about every text."""

    def rule(_: Outgoing) -> Decision:
        return decision

    return rule


def rewriting(write: Callable[[str], str], otherwise: WaitUntil | None = None) -> Rule:
    """Return what sends another text in the place of each."""

    def rule(text: Outgoing) -> Decision:
        return Rewrite(evolve(text.message, text=write(text.message.text)), otherwise)

    return rule


def changing(message: Callable[[Message], Message]) -> Rule:
    """Return what changes anything of each message."""

    def rule(text: Outgoing) -> Decision:
        return Rewrite(message(text.message))

    return rule
