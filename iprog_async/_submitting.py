"""Handing a batch to an adapter and trusting nothing about what comes back."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from iprog_async._adapters import failed, unclear
from iprog_async._errors import SmsError
from iprog_async._messages import PreparedMessage
from iprog_async._outcomes import Accepted, Outcome
from iprog_async._phones import mask_number
from iprog_async._planner import Batch, halves
from iprog_async._providers import SmsProvider


logger = logging.getLogger("iprog_async")


async def submit(provider: SmsProvider, batch: Batch) -> Sequence[Outcome]:
    """Send a batch; exactly one outcome for each message, whatever the adapter does."""
    try:
        outcomes = await provider.submit(batch)
    except SmsError as exc:
        return [failed(prepared, exc) for prepared in batch]
    except Exception as exc:
        # A bug in an adapter: nobody knows how far it got.
        logger.exception("%s: the adapter failed while sending", provider.name)
        reason = f"the adapter failed with {type(exc).__name__}"
        return [unclear(prepared, provider.name, reason) for prepared in batch]
    if len(outcomes) != len(batch):
        reason = f"the adapter gave {len(outcomes)} outcomes for {len(batch)} messages"
        return [unclear(prepared, provider.name, reason) for prepared in batch]
    return outcomes


async def submit_halving(provider: SmsProvider, batch: Batch) -> Sequence[Outcome]:
    """Send a batch; halve it and try again while one recipient makes the gateway refuse all.

    An unknown outcome stops the halving: what is left keeps its certain refusal.
    """
    outcomes = await submit(provider, batch)
    if len(batch) == 1 or not all(_blames_one(outcome) for outcome in outcomes):
        return outcomes
    first, second = halves(batch)
    done = await submit_halving(provider, first)
    if any(outcome.state == "unknown" for outcome in done):
        return [*done, *outcomes[len(first) :]]
    return [*done, *await submit_halving(provider, second)]


def _blames_one(outcome: Outcome) -> bool:
    return outcome.state == "not_sent" and outcome.error.blame == "recipient"


def log_outcome(
    provider: SmsProvider, prepared: PreparedMessage, outcome: Outcome, seconds: float
) -> None:
    """Write the one INFO record of an outcome, with stable keys and a masked number."""
    if not logger.isEnabledFor(logging.INFO):
        return
    receipt = outcome.receipt if isinstance(outcome, Accepted) else None
    keys = {
        "provider": provider.name,
        "ref": receipt.ref if receipt is not None and receipt.message_id else None,
        "state": outcome.state,
        "segments": prepared.segments.count,
        "duration": round(seconds, 6),
        "to": mask_number(prepared.e164),
        "error": None if isinstance(outcome, Accepted) else type(outcome.error).__name__,
    }
    logger.info(
        "%(provider)s %(state)s to=%(to)s ref=%(ref)s segments=%(segments)s error=%(error)s "
        "%(duration).3f s",
        keys,
        extra=keys,
    )
