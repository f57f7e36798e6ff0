"""The gate that a text passes right before it is claimed: all policies of a client, in order."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from datetime import datetime

from attrs import define, evolve, field, frozen

from iprog_async._core.callbacks.failures import FAILURES, shown
from iprog_async._core.clock import Clock, uptime
from iprog_async._core.errors import (
    ExpiredError,
    PolicyError,
    PolicyRefusedError,
    SendLaterError,
    SmsError,
)
from iprog_async._core.gsm7.replacement import Gsm7
from iprog_async._core.messages import Batch, Message, PreparedMessage, check_not_after
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._core.schedules import is_before
from iprog_async._http.send_context import WithdrawnError
from iprog_async._policies.asking import NamedPolicy
from iprog_async._policies.decisions import Allow, Decision, Outgoing, Refuse, Rewrite, WaitUntil
from iprog_async._policies.grants import Answer, Grant, Held
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.encoding import prepare
from iprog_async._sending.submit import overdue


_Telling = tuple[Answer, Outcome]
"""What an answer's policy is to be told."""


@frozen(eq=False)
class Gate:
    """Asks a client's policies about texts, and keeps nothing of them.

    Args:
        policies: The policies, in the order in which they are asked.
        provider: What prepares a text that a policy has rewritten.
        clock: What tells the time.
        encoding: What the client lets be replaced in texts.
    """

    policies: Sequence[NamedPolicy]
    provider: SmsProvider
    clock: Clock
    encoding: Gsm7 | None

    def of_run(self, encoding: Gsm7 | None) -> Admissions:
        """Return what lets the rows of one run pass.

        Args:
            encoding: What the run lets be replaced in texts.
        """
        return Admissions(evolve(self, encoding=encoding), in_run=True)

    def of_send(self) -> Admissions:
        """Return what lets one text pass."""
        return Admissions(self, in_run=False)

    def also(self, policies: Sequence[NamedPolicy]) -> Gate:
        """Return a gate with further policies, which are asked first: nothing counts before."""
        return evolve(self, policies=(*policies, *self.policies))

    async def preview(self, prepared: PreparedMessage) -> NotSent | Held | None:
        """Return what would become of a row of a run if its turn were now; `None` if it is sent.

        Only policies that can tell without counting are asked.
        """
        text = self.outgoing(prepared, in_run=True)
        for policy in self.policies:
            decision = await policy.ask_for_preview(text)
            if not isinstance(decision, (WaitUntil, Refuse)):
                continue
            held = _in_time(decision, policy.name, prepared)
            outcome = _not_sent(prepared, policy.name, held)
            return Held(held.time, outcome) if isinstance(held, WaitUntil) else outcome
        return None

    def outgoing(self, prepared: PreparedMessage, *, in_run: bool) -> Outgoing:
        """Return a text as policies see it."""
        return Outgoing(
            number=prepared.e164,
            message=prepared.message,
            segments=prepared.segments.count,
            now=self.clock.now(),
            in_run=in_run,
        )


@define
class Admission:
    """What became of some texts at the gate.

    Args:
        allowed: Those that may leave, as they are.
        rewritten: Those that may leave as another text.
        refused: Those that may not, with their outcomes.
        waiting: Those that may later.
    """

    allowed: list[PreparedMessage] = field(factory=list[PreparedMessage])
    rewritten: list[PreparedMessage] = field(factory=list[PreparedMessage])
    refused: list[tuple[PreparedMessage, NotSent]] = field(
        factory=list[tuple[PreparedMessage, NotSent]]
    )
    waiting: list[tuple[PreparedMessage, Held]] = field(factory=list[tuple[PreparedMessage, Held]])

    def held_back(self) -> list[NotSent]:
        """Return all that do not leave now as they are, as outcomes of this turn."""
        refused = [outcome for _, outcome in self.refused]
        waiting = [held.outcome for _, held in self.waiting]
        return [*refused, *waiting, *(_withdrawn(prepared) for prepared in self.rewritten)]

    def withdrawn(self) -> list[NotSent]:
        """Return outcomes of this turn for those that may leave, if they wait for others."""
        return [_withdrawn(prepared) for prepared in self.allowed]


class Admissions:
    """Lets the texts of one run pass the gate, and remembers who was let through.

    Args:
        gate: The gate.
        in_run: Whether they are rows of a run.
    """

    def __init__(self, gate: Gate, *, in_run: bool) -> None:
        self._gate = gate
        self._in_run = in_run
        self._grants: dict[int, Grant] = {}
        self._untold: list[_Telling] = []

    async def admit(self, batch: Batch) -> Admission:
        """Ask all policies about texts whose turn has come; those let through are not asked again.

        Whoever calls it settles each text that it let through, once.
        """
        admission = Admission()
        asked: list[Grant] = []
        for prepared in batch:
            if prepared.index in self._grants:
                admission.allowed.append(prepared)
            elif (over := overdue(prepared, self._gate.clock.now())) is not None:
                admission.refused.append((prepared, over))
            else:
                text = self._gate.outgoing(prepared, in_run=self._in_run)
                grant = Grant(prepared, prepared, text, self._gate.clock.monotonic())
                # From now on: whoever is cancelled meanwhile gives back what was counted.
                self._grants[prepared.index] = grant
                asked.append(grant)
        for policy in self._gate.policies:
            if not asked:
                break
            go_on: list[Grant] = []
            held: list[NotSent] = []
            # All answers first: whoever is cancelled while others are told gives back what counts.
            async for grant, decision in _answers(policy, asked):
                outcome = self._take_answer(grant, policy, decision, admission)
                if outcome is None:
                    go_on.append(grant)
                else:
                    held.append(outcome)
            asked = go_on
            await self.settle(held)
        for grant in asked:
            to = admission.rewritten if grant.is_rewritten else admission.allowed
            to.append(grant.prepared)
        return admission

    def _take_answer(
        self, grant: Grant, policy: NamedPolicy, decision: Decision, admission: Admission
    ) -> NotSent | None:
        """Return what holds a text back; `None` if it goes on to the next policy."""
        if isinstance(decision, Rewrite):
            held = self._rewrite(grant, policy, decision)
            if held is None:
                return None
        elif not isinstance(decision, Allow):
            held = decision
        elif decision.until is None or decision.until > grant.text.now:
            grant.add(Answer.of(policy, grant.text, decision))
            return None
        else:
            # It would be withdrawn and asked about again, for ever. An answer that has ended only
            # since it was asked for is none of these: the next one is another.
            over = f"allowed a text until {decision.until.isoformat()}, which was already over"
            held = Refuse(PolicyError(policy.name, over))
        held = _in_time(held, policy.name, grant.prepared)
        # An earlier policy may have rewritten it, and is asked again when it is its turn again.
        prepared = grant.original
        outcome = _not_sent(prepared, policy.name, held)
        if isinstance(held, WaitUntil):
            admission.waiting.append((prepared, Held(held.time, outcome)))
        else:
            admission.refused.append((prepared, outcome))
        return outcome

    def _rewrite(
        self, grant: Grant, policy: NamedPolicy, decision: Rewrite
    ) -> Refuse | WaitUntil | None:
        """Put another text in the place of one; return what holds instead if it can't be sent."""
        before = grant.prepared
        try:
            after = self._prepare(before, policy.name, decision.message)
        except SmsError as exc:
            return decision.otherwise or Refuse(exc)
        if decision.otherwise is not None and self._is_too_few(after):
            return decision.otherwise
        grant.add(Answer.of(policy, grant.text, decision))
        grant.prepared, grant.is_rewritten = after, True
        grant.text = self._gate.outgoing(after, in_run=self._in_run)
        return None

    def _is_too_few(self, prepared: PreparedMessage) -> bool:
        """Return whether a text is scheduled alone, at a gateway that takes several or none."""
        alone = not self._in_run and prepared.message.schedule_at is not None
        return alone and self._gate.provider.batching.min_scheduled > 1

    def _prepare(self, before: PreparedMessage, name: str, message: Message) -> PreparedMessage:
        given: object = message
        if not isinstance(given, Message):
            raise PolicyError(name, f"rewrote a text to {type(given).__name__}, not to a Message")
        try:
            if (message.to, message.key) != (before.message.to, before.message.key):
                raise PolicyError(name, "rewrote the number or the key of a text, which stay")
            if message.not_after is None and before.message.not_after is not None:
                # A policy that writes the message anew says nothing about until when it is wanted.
                message = evolve(message, not_after=before.message.not_after)
            if _times(message) != _times(before.message):
                check_not_after(message)
            after = prepare(self._gate.provider, message, before.index, self._gate.encoding)
        except SmsError:
            raise
        except FAILURES as exc:
            # A message can hold anything.
            why = f"rewrote a text so that it can't be sent: {shown(exc)}"
            raise PolicyError(name, why) from exc
        if (over := overdue(after, self._gate.clock.now())) is not None:
            raise over.error
        return evolve(after, asked=before.identity)

    def permit(self, batch: Batch) -> Permit:
        """Return what has the policies' word at the moment at which a request leaves."""
        return Permit(self._gate, [self._grants[prepared.index] for prepared in batch])

    async def take_back(self, outcomes: Sequence[Outcome]) -> list[PreparedMessage]:
        """Settle texts that did not leave; return them as their turn came."""
        originals = [self._grants[outcome.index].original for outcome in outcomes]
        await self.settle(outcomes)
        return originals

    async def settle(self, outcomes: Iterable[Outcome]) -> None:
        """Tell the policies what became of texts that they allowed; of others nothing is told."""
        telling: list[_Telling] = []
        # All of them first: if telling one is cancelled, `end` must not take back the others.
        for outcome in outcomes:
            grant = self._grants.pop(outcome.index, None)
            if grant is not None:
                telling += [(answer, outcome) for answer in reversed(grant.answers)]
        await self._tell(telling)

    async def _tell(self, telling: Sequence[_Telling]) -> None:
        left = deque(telling)
        try:
            while left:
                answer, outcome = left.popleft()
                await answer.policy.tell(answer.text, outcome)
        except asyncio.CancelledError:
            self._untold += left
            raise

    async def end(self) -> None:
        """Tell what a cancelled `settle` left untold, and take back what was not sent."""
        untold, self._untold = self._untold, []
        try:
            await self._tell(untold)
        finally:
            await self.settle([_withdrawn(grant.original) for grant in self._grants.values()])


async def _answers(
    policy: NamedPolicy, asked: Sequence[Grant]
) -> AsyncGenerator[tuple[Grant, Decision]]:
    """Yield each decision as it comes: one that counts is noted before the next text's is asked."""
    if policy.decide_all is None:
        for grant in asked:
            (decision,) = await policy.ask([grant.text])
            yield grant, decision
        return
    decisions = await policy.ask([grant.text for grant in asked])
    for answer in zip(asked, decisions, strict=True):
        yield answer


class Permit:
    """The policies' word for the texts of one request, asked at the moment at which it leaves.

    Args:
        gate: The gate that they passed.
        grants: What was allowed.
    """

    def __init__(self, gate: Gate, grants: Sequence[Grant]) -> None:
        self._gate = gate
        self._grants = grants

    @property
    def leaves_by(self) -> float:
        """Until when, by `uptime`, the texts may leave."""
        times = [grant.until for grant in self._grants if grant.until is not None]
        if not times:
            return math.inf
        return uptime() + (min(times) - self._gate.clock.now()).total_seconds()

    async def confirm(self) -> None:
        """Ask again those policies whose word is too old.

        Raises:
            WithdrawnError: One of them does not allow a text any more; nothing was sent.
        """
        now, moment = self._gate.clock.now(), self._gate.clock.monotonic()
        for grant in self._grants:
            if moment >= grant.fresh_until or (grant.until is not None and now >= grant.until):
                await self._renew(grant, now, moment)

    async def _renew(self, grant: Grant, now: datetime, moment: float) -> None:
        for answer in grant.answers:
            ended = answer.until is not None and now >= answer.until
            if not (ended or answer.may_age):
                continue
            decision: object = None
            if answer.policy.settle is None:
                (decision,) = await answer.policy.ask([evolve(answer.text, now=now)])
            if not answer.holds(decision):
                raise WithdrawnError("a policy does not allow this text any more; it was not sent")
            answer.renew(decision)
        grant.note_times(moment)

    def part(self, positions: Sequence[int]) -> Permit:
        """Return the word for some of the texts, for a request that carries only them."""
        return Permit(self._gate, [self._grants[position] for position in positions])


def _times(message: Message) -> tuple[object, object]:
    return message.schedule_at, message.not_after


def _withdrawn(prepared: PreparedMessage) -> NotSent:
    error = WithdrawnError("this text did not leave; it was not sent")
    return NotSent(prepared.index, prepared.message, error)


def _in_time(held: Refuse | WaitUntil, name: str, prepared: PreparedMessage) -> Refuse | WaitUntil:
    """Return what holds a text back: whether it has to wait, or would have expired by then."""
    until = prepared.message.not_after
    if not isinstance(held, WaitUntil) or until is None or is_before(held.time, until):
        return held
    return Refuse(ExpiredError(until, f"the policy {name} {_waits(held)}"))


def _waits(decision: WaitUntil) -> str:
    when = decision.time.isoformat(sep=" ", timespec="minutes")
    return f"has this text wait until {when}{f' ({decision.reason})' if decision.reason else ''}"


def _not_sent(prepared: PreparedMessage, name: str, decision: Refuse | WaitUntil) -> NotSent:
    return NotSent(prepared.index, prepared.message, _error(name, decision))


def _error(name: str, decision: Refuse | WaitUntil) -> SmsError:
    if isinstance(decision, WaitUntil):
        words = f"the policy {name} {_waits(decision)}; nothing was sent"
        return SendLaterError(f"{words}, send it again then", until=decision.time)
    if isinstance(decision.error, SmsError):
        return decision.error
    return PolicyRefusedError(name, decision.error)
