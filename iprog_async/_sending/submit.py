"""Handing a batch to an adapter and trusting nothing about what comes back."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any

from iprog_async._core.callbacks.failures import FAILURES, is_for_this_task
from iprog_async._core.errors import (
    ExpiredError,
    InvalidMessageError,
    RunHaltedError,
    SmsError,
)
from iprog_async._core.hot_path import put_back
from iprog_async._core.messages import Batch, PreparedMessage
from iprog_async._core.observers import NULL_OBSERVERS, Observers, SendEnded, Submission
from iprog_async._core.outcomes import Accepted, NotSent, Outcome, Unknown, failed, unclear
from iprog_async._core.phones import mask_number
from iprog_async._core.schedules import check_future, since_epoch
from iprog_async._core.tracebacks import drop_frames
from iprog_async._http.expiry import LeaveBy
from iprog_async._http.send_context import (
    Claim,
    OutsideSend,
    Permit,
    active_send,
    was_in_flight,
    was_withdrawn,
)
from iprog_async._providers.protocols import SmsProvider


logger = logging.getLogger("iprog_async")


def overdue(prepared: PreparedMessage, now: datetime) -> NotSent | None:
    """Return the outcome of a message whose time is over; `None` if it is still to come.

    Gateways send a text that was to be scheduled at once, or say that they scheduled it and never
    do. It is asked after the journal: what an earlier run scheduled, or sent in time, is so.
    """
    until = prepared.message.not_after
    if until is not None and until <= now:
        return NotSent(prepared.index, prepared.message, ExpiredError(until))
    when = prepared.message.schedule_at
    if when is None or when > now:
        return None
    try:
        check_future(when, now, f"schedule_at {when.isoformat()}")
    except InvalidMessageError as exc:
        return NotSent(prepared.index, prepared.message, exc)
    return None


def submit(
    provider: SmsProvider,
    batch: Batch,
    claim: Claim | None = None,
    observers: Observers = NULL_OBSERVERS,
    permit: Permit | None = None,
) -> Coroutine[Any, Any, Sequence[Outcome]]:
    """Send a batch; exactly one outcome for each message, whatever the adapter does.

    Args:
        provider: What sends it.
        batch: Messages that it prepared, for one request.
        claim: What has to be on record before the request may leave, if anything.
        observers: Who is told of the submission.
        permit: What has to allow the texts as the request leaves, if anything.
    """
    if not observers:
        return _submit(provider, batch, claim, permit)
    return _submit_observed(provider, batch, claim, permit, observers)


async def _submit_observed(
    provider: SmsProvider,
    batch: Batch,
    claim: Claim | None,
    permit: Permit | None,
    observers: Observers,
) -> Sequence[Outcome]:
    submission = Submission(provider.name, batch, observers)
    outcomes = None
    try:
        outcomes = await _submit(provider, batch, claim, permit)
        return outcomes
    except asyncio.CancelledError as exc:
        if was_in_flight(exc):
            outcomes = [cancelled(provider, prepared) for prepared in batch]
        raise
    finally:
        # What was withdrawn has come to no outcome.
        withdrawn = outcomes and all(was_withdrawn(outcome) for outcome in outcomes)
        with OutsideSend():
            submission.end(None if withdrawn else outcomes)


def _leave_by(batch: Batch) -> LeaveBy | None:
    """Return until when a request with these texts may leave: all of them in time, or none."""
    first = batch[0].message
    if first.not_after is None and first.schedule_at is None:
        # What travels together has an end, or a time, or has none.
        return None
    messages = [prepared.message for prepared in batch]
    ends = [LeaveBy(until) for message in messages if (until := message.not_after) is not None]
    if first.schedule_at is not None:
        ends.append(LeaveBy(first.schedule_at, scheduled=True))
    return min(ends, key=lambda end: since_epoch(end.until))


async def _submit(
    provider: SmsProvider, batch: Batch, claim: Claim | None, permit: Permit | None
) -> Sequence[Outcome]:
    # The session takes them at the moment the request leaves.
    token, leave_by = None, _leave_by(batch)
    if claim is not None or permit is not None or leave_by is not None:
        token = active_send.set(active_send.get().carrying(claim, permit, leave_by))
    outcomes: list[Outcome] = []
    error: SmsError | None = None
    try:
        outcomes = list(await provider.submit(batch))
    except SmsError as exc:
        error = exc
    except FAILURES as exc:
        if is_for_this_task(exc):
            raise
        # A bug in an adapter: nobody knows how far it got.
        logger.exception("%s: the adapter failed while sending", provider.name)
        reason = f"the adapter failed with {type(exc).__name__}"
        return [unclear(prepared, provider.name, reason) for prepared in batch]
    finally:
        if token is not None:
            put_back(active_send, token)
    if error is not None:
        drop_frames(error, sys.exception())
        return [failed(prepared, error) for prepared in batch]
    indexes = [getattr(outcome, "index", None) for outcome in outcomes]
    if indexes != [prepared.index for prepared in batch]:
        reason = f"the adapter gave other outcomes than one for each of {len(batch)} messages"
        return [unclear(prepared, provider.name, reason) for prepared in batch]
    return outcomes


def cancelled(provider: SmsProvider, prepared: PreparedMessage) -> Unknown:
    """Return the outcome of a message whose sender went away while it was on its way."""
    return unclear(prepared, provider.name, "it was cancelled while the request was on its way")


def logging_enabled() -> bool:
    """Return whether anybody reads the records of outcomes."""
    return logger.isEnabledFor(logging.INFO)


def log_outcome(
    provider: SmsProvider,
    prepared: PreparedMessage,
    outcome: Outcome,
    seconds: float,
    observers: Observers = NULL_OBSERVERS,
) -> None:
    """Tell of an outcome: the one INFO record, with stable keys and a masked number, and events."""
    if observers:
        event = _event(provider, prepared, outcome, seconds)
        with OutsideSend():
            observers.notify(lambda observer: observer.send_ended(event))
    if not logging_enabled():
        return
    receipt = outcome.receipt if isinstance(outcome, Accepted) else None
    keys = {
        "provider": provider_name(provider, outcome),
        "ref": None if receipt is None else receipt.ref,
        "state": outcome.state,
        "status": None if receipt is None else receipt.status.state,
        "segments": prepared.segments.count,
        "duration": round(seconds, 6),
        "to": mask_number(prepared.e164),
        "error": None if isinstance(outcome, Accepted) else type(outcome.error).__name__,
    }
    logger.info(
        "%(provider)s %(state)s to=%(to)s ref=%(ref)s status=%(status)s segments=%(segments)s "
        "error=%(error)s %(duration).3f s",
        keys,
        extra=keys,
    )


def log_halt(provider: SmsProvider, error: RunHaltedError) -> None:
    """Tell that a run stopped itself; without the cause's words, which hold a number."""
    logger.warning(
        "%s: the run stopped by itself (%s); %d of its texts may have been sent, or may not",
        provider.name,
        type(error.cause).__name__,
        error.unknown,
    )


def _event(
    provider: SmsProvider, prepared: PreparedMessage, outcome: Outcome, seconds: float
) -> SendEnded:
    return SendEnded(
        provider=provider_name(provider, outcome),
        state=outcome.state,
        to=mask_number(prepared.e164),
        number=prepared.e164,
        segments=prepared.segments.count,
        seconds=seconds,
        outcome=outcome,
    )


def provider_name(provider: SmsProvider, outcome: Outcome) -> str:
    """Return who took a message or was asked last: a router's member, where it names one."""
    if isinstance(outcome, Accepted):
        return outcome.receipt.provider
    return str(getattr(outcome.error, "provider", "") or provider.name)
