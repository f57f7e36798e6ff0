"""Sends of one text: to its outcome, and repeated only where the caller asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from iprog_async._client.idempotency import KeyedSends
from iprog_async._core.clock import Clock
from iprog_async._core.errors import JournalUnknownError, OutcomeUnknownError, SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.observers import Observers
from iprog_async._core.outcomes import Accepted, Outcome, met_this_time
from iprog_async._core.receipts import Receipt
from iprog_async._core.tracebacks import drop_frames
from iprog_async._http.retry import RetryPolicy, try_again
from iprog_async._http.send_context import Permit, was_in_flight
from iprog_async._journal.journal import Journal
from iprog_async._policies.gate import Gate
from iprog_async._policies.single import send_through
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.submit import cancelled, log_outcome, overdue, submit


class SingleSends:
    """Sends texts one at a time, for a client.

    Args:
        provider: A bound provider.
        clock: What tells the time and waits.
        retry: How often an unknown outcome is sent again, if it is at all.
        journal: Where keys are kept; without one no text has a key.
        observers: Who is told of what is sent.
        check_open: Raises `ClientClosedError` once the client is closed.
        gate: The client's policies, if it has any.
    """

    def __init__(
        self,
        provider: SmsProvider,
        clock: Clock,
        retry: RetryPolicy,
        journal: Journal | None,
        observers: Observers,
        check_open: Callable[[], None],
        gate: Gate | None = None,
    ) -> None:
        self._provider = provider
        self._clock = clock
        self._retry = retry
        self._observers = observers
        self._check_open = check_open
        self._gate = gate
        self._keyed = None if journal is None else KeyedSends(journal, clock, observers, gate)

    def send(
        self, prepared: PreparedMessage, *, resend_unknown: bool
    ) -> Coroutine[Any, Any, Receipt]:
        """Send one text, and return the gateway's word that it accepted it.

        Args:
            prepared: The text.
            resend_unknown: Whether to send it again when its outcome is unknown.

        Raises:
            ClientClosedError: The client was closed; not sent by this attempt.
            SmsError: Why it was not sent, or that it may have been.
        """
        if resend_unknown:
            return self._send_until_known(prepared)
        return self._send(prepared, resend_unknown=False)

    async def _send_until_known(self, prepared: PreparedMessage) -> Receipt:
        async def attempt() -> Receipt:
            return await self._send(prepared, resend_unknown=True)

        try:
            return await attempt()
        except OutcomeUnknownError as exc:
            first = exc
        try:
            return await try_again(
                self._retry, first, attempt, self._clock.sleep, repeatable=_is_unknown
            )
        except SmsError as exc:
            if exc.may_have_been_sent and not isinstance(exc, JournalUnknownError):
                raise
            # What became of the last attempt says nothing about those before it.
            first.add_note(f"it was to be sent again, and that attempt was not sent: {exc}")
            raise first from None

    async def _send(self, prepared: PreparedMessage, *, resend_unknown: bool) -> Receipt:
        started = self._clock.monotonic()
        self._check_open()
        key = prepared.message.key
        try:
            if self._keyed is not None and key is not None:
                outcome = await self._keyed.send(
                    self._provider,
                    prepared,
                    key,
                    resend_unknown=resend_unknown,
                    tell=lambda outcome: self._tell(prepared, outcome, started),
                )
            elif (over := self._overdue(prepared)) is not None:
                outcome = over
            elif self._gate is not None:
                outcome = await send_through(self._gate, prepared, self._submit_permitted)
            else:
                (outcome,) = await submit(self._provider, (prepared,), None, self._observers)
        except asyncio.CancelledError as exc:
            # What has a key comes to its outcome all the same.
            if key is None and was_in_flight(exc):
                self._tell(prepared, cancelled(self._provider, prepared), started)
            drop_frames(exc)
            raise
        self._tell(prepared, outcome, started)
        if isinstance(outcome, Accepted):
            return outcome.receipt
        raise outcome.error

    def _tell(self, prepared: PreparedMessage, outcome: Outcome, started: float) -> None:
        seconds = self._clock.monotonic() - started
        log_outcome(self._provider, prepared, outcome, seconds, self._observers)

    def _overdue(self, prepared: PreparedMessage) -> Outcome | None:
        message = prepared.message
        if message.schedule_at is None and message.not_after is None:
            return None
        return overdue(prepared, self._clock.now())

    async def _submit_permitted(
        self, prepared: PreparedMessage, permit: Permit
    ) -> tuple[Outcome, Outcome]:
        (outcome,) = await submit(self._provider, (prepared,), None, self._observers, permit)
        return outcome, outcome

    async def aclose(self) -> None:
        """Wait for the sends with a key that are under way to come to their outcome."""
        if self._keyed is not None:
            await self._keyed.aclose()


def _is_unknown(error: BaseException) -> bool:
    """Return whether an attempt may have been sent; not if only one before it may have been."""
    return isinstance(error, SmsError) and isinstance(met_this_time(error), OutcomeUnknownError)
