"""Reading Africa's Talking's answers: one status code for each recipient, under HTTP 201."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

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
    give_up,
    id_or_none,
    is_array,
    is_object,
    names_errors,
    refuse,
    refuse_one,
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


def _row(
    words: str,
    blame: Blame,
    evidence: str,
    *,
    healable: bool = True,
    error: type[ProviderError] = RejectedError,
) -> Refusal:
    return Refusal(error, words, (200, 201, 409), healable, blame, evidence=evidence)


# Of RiskHold (401) nobody says whether it is let go later, and a 5xx may come after the network
# got the text: they are not here, and so unknown.
REFUSED = (
    _row("402 InvalidSenderId", "account", "DOC"),
    _row("403 InvalidPhoneNumber", "recipient", "DOC", healable=False),
    _row("404 UnsupportedNumberType", "recipient", "DOC", healable=False),
    _row("405 InsufficientBalance", "account", "LOG", error=InsufficientCreditError),
    _row("406 UserInBlacklist", "recipient", "DOC", healable=False),
    _row("407 CouldNotRoute", "recipient", "DOC"),
    _row("409 DoNotDisturbRejection", "recipient", "DOC, with an answer"),
)
"""What a recipient's code and word say together, as one text."""

_ENTRY = ErrorForm({}, ("status",))
# Words of a recipient whose text was taken; "Success" is the one that was seen (LOG).
_TAKEN_WORDS = frozenset(("", "success", "processed", "sent", "queued"))
# What is said of all of them: "Sent to 1/2 Total Cost: KES 0.8000".
_OF_ALL = re.compile(
    r"\s*Sent to (\d{1,9})/\d{1,9}( Total Cost:? (?P<cost>[\w., ]{1,40}))?\s*",
    re.ASCII | re.IGNORECASE,
)
_KNOWN = frozenset(("statusCode", "number", "status", "cost", "messageId", "messageParts"))


@frozen
class _Recipient:
    number: str
    statusCode: int  # noqa: N815 - the gateway's own name
    status: str = ""
    messageId: str | None = None  # noqa: N815 - the same
    cost: Any = None
    error: Any = None
    errors: Any = None

    @property
    def has_error(self) -> bool:
        """Whether it has an error, whatever its code says."""
        return names_errors({"error": self.error, "errors": self.errors})

    @property
    def id(self) -> str | None:
        """The id, if it has one; "None" is written where it has none."""
        return id_or_none(self.messageId)

    @property
    def is_taken(self) -> bool:
        """Whether the code, the word and the id say that its text was taken."""
        taken = self.statusCode in TAKEN and self.status.strip().lower() in _TAKEN_WORDS
        return taken and self.id is not None

    @property
    def words(self) -> str:
        return f"{self.statusCode} {self.status}".strip()


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
        ids = tuple(each.id for each in recipients if each.id is not None)
        raise UnclearAnswer("numbers that were not asked for", references=ids)
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
    if names_errors(answer.data) or names_errors(data):
        raise UnclearAnswer("recipients with an error beside them")
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
    said: object = data.get("Message") if is_object(data) else None
    taken = [each for each in recipients if each.is_taken]
    return recipients, exact and _agrees(said, taken)


def _agrees(message: object, taken: Sequence[_Recipient]) -> bool:
    """Return whether what is said of all speaks of no more than the texts that were taken.

    Neither of more texts, nor of a price that is more than theirs.
    """
    if message is None or message == "":
        return True
    found = _OF_ALL.fullmatch(message) if isinstance(message, str) else None
    if found is None or int(found[1]) > len(taken):
        return False
    if found["cost"] is None:
        return True
    total = _cost(found["cost"].strip())
    return total is not None and total <= sum(_cost(each.cost) or 0 for each in taken)


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
    if found.is_taken and answer.status != 409 and not found.has_error:
        return accepted(
            prepared,
            provider,
            message_id=found.id,
            cost=_cost(found.cost),
            status=DeliveryStatus(TAKEN[found.statusCode], found.words),
            raw=answer.data,
        )
    paid = found.cost is not None and _cost(found.cost) != 0
    if not exact or paid or found.id is not None:
        references = () if found.id is None else (found.id,)
        return unclear(prepared, provider, found.words, references)
    return refuse_one(
        prepared,
        answer,
        REFUSED,
        provider=provider,
        entry={"status": found.words},
        form=_ENTRY,
        reason=found.words,
        code=str(found.statusCode),
    )


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
