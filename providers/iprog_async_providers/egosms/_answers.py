"""Reading EgoSMS's answers: one `Status` and one code for a whole request, with HTTP 200."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    InsufficientCreditError,
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
    amount_or_none,
    id_or_none,
    is_object,
    names_errors,
    refuse_or_give_up,
    structure,
)


# Errors come with HTTP 200 (DOC, CLI).
_STATUS = (200,)
_DOC = "DOC: the vendor's list of errors"
_SPEC = "DOC: the contract in the vendor's own SDK"
# What is said of a whole request before its first text; marks in docs/gateways/egosms.md.
REFUSALS = (
    Refusal(
        AuthenticationError,
        r"wrong user ?name or password\.?"
        r"|that user does not exist or user not active\.?"
        r"|either username or password not set\.?",
        _STATUS,
        whole_request=True,
        evidence=_DOC,
    ),
    Refusal(
        AuthenticationError, r"invalid credentials\.?", _STATUS, whole_request=True, evidence=_SPEC
    ),
    Refusal(
        InsufficientCreditError,
        r"money not enough to send this batch of msgs\.?",
        _STATUS,
        whole_request=True,
        evidence=_DOC,
    ),
    # Whether the first texts of a list went out before the money was gone is not written down.
    Refusal(InsufficientCreditError, r"insufficient balance\.?", _STATUS, evidence=_SPEC),
    Refusal(
        RejectedError,
        r"wrong json passed\.?",
        _STATUS,
        blame="account",
        whole_request=True,
        evidence=_DOC,
    ),
)
_FAILED = ErrorForm({"Status": ("Failed",)}, ("Message",))
_CODE = "MsgFollowUpUniqueCode"


@frozen
class _Sent:
    MsgFollowUpUniqueCode: Id
    Cost: Any = None


@frozen
class _Account:
    Balance: Decimal
    Currency: Any = None


def read_sent(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    refusals: tuple[Refusal, ...],
) -> list[Outcome]:
    """Read the answer to a send: one code and one price for all of its texts together."""
    if not _is_success(answer):
        raise _failure(answer, provider, refusals)
    if names_errors(answer.data):
        raise UnclearAnswer("a success with an error in it")
    # The vendor calls the code optional, but no answer to a taken text lacks it; without one,
    # an answer may be that of any other server.
    sent = structure(answer.data, _Sent)
    cost = amount_or_none(sent.Cost) if len(batch) == 1 else None
    code = sent.MsgFollowUpUniqueCode
    return [
        accepted(prepared, provider, message_id=code, cost=cost, raw=answer.data)
        for prepared in batch
    ]


def read_balance(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> Balance:
    """Read what is left in the wallet for Ugandan numbers."""
    if not _is_success(answer):
        raise _failure(answer, provider, refusals)
    account = structure(answer.data, _Account)
    unit = account.Currency if isinstance(account.Currency, str) else "UGX"
    return Balance(account.Balance, unit, f"{account.Balance} {unit}", answer.data)


def _is_success(answer: Answer) -> bool:
    said = answer.data.get("Status") if is_object(answer.data) else None
    # The vendor's SDK takes the word in any case.
    return 200 <= answer.status < 300 and isinstance(said, str) and said.upper() == "OK"


def _failure(answer: Answer, provider: str, refusals: tuple[Refusal, ...]) -> UnclearAnswer:
    """Raise the refusal that `Message` proves, else return `UnclearAnswer`."""
    body = answer.data if is_object(answer.data) else {}
    # Empty where nothing was taken; it is text, but a number would be no less a code.
    if code := id_or_none(body.get(_CODE)):
        return UnclearAnswer(f"HTTP {answer.status} with a code of texts", references=(code,))
    said: object = body.get("Message")
    reason = said if isinstance(said, str) else ""
    rows = (*refusals, *REFUSALS)
    return refuse_or_give_up(answer, rows, provider=provider, reason=reason, form=_FAILED)
