"""Single sends that are idempotent by their key, with a journal on the client."""

from __future__ import annotations

import asyncio
import logging

from iprog_async._core.clock import Clock
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.observers import NULL_OBSERVERS, Observers
from iprog_async._core.outcomes import Outcome
from iprog_async._journal.journal import Journal
from iprog_async._journal.ledger import Ledger, check_key
from iprog_async._providers.protocols import SmsProvider
from iprog_async._sending.submit import overdue, submit


logger = logging.getLogger("iprog_async")


class KeyedSends:
    """Sends each key's text once, however often and however concurrently it is asked for.

    Args:
        journal: Where keys are kept between processes.
        clock: What tells whether the time of a text is over.
        observers: Who is told of what is sent.
    """

    def __init__(
        self, journal: Journal, clock: Clock, observers: Observers = NULL_OBSERVERS
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._observers = observers
        self._under_way: dict[tuple[str, str], asyncio.Task[Outcome]] = {}

    async def send(
        self,
        provider: SmsProvider,
        prepared: PreparedMessage,
        key: str,
        *,
        resend_unknown: bool = False,
    ) -> Outcome:
        """Return the outcome of a key's text: the one it had before, or a new one.

        A caller that is cancelled leaves the send going on: others may wait for it, and the
        next one with the key reads its outcome.

        Args:
            provider: A bound provider.
            prepared: What to send.
            key: Its key.
            resend_unknown: Send it again if it is unknown whether it was sent.

        Raises:
            InvalidMessageError: The key is no text; nothing was sent.
            JournalError: The journal can't be read; nothing was sent.
        """
        identity = (prepared.e164, check_key(key))
        task = self._under_way.get(identity)
        if task is None:
            task = asyncio.create_task(self._send(provider, prepared, resend_unknown))
            self._under_way[identity] = task
            task.add_done_callback(lambda done: self._ended(identity, done))
        return await asyncio.shield(task)

    def _ended(self, identity: tuple[str, str], task: asyncio.Task[Outcome]) -> None:
        self._under_way.pop(identity, None)
        if not task.cancelled():
            # All who waited may have been cancelled; then nobody else asks for its error.
            task.exception()

    async def _send(
        self, provider: SmsProvider, prepared: PreparedMessage, resend_unknown: bool
    ) -> Outcome:
        ledger = Ledger(self._journal, resend_unknown=resend_unknown)
        try:
            to_send, settled = await ledger.admit([prepared])
            if not to_send:
                return settled[0]
            over = overdue(prepared, self._clock.now())
            if over is not None:
                ledger.forget(to_send)
                return over
            outcomes = await submit(provider, to_send, ledger.claim(to_send), self._observers)
            error = await asyncio.shield(ledger.record(to_send, outcomes))
            if error is not None:
                # The outcome is true all the same; the file has it as unknown.
                logger.error("the outcome of a text is not on record: %s", error)
            return outcomes[0]
        finally:
            ledger.end()

    async def aclose(self) -> None:
        """Wait for the sends under way to come to their outcome."""
        if self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
