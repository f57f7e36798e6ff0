"""Reading Semaphore's answers: a list of messages, or reasons by field with HTTP 200 as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from attrs import frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    DeliveryState,
    DeliveryStatus,
    InvalidMessageError,
    Outcome,
    RejectedError,
)
from iprog_async.adapter import (
    Answer,
    ErrorForm,
    Id,
    PreparedMessage,
    Refusal,
    UnclearAnswer,
    accepted,
    is_array,
    is_object,
    names_errors,
    refuse_or_give_up,
    structure,
    to_e164,
    unclear,
    words,
)


_FIELDS = ("apikey", "sendername", "number", "message")
# The validator of the framework, in front of everything else; marks in docs/gateways/semaphore.md.
REFUSALS = (
    Refusal(
        AuthenticationError,
        r"the selected apikey is invalid\.?",
        (200, 422),
        whole_request=True,
        evidence="CLI",
    ),
    Refusal(
        RejectedError,
        r"the selected sendername is invalid\.?",
        (200, 422),
        healable=True,
        blame="account",
        whole_request=True,
        evidence="LOG with 200, CLI with 422",
    ),
    Refusal(
        RejectedError,
        r"the number format is invalid\.?",
        (200, 422),
        blame="recipient",
        evidence="CLI",
    ),
)
_ERROR = ErrorForm({}, _FIELDS)

STATES: Mapping[str, DeliveryState] = {
    "queued": "pending",
    "pending": "pending",
    "sent": "sent",
    "failed": "failed",
    "refunded": "failed",
}
_REGION = "PH"


@frozen
class _Message:
    message_id: Id
    recipient: str
    status: str


@frozen
class _Account:
    credit_balance: Decimal


def read_sent(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    refusals: tuple[Refusal, ...],
) -> list[Outcome]:
    """Read the answer to a send: one message for each recipient."""
    items: object = answer.data
    if not 200 <= answer.status < 300 or not is_array(items) or not items:
        raise _failure(answer, provider, refusals)
    found = [structure(item, _Message) for item in items]
    ids = tuple(each.message_id for each in found)
    if any(map(names_errors, items)):
        raise UnclearAnswer("messages with an error in them", references=ids)
    by_number = {_e164(each.recipient): each for each in found}
    if len(by_number) < len(found) or not by_number.keys() <= {each.e164 for each in batch}:
        raise UnclearAnswer("numbers that were not asked for", references=ids)
    return [
        unclear(prepared, provider, "the answer does not name this number")
        if (message := by_number.get(prepared.e164)) is None
        else accepted(
            prepared,
            provider,
            message_id=message.message_id,
            status=_status(message, answer),
            raw=answer.data,
        )
        for prepared in batch
    ]


def read_balance(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> Balance:
    """Read how many credits are left."""
    if 200 <= answer.status < 300 and is_object(answer.data) and "credit_balance" in answer.data:
        left = structure(answer.data, _Account).credit_balance
        return Balance(left, "credits", str(left), answer.data)
    raise _failure(answer, provider, refusals)


def _e164(recipient: str) -> str:
    """Read a number of an answer; it comes back as 639171234567 or 09171234567."""
    try:
        return to_e164(recipient, _REGION)
    except InvalidMessageError:
        return ""


def _status(message: _Message, answer: Answer) -> DeliveryStatus:
    state = STATES.get(message.status.lower(), "unknown")
    return DeliveryStatus(state, message.status, answer.data)


def _failure(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> UnclearAnswer:
    """Raise the refusal that the reasons by field prove, else return `UnclearAnswer`."""
    data = answer.data
    said = [word for name in _FIELDS for word in words(data.get(name))] if is_object(data) else []
    # What is no refusal is shown all the same: `["Your current balance of 0 credits …"]`.
    reason = " ".join(said or words(data))
    rows = (*refusals, *REFUSALS)
    return refuse_or_give_up(answer, rows, provider=provider, reason=reason, form=_ERROR)
