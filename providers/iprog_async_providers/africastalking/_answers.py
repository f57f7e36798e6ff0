"""Reading Africa's Talking's answers: one status code for each recipient, under HTTP 201."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    DeliveryState,
    DeliveryStatus,
    InsufficientCreditError,
    Outcome,
    ProviderError,
    RejectedError,
)
from iprog_async.adapter import (
    NOT_JSON,
    Answer,
    Blame,
    ErrorForm,
    PreparedMessage,
    Refusal,
    UnclearAnswer,
    accepted,
    amount_or_none,
    failed,
    give_up,
    is_array,
    is_object,
    refuse,
    refuse_or_give_up,
    structure,
    unclear,
)


# Refusals of a whole request, before anything is sent; marks in docs/gateways/africastalking.md.
REFUSALS = (
    Refusal(
        AuthenticationError,
        r"the supplied authentication is invalid\.?",
        (401,),
        whole_request=True,
        evidence="LOG",
    ),
    Refusal(
        RejectedError,
        "InvalidSenderId",
        (200, 201),
        healable=True,
        blame="account",
        whole_request=True,
        evidence="LOG: the list of recipients is empty",
    ),
)
_ERROR = ErrorForm({}, ("SMSMessageData.Message",))

TAKEN: Mapping[int, DeliveryState] = {100: "pending", 101: "sent", 102: "pending"}
"""Codes of a recipient whose text was processed, sent or queued (DOC)."""


@frozen
class _Reason:
    """Why a recipient was refused.

    Args:
        word: The gateway's word beside the code.
        error: The class to raise.
        blame: What caused it.
        healable: Whether another gateway or a later try could succeed.
        evidence: How far to trust it.
    """

    word: str
    error: type[ProviderError]
    blame: Blame
    healable: bool
    evidence: str


# Of RiskHold (401) nobody says whether it is let go later, and a 5xx may come after the network
# got the text: they are not here, and so unknown.
REFUSED: Mapping[int, _Reason] = {
    402: _Reason("InvalidSenderId", RejectedError, "account", True, "DOC"),
    403: _Reason("InvalidPhoneNumber", RejectedError, "recipient", False, "DOC"),
    404: _Reason("UnsupportedNumberType", RejectedError, "recipient", False, "DOC"),
    405: _Reason("InsufficientBalance", InsufficientCreditError, "account", True, "LOG"),
    406: _Reason("UserInBlacklist", RejectedError, "recipient", False, "DOC"),
    407: _Reason("CouldNotRoute", RejectedError, "recipient", True, "DOC"),
    409: _Reason("DoNotDisturbRejection", RejectedError, "recipient", True, "DOC, with an answer"),
}
_NO_ID = ("", "None", None)
_COUNT_SENT = re.compile(r"\s*Sent to (\d{1,9})/", re.ASCII | re.IGNORECASE)
_KNOWN = frozenset(("statusCode", "number", "status", "cost", "messageId", "messageParts"))


@frozen
class _Recipient:
    number: str
    statusCode: int  # noqa: N815 - the gateway's own name
    status: str = ""
    messageId: str | None = None  # noqa: N815 - the same
    cost: Any = None
    messageParts: Any = field(default=None)  # noqa: N815 - the same


@frozen
class _User:
    balance: str


@frozen
class _UserData:
    UserData: _User


def read_sent(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    refusals: tuple[Refusal, ...],
) -> list[Outcome]:
    """Read the answer to a send; each recipient has a code of its own."""
    found = _recipients(answer)
    if found is None:
        raise _failure(answer, provider, refusals)
    recipients, exact = found
    by_number = {each.number.lstrip("+"): each for each in recipients}
    asked = {prepared.to.lstrip("+") for prepared in batch}
    if len(by_number) < len(recipients) or not by_number.keys() <= asked:
        ids = tuple(each.messageId for each in recipients if each.messageId not in _NO_ID)
        raise UnclearAnswer("numbers that were not asked for", references=tuple(filter(None, ids)))
    return [
        _outcome(prepared, by_number.get(prepared.to.lstrip("+")), provider, answer, exact=exact)
        for prepared in batch
    ]


def read_balance(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> Balance:
    """Read what is left on the account: `KES 1785.50`."""
    if not 200 <= answer.status < 300 or not is_object(answer.data):
        raise _failure(answer, provider, refusals)
    text = structure(answer.data, _UserData).UserData.balance
    unit, _, amount = text.partition(" ")
    left = amount_or_none(amount)
    return Balance(left, "" if left is None else unit, text, answer.data)


def _recipients(answer: Answer) -> tuple[list[_Recipient], bool] | None:
    """Return the recipients, and whether the answer says nothing besides or against them."""
    if not 200 <= answer.status < 300 and answer.status != 409:
        return None
    data = answer.data.get("SMSMessageData") if is_object(answer.data) else None
    items = data.get("Recipients") if is_object(data) else None
    if not is_array(items) or not items:
        return None
    exact = (
        is_object(answer.data)
        and is_object(data)
        and answer.data.keys() == {"SMSMessageData"}
        and data.keys() <= {"Message", "Recipients"}
        and all(is_object(item) and item.keys() <= _KNOWN for item in items)
    )
    recipients = [structure(item, _Recipient) for item in items]
    sent = _count_sent(data.get("Message")) if is_object(data) else 0
    return recipients, exact and sent <= sum(map(_is_taken, recipients))


def _count_sent(message: object) -> int:
    """Return how many texts were sent by what an answer says of all: `Sent to 1/2 …`."""
    found = _COUNT_SENT.match(message) if isinstance(message, str) else None
    return int(found[1]) if found else 0


def _is_taken(found: _Recipient) -> bool:
    return found.statusCode in TAKEN and found.messageId not in _NO_ID


def _outcome(
    prepared: PreparedMessage,
    found: _Recipient | None,
    provider: str,
    answer: Answer,
    *,
    exact: bool,
) -> Outcome:
    if found is None:
        return unclear(prepared, provider, "the answer does not name this number")
    words = f"{found.statusCode} {found.status}".strip()
    has_id = found.messageId not in _NO_ID
    if _is_taken(found) and answer.status != 409:
        return accepted(
            prepared,
            provider,
            message_id=found.messageId,
            cost=_cost(found.cost),
            status=DeliveryStatus(TAKEN[found.statusCode], words),
            raw=answer.data,
        )
    reason = REFUSED.get(found.statusCode)
    if reason is None or has_id or not exact or not _is_refused_as(reason, found):
        references = (str(found.messageId),) if has_id else ()
        return unclear(prepared, provider, words, references)
    error = reason.error(
        f"{provider} refused {prepared.to}: {words}",
        provider=provider,
        http_status=answer.status,
        code=str(found.statusCode),
        reason=found.status,
        raw=answer.data,
        healable=reason.healable,
        blame=reason.blame,
    )
    return failed(prepared, error)


def _is_refused_as(reason: _Reason, found: _Recipient) -> bool:
    """Return whether the word is that of the code, and nothing was paid."""
    free = found.cost is None or _cost(found.cost) == 0
    return free and found.status == reason.word


def _cost(value: object) -> Decimal | None:
    """Read a cost such as `KES 0.8000`, or `0`."""
    return amount_or_none(value.rpartition(" ")[2] if isinstance(value, str) else value)


def _failure(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> UnclearAnswer:
    """Raise the refusal that plain words or `Message` prove, else return `UnclearAnswer`."""
    rows = (*refusals, *REFUSALS)
    if answer.data is NOT_JSON:
        # So is a wrong key answered; words that no row knows are for the excerpt alone.
        refuse(answer, rows, provider=provider, reason=answer.excerpt)
        return give_up(answer, provider=provider)
    data = answer.data.get("SMSMessageData") if is_object(answer.data) else None
    said = data.get("Message") if is_object(data) else None
    reason = said if isinstance(said, str) else ""
    return refuse_or_give_up(answer, rows, provider=provider, reason=reason, form=_ERROR)
