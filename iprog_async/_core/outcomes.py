"""The three ways a send can end, and what makes each."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal, TypeAlias

from attrs import frozen

from iprog_async._core.errors import OutcomeUnknownError, RejectedError, SmsError
from iprog_async._core.messages import Message, PreparedMessage
from iprog_async._core.receipts import PENDING, DeliveryStatus, Receipt


@frozen
class Accepted:
    """The gateway took the text; whether it was delivered is a question for `status`."""

    index: int
    message: Message
    receipt: Receipt
    state: Literal["accepted"] = "accepted"

    @property
    def failed(self) -> bool:
        """Whether the gateway took the text, and said in the same answer that it failed.

        It is paid for as a rule, and no reason to send it elsewhere.
        """
        return self.receipt.status.state == "failed"


@frozen
class NotSent:
    """The text certainly did not go out; `error.healable` says whether to try again."""

    index: int
    message: Message
    error: SmsError
    state: Literal["not_sent"] = "not_sent"


@frozen
class Unknown:
    """The text may have gone out; sending it again may text somebody twice."""

    index: int
    message: Message
    error: OutcomeUnknownError
    state: Literal["unknown"] = "unknown"


Outcome: TypeAlias = Accepted | NotSent | Unknown


def met_this_time(error: SmsError) -> SmsError:
    """Return what the last attempt met; not the doubt of an earlier one that it was to settle."""
    if isinstance(error, OutcomeUnknownError) and error.not_resent is not None:
        return error.not_resent
    return error


def accepted(
    prepared: PreparedMessage,
    provider: str,
    *,
    message_id: str | None,
    cost: Decimal | None = None,
    status: DeliveryStatus = PENDING,
    scheduled: bool = False,
    raw: object = None,
    credits: Decimal | None = None,  # noqa: A002 - the receipt's own word
) -> Accepted:
    """Return the outcome of a message the gateway took; the arguments are those of `Receipt`."""
    segments = prepared.segments.count
    receipt = Receipt(
        provider, message_id, prepared.to, segments, cost, status, scheduled, raw, credits
    )
    return Accepted(prepared.index, prepared.message, receipt)


def failed(prepared: PreparedMessage, error: SmsError) -> NotSent | Unknown:
    """Return the outcome of a message that met an error."""
    if isinstance(error, OutcomeUnknownError):
        return Unknown(prepared.index, prepared.message, error)
    return NotSent(prepared.index, prepared.message, error)


def rejected(
    prepared: PreparedMessage,
    provider: str,
    reason: str,
    raw: object = None,
    *,
    healable: bool = False,
) -> NotSent:
    """Return the outcome of one recipient that the gateway refused among others."""
    error = RejectedError(
        f"{provider} refused {prepared.to}: {reason}",
        provider=provider,
        reason=reason,
        raw=raw,
        healable=healable,
        blame="recipient",
    )
    return NotSent(prepared.index, prepared.message, error)


def unclear(
    prepared: PreparedMessage, provider: str, reason: str, references: tuple[str, ...] = ()
) -> Unknown:
    """Return the outcome of one recipient about whom the answer proves nothing."""
    error = OutcomeUnknownError(
        f"{provider}: it is unknown whether the text for {prepared.to} was sent: {reason}. "
        "It may have been: check at the gateway before you send it again",
        provider=provider,
        reason=reason,
        references=references,
    )
    return Unknown(prepared.index, prepared.message, error)
