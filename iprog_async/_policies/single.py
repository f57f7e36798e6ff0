"""One text through the gate: asked about, sent, and settled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._http.send_context import Permit, note_in_flight, was_in_flight, was_withdrawn
from iprog_async._policies.gate import Gate
from iprog_async._policies.patience import Patience
from iprog_async._sending.submit import cancelled


Send = Callable[[PreparedMessage, Permit], Awaitable[tuple[Outcome, Outcome]]]
"""Sends a text; returns its outcome, and what became of it here: another sender may have had it."""


async def send_through(gate: Gate, prepared: PreparedMessage, send: Send) -> Outcome:
    """Send one text, if the policies allow it when its turn comes and when it leaves.

    Args:
        gate: The policies.
        prepared: The text.
        send: What sends it.
    """
    patience = Patience(gate.clock)
    while True:
        outcome = await _OneSend(gate, prepared).run(send)
        if not was_withdrawn(outcome):
            return outcome
        if patience.ends(withdrawn=True):
            await patience.pause()


class _OneSend:
    """One turn of a text.

    Args:
        gate: The policies.
        prepared: The text.
    """

    def __init__(self, gate: Gate, prepared: PreparedMessage) -> None:
        self._provider = gate.provider
        self._prepared = prepared
        self._admissions = gate.of_send()
        self._may_be_out = False

    async def run(self, send: Send) -> Outcome:
        """Return its outcome; a cancellation says so if the text may be out."""
        try:
            try:
                return await self._pass(send)
            finally:
                # Whatever went wrong before it left, such as a journal that can't be read.
                await self._admissions.end()
        except asyncio.CancelledError as exc:
            # It may be another one than that which caught the request: policies were told since.
            if self._may_be_out and not was_in_flight(exc):
                note_in_flight(exc, f"{self._provider.name}: cancelled once the text had left")
            raise

    async def _pass(self, send: Send) -> Outcome:
        admissions = self._admissions
        admission = await admissions.admit([self._prepared])
        if admission.refused:
            return admission.refused[0][1]
        if admission.waiting:
            return admission.waiting[0][1].outcome
        (allowed,) = admission.allowed or admission.rewritten
        try:
            outcome, here = await send(allowed, admissions.permit([allowed]))
        except asyncio.CancelledError as exc:
            if was_in_flight(exc):
                self._may_be_out = True
                await admissions.settle([cancelled(self._provider, allowed)])
            raise
        self._may_be_out = here.state != "not_sent"
        await admissions.settle([here])
        return outcome
