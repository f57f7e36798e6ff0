"""Asking policies; whatever they do instead of deciding is a refusal that names the policy."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import evolve, field, frozen

from iprog_async._core.callbacks.failures import FAILURES, is_for_this_task, shown
from iprog_async._core.errors import ConfigurationError, PolicyError, SmsError
from iprog_async._core.outcomes import Outcome
from iprog_async._http.send_context import OutsideSend
from iprog_async._policies.decisions import (
    Allow,
    Decision,
    Outgoing,
    PolicyLike,
    Refuse,
    Rewrite,
    WaitUntil,
)


logger = logging.getLogger("iprog_async")

SECONDS_FRESH = 10.0
"""For how long a decision holds that does not say for how long; a claim holds as long."""

_KINDS = (Allow, Refuse, WaitUntil, Rewrite)

Question = Callable[[Outgoing], Any]
ManyQuestions = Callable[[Sequence[Outgoing]], Any]


@frozen(eq=False)
class NamedPolicy:
    """A policy of a client, with what can be asked of it.

    Args:
        name: What errors call it.
        decide: Decides about a text.
        decide_all: Decides about many at once, in order, where it can.
        settle: Is told what became of a text that it allowed.
        preview: Decides for a preview.
        holds_for: For how many seconds its word holds where it does not say until when.
    """

    name: str
    decide: Question
    decide_all: ManyQuestions | None = None
    settle: Callable[[Outgoing, Outcome], Any] | None = None
    preview: Question | None = None
    holds_for: float = SECONDS_FRESH
    _told: set[str] = field(factory=set[str], init=False, repr=False)

    async def ask(self, texts: Sequence[Outgoing]) -> Sequence[Decision]:
        """Return a decision for each text; a failure is a refusal."""
        with OutsideSend():
            if self.decide_all is not None and len(texts) > 1:
                return await self._ask_all(self.decide_all, texts)
            return [await self._ask(self.decide, text) for text in texts]

    async def ask_for_preview(self, text: Outgoing) -> Decision | None:
        """Return what it would decide; `None` where it can't tell without counting."""
        return None if self.preview is None else await self._ask(self.preview, text)

    async def tell(self, text: Outgoing, outcome: Outcome) -> None:
        """Tell it what became of a text that it allowed; a failure changes nothing about that."""
        if self.settle is None:
            return
        try:
            with OutsideSend():
                told = self.settle(text, outcome)
                if inspect.isawaitable(told):
                    await told
        except FAILURES as exc:
            if is_for_this_task(exc):
                raise
            self._log(exc, "failed to settle a text")

    async def _ask(self, question: Question, text: Outgoing) -> Decision:
        try:
            answer = question(text)
            if inspect.isawaitable(answer):
                answer = await answer
            return self._checked(answer)
        except FAILURES as exc:
            if is_for_this_task(exc):
                raise
            return self._failed(exc)

    async def _ask_all(
        self, question: ManyQuestions, texts: Sequence[Outgoing]
    ) -> Sequence[Decision]:
        try:
            answers = [*await question(texts)]
        except FAILURES as exc:
            if is_for_this_task(exc):
                raise
            return [self._failed(exc)] * len(texts)
        if len(answers) != len(texts):
            wrong = f"gave {len(answers)} answers about {len(texts)} texts"
            return [Refuse(PolicyError(self.name, wrong))] * len(texts)
        return [self._checked_alone(answer) for answer in answers]

    def _checked_alone(self, answer: object) -> Decision:
        """Return an answer that is a decision; one that is not spoils no other text's."""
        try:
            return self._checked(answer)
        except FAILURES as exc:
            return self._failed(exc)

    def _checked(self, answer: object) -> Decision:
        if isinstance(answer, _KINDS) and _is_whole(answer):
            return _in_words(answer)
        kinds = "Allow(), Refuse(…), WaitUntil(…) or Rewrite(…)"
        return Refuse(PolicyError(self.name, f"answered {shown(answer)}, and not {kinds}"))

    def _failed(self, exc: BaseException) -> Refuse:
        self._log(exc, "failed")
        # Its words may hold anything, such as the address of a database.
        error = PolicyError(self.name, f"failed with {type(exc).__name__}")
        error.__cause__ = exc
        return Refuse(error)

    def _log(self, exc: BaseException, what: str) -> None:
        """Tell of the first failure of each kind: there can be one for each of a million rows."""
        kind = f"{what}: {type(exc).__name__}"
        if kind not in self._told:
            self._told.add(kind)
            logger.error("the policy %s %s", self.name, what, exc_info=exc)


def _is_whole(decision: Decision) -> bool:
    """Return whether what holds in the place of a rewritten text is a decision, too."""
    otherwise: object = decision.otherwise if isinstance(decision, Rewrite) else None
    return otherwise is None or isinstance(otherwise, (Refuse, WaitUntil))


def _in_words(decision: Decision) -> Decision:
    """Return a decision whose reason is a text: it may be one that is translated as it is shown."""
    if isinstance(decision, Rewrite) and decision.otherwise is not None:
        return evolve(decision, otherwise=_worded(decision.otherwise))
    return decision if isinstance(decision, (Allow, Rewrite)) else _worded(decision)


def _worded(held: Refuse | WaitUntil) -> Refuse | WaitUntil:
    given: object = held.error if isinstance(held, Refuse) else held.reason
    if isinstance(given, (SmsError, str)):
        return held
    return Refuse(str(given)) if isinstance(held, Refuse) else evolve(held, reason=str(given))


def read_policies(policies: Iterable[PolicyLike]) -> tuple[NamedPolicy, ...]:
    """Return what a user gave as `policies=`, in the order in which they are asked.

    Raises:
        ConfigurationError: One of them can't decide anything.
    """
    return tuple(_read(policy) for policy in policies)


def _read(policy: object) -> NamedPolicy:
    if isinstance(policy, NamedPolicy):
        return policy
    decide = getattr(policy, "decide", None)
    if isinstance(policy, type) or not callable(decide or policy):
        raise ConfigurationError(
            "a policy is a function, or an object with a method decide(text), not "
            f"{f'the class {policy.__name__}' if isinstance(policy, type) else repr(policy)}"
        )
    named: object = getattr(policy, "name", None) or getattr(policy, "__qualname__", None)
    return NamedPolicy(
        str(named or type(policy).__name__),
        decide or policy,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - it is callable
        getattr(policy, "decide_all", None),
        getattr(policy, "settle", None),
        getattr(policy, "preview", None),
        float(getattr(policy, "holds_for", SECONDS_FRESH)),
    )
