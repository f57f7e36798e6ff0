"""One text through the gate: asked about, sent, and settled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from iprog_async._core.messages import PreparedMessage
from iprog_async._core.outcomes import Outcome
from iprog_async._http.send_context import Permit, was_in_flight, was_withdrawn
from iprog_async._policies.gate import Gate


Send = Callable[[PreparedMessage, Permit], Awaitable[tuple[Outcome, Outcome]]]
"""Sends a text; returns its outcome, and what became of it here: another sender may have had it."""


async def send_through(gate: Gate, prepared: PreparedMessage, send: Send) -> Outcome:
    """Send one text, if the policies allow it when its turn comes and when it leaves.

    Args:
        gate: The policies.
        prepared: The text.
        send: What sends it.
    """
    while True:
        admissions = gate.of_send()
        try:
            admission = await admissions.admit([prepared])
            if admission.refused:
                return admission.refused[0][1]
            if admission.waiting:
                return admission.waiting[0][1].outcome
            (allowed,) = admission.allowed or admission.rewritten
            outcome, here = await send(allowed, admissions.permit([allowed]))
            await admissions.settle([here])
        except asyncio.CancelledError as exc:
            if was_in_flight(exc):
                admissions.forget([prepared])
            raise
        finally:
            # Whatever went wrong before it left, such as a journal that can't be read.
            await admissions.end()
        if not was_withdrawn(outcome):
            return outcome
