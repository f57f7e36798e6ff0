"""Single sends that are idempotent by their key, with a journal on the client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from iprog_async._core.clock import Clock
from iprog_async._core.errors import ExpiredError, JournalError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.observers import NULL_OBSERVERS, Observers
from iprog_async._core.outcomes import NotSent, Outcome
from iprog_async._core.schedules import is_before
from iprog_async._http.send_context import Permit, note_in_flight, was_withdrawn
from iprog_async._journal.journal import Journal
from iprog_async._journal.keys import check_key
from iprog_async._journal.rows_claim import RowsClaim
from iprog_async._journal.single_ledger import SingleLedger
from iprog_async._journal.store import ClaimLostError
from iprog_async._policies.gate import Gate
from iprog_async._policies.single import send_through
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.submit import overdue, submit


logger = logging.getLogger("iprog_async")

_IDLE_CLAIM_SECONDS = 1.0


class KeyedSends:
    """Sends each key's text once, however often and however concurrently it is asked for.

    Args:
        journal: Where keys are kept between processes.
        clock: What tells whether the time of a text is over.
        observers: Who is told of what is sent.
        gate: The client's policies, if it has any.
    """

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        observers: Observers = NULL_OBSERVERS,
        gate: Gate | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._observers = observers
        self._gate = gate
        self._tasks: set[asyncio.Task[Outcome]] = set()

    async def send(
        self,
        provider: SmsProvider,
        prepared: PreparedMessage,
        key: str,
        *,
        resend_unknown: bool = False,
        tell: Callable[[Outcome], None] = lambda _: None,
    ) -> Outcome:
        """Return the outcome of a key's text: the one it had before, or a new one.

        A caller that is cancelled leaves the send going on: others may wait for it, and the
        next one with the key reads its outcome.

        Args:
            provider: A bound provider.
            prepared: What to send.
            key: Its key.
            resend_unknown: Send it again if it is unknown whether it was sent.
            tell: Told of the outcome if the caller is cancelled before there is one.

        Raises:
            InvalidMessageError: The key is no text; nothing was sent.
        """
        identity = (asyncio.get_running_loop(), prepared.e164, check_key(key))
        while True:
            # Another client may have the same journal.
            task = self._journal.sending.get(identity)
            is_own = task is None
            if task is None:
                if not self._tasks:
                    self._journal.forget_closed()
                task = asyncio.create_task(self._send(provider, prepared, resend_unknown))
                self._journal.sending[identity] = task
                self._tasks.add(task)
                task.add_done_callback(lambda done: self._ended(identity, done))
            try:
                outcome = await asyncio.shield(task)
            except asyncio.CancelledError as exc:
                task.add_done_callback(lambda done: _tell_of(done, tell))
                note_in_flight(
                    exc,
                    f"{provider.name}: cancelled; its sending goes on, and another send with the "
                    "same key, which repeats nothing, tells the outcome",
                )
                raise
            if is_own or not _expired_sooner(outcome, prepared.message.not_after):
                return outcome

    def _ended(
        self, identity: tuple[asyncio.AbstractEventLoop, str, str], task: asyncio.Task[Outcome]
    ) -> None:
        self._journal.sending.pop(identity, None)
        self._tasks.discard(task)
        if not task.cancelled():
            # All who waited may have been cancelled; then nobody else asks for its error.
            task.exception()

    async def _send(
        self, provider: SmsProvider, prepared: PreparedMessage, resend_unknown: bool
    ) -> Outcome:
        while True:
            outcome = await self._send_once(provider, prepared, resend_unknown)
            if not _lost_its_claim(outcome):
                return outcome
            # While it waited for its turn, another process took it: what became of it there?

    async def _send_once(
        self, provider: SmsProvider, prepared: PreparedMessage, resend_unknown: bool
    ) -> Outcome:
        ledger = SingleLedger(self._journal, resend_unknown=resend_unknown)
        try:
            outcome = await self._send_by(ledger, provider, prepared)
            return outcome if _lost_its_claim(outcome) else ledger.told_of(outcome)
        finally:
            ledger.end()

    async def _send_by(
        self, ledger: SingleLedger, provider: SmsProvider, prepared: PreparedMessage
    ) -> Outcome:
        if self._gate is None:
            outcome, _ = await self._claim_and_send(provider, prepared, ledger, None)
            return outcome
        # Nobody is asked whether what was sent before may be sent.
        settled = await ledger.settled_single(prepared)
        if settled is not None:
            return settled

        async def send(allowed: PreparedMessage, permit: Permit) -> tuple[Outcome, Outcome]:
            return await self._claim_and_send(provider, allowed, ledger, permit)

        return await send_through(self._gate, prepared, send)

    async def _claim_and_send(
        self,
        provider: SmsProvider,
        prepared: PreparedMessage,
        ledger: SingleLedger,
        permit: Permit | None,
    ) -> tuple[Outcome, Outcome]:
        """Return the outcome of a text, and what became of it here: others may have sent it."""
        settled = await ledger.admit_single(prepared)
        if settled is not None:
            return settled, _not_sent_here(prepared)
        claim = ledger.claim([prepared])
        outcome: Outcome | None = overdue(prepared, self._clock.now())
        if outcome is None:
            outcome = await self._submit(provider, prepared, claim, permit)
        withdrawn = was_withdrawn(outcome)
        if withdrawn:
            # The policies are asked about it again, and then it is claimed again or not.
            claim.give_back()
        else:
            try:
                error = await asyncio.shield(ledger.record([prepared], [outcome]))
            except asyncio.CancelledError as exc:
                if outcome.state != "not_sent":
                    note_in_flight(exc, f"{provider.name}: cancelled once the text had left")
                raise
            if error is not None:
                # The outcome is true all the same; the journal has it as unknown.
                logger.error("the outcome of a text is not on record: %s", error)
        ended: Outcome | None = None
        if isinstance(outcome, NotSent) and not _lost_its_claim(outcome):
            try:
                ended = await ledger.ended_elsewhere(prepared, claim)
            except JournalError as exc:
                if claim.was_given_back:
                    # While it waited for its turn others could send it.
                    ledger.doubt([prepared], exc)
        if withdrawn:
            ledger.forget([prepared])
        return ended or outcome, outcome

    async def _submit(
        self,
        provider: SmsProvider,
        prepared: PreparedMessage,
        claim: RowsClaim,
        permit: Permit | None,
    ) -> Outcome:
        loop = asyncio.get_running_loop()
        # Where it has to wait, for the rate or a connection, it is not on its way.
        idle = loop.call_later(_IDLE_CLAIM_SECONDS, claim.give_back_if_unused)
        try:
            (outcome,) = await submit(provider, [prepared], claim, self._observers, permit)
        except asyncio.CancelledError:
            claim.give_back_if_unused()
            raise
        finally:
            idle.cancel()
        return outcome

    async def aclose(self) -> None:
        """Wait for the sends under way to come to their outcome."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)


def _tell_of(done: asyncio.Task[Outcome], tell: Callable[[Outcome], None]) -> None:
    """Tell of the outcome of a send whose caller was cancelled, if it has come to one."""
    if not done.cancelled() and done.exception() is None:
        tell(done.result())


def _expired_sooner(outcome: Outcome, until: datetime | None) -> bool:
    """Return whether a text expired for a caller who gave it less time than this one."""
    if not (isinstance(outcome, NotSent) and isinstance(outcome.error, ExpiredError)):
        return False
    return until is None or is_before(outcome.error.not_after, until)


def _lost_its_claim(outcome: Outcome) -> bool:
    return isinstance(outcome, NotSent) and isinstance(outcome.error, ClaimLostError)


def _not_sent_here(prepared: PreparedMessage) -> NotSent:
    return NotSent(prepared.index, prepared.message, ClaimLostError(prepared.e164, None))
