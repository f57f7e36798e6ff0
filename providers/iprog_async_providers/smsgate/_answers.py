"""Reading SMSGate's answers: HTTP 202 for what is queued, `{"message": …}` for what is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from iprog_async import (
    AuthenticationError,
    DeliveryState,
    DeliveryStatus,
    NotFoundError,
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
    is_number_of,
    is_object,
    names_errors,
    refuse_or_give_up,
    structure,
)


# Said before the message is stored, by the server's source; marks in docs/gateways/smsgate.md.
REFUSALS = (
    Refusal(AuthenticationError, r"unauthorized\.?", (401,), whole_request=True, evidence="SRC"),
    Refusal(
        RejectedError,
        r"(can't use phone in row \d{1,4}: )?(invalid phone number|not mobile phone number)",
        (400,),
        blame="recipient",
        whole_request=True,
        evidence="SRC",
    ),
    Refusal(NotFoundError, r"message not found", (404,), whole_request=True, evidence="SRC"),
)
# The code is that of HTTP, where it is there.
_ERROR = ErrorForm({}, ("message",), {"code": range(400, 500)})

STATES: Mapping[str, DeliveryState] = {
    "Pending": "pending",
    # The phone has taken it from its queue and handed it to Android.
    "Processed": "pending",
    "Sent": "sent",
    "Delivered": "delivered",
    "Failed": "failed",
}


@frozen
class _Message:
    """What the server tells of a message; the state of its one recipient is the text's."""

    id: Id
    state: str
    recipients: Any = None


def read_sent(
    answer: Answer, prepared: PreparedMessage, provider: str, refusals: tuple[Refusal, ...]
) -> list[Outcome]:
    """Read the answer to a send."""
    # A proxy may answer 200 by itself; the server and the phone answer 202 (SRC).
    if answer.status != 202:
        raise _failure(answer, provider, refusals)
    found = structure(answer.object(), _Message)
    if _names_another(found.recipients, prepared):
        raise UnclearAnswer("a message to somebody else", references=(found.id,))
    status = _status(found, answer)
    if names_errors(answer.data) or (status.state != "failed" and _names_errors(found.recipients)):
        raise UnclearAnswer("a message with an error", references=(found.id,))
    return [accepted(prepared, provider, message_id=found.id, status=status, raw=answer.data)]


def _names_another(recipients: object, prepared: PreparedMessage) -> bool:
    """Return whether a message is to another number; some servers keep no more than its hash."""
    return is_array(recipients) and any(
        isinstance(number := each.get("phoneNumber"), str)
        and number.startswith("+")
        and not is_number_of(number, prepared)
        for each in recipients
        if is_object(each)
    )


def _names_errors(recipients: object) -> bool:
    return is_array(recipients) and any(map(names_errors, recipients))


def read_status(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> DeliveryStatus:
    """Read how far a text has come."""
    if not 200 <= answer.status < 300:
        raise _failure(answer, provider, refusals)
    return _status(structure(answer.object(), _Message), answer)


def _status(found: _Message, answer: Answer) -> DeliveryStatus:
    return DeliveryStatus(STATES.get(found.state, "unknown"), found.state, answer.data)


def _failure(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> UnclearAnswer:
    """Raise the refusal that `message` proves, else return `UnclearAnswer`."""
    said = answer.data.get("message") if is_object(answer.data) else None
    reason = said if isinstance(said, str) else ""
    rows = (*refusals, *REFUSALS)
    return refuse_or_give_up(answer, rows, provider=provider, reason=reason, form=_ERROR)
