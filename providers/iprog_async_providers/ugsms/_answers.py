"""Reading UGSMS's answers: real HTTP codes, `success` in the body, one id for a whole list."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    InsufficientCreditError,
    NotFoundError,
    Outcome,
    RejectedError,
)
from iprog_async.adapter import (
    Answer,
    Id,
    PreparedMessage,
    Refusal,
    UnclearAnswer,
    accepted,
    give_up,
    is_object,
    mask_keys,
    parse_amount,
    refuse,
    structure,
    words,
)


# Refusals that UGSMS makes before it sends anything; marks in docs/gateways/ugsms.md.
REFUSALS = (
    Refusal(AuthenticationError, status=(401,)),
    Refusal(AuthenticationError, r"credentials are required", status=range(400, 500)),
    Refusal(RejectedError, r"invalid phone number", status=(400,), blame="recipient"),
    Refusal(
        InsufficientCreditError,
        r"insufficient (balance|credit|funds)",
        status=(*range(200, 300), *range(400, 500)),
    ),
    # Laravel's router says these before any code of the gateway runs.
    Refusal(NotFoundError, r"^the route .* could not be found", status=(404,), blame="account"),
    Refusal(RejectedError, r"method is not supported for", status=(405,), blame="account"),
)
# An object of reasons by field is what Laravel's validator makes, in front of everything else.
VALIDATION = (Refusal(RejectedError, status=(422,)),)

Envelope = dict[str, Any]
"""The body of a success."""


@frozen
class _Sent:
    """The `data` of a send; what it says besides the id is a help, and nothing to insist on."""

    message_id: Id | None = None
    recipients: Any = None
    estimated_cost: Any = None


@frozen
class _Account:
    balance: Decimal
    currency: str = field(default="UGX")


def check(
    answer: Answer, provider: str, extra: tuple[Refusal, ...] = (), *, lenient: bool = False
) -> Envelope:
    """Return the body of a success; raise what any other answer means.

    Args:
        answer: What came back.
        provider: Name of the provider, for errors.
        extra: The user's own refusals, which come first.
        lenient: Whether a success may lack `success`: fine for a read, never for a send.
    """
    body = _body(answer, provider)
    success = body.get("success")
    if 200 <= answer.status < 300 and (
        success is True or (lenient and success is None and "error" not in body)
    ):
        return body
    if success is True:
        raise UnclearAnswer(f"HTTP {answer.status} around a success envelope")
    reason = _reason(body)
    table = (*extra, *REFUSALS, *(VALIDATION if is_object(body.get("errors")) else ()))
    refuse(answer, table, provider=provider, reason=reason)
    raise give_up(answer, provider=provider, reason=reason, bare=not reason)


def is_empty_success(answer: Answer) -> bool:
    """Return whether an answer is a 2xx without any body, as the v1 page leaves possible."""
    return 200 <= answer.status < 300 and answer.blank


def read_sent(body: Envelope, batch: Sequence[PreparedMessage], provider: str) -> list[Outcome]:
    """Read the answer of a send: one id and one price for all recipients together."""
    data: object = body.get("data")
    sent = structure(data, _Sent) if is_object(data) else _Sent()
    count: object = sent.recipients
    if isinstance(count, int) and count < len(batch):
        ids = () if sent.message_id is None else (sent.message_id,)
        raise UnclearAnswer(f"{count} of {len(batch)} recipients accepted", references=ids)
    cost = _amount(sent.estimated_cost) if len(batch) == 1 else None
    raw = mask_keys(body)
    return [
        accepted(prepared, provider, message_id=sent.message_id, cost=cost, raw=raw)
        for prepared in batch
    ]


def read_balance(body: Envelope) -> Balance:
    """Read what is left on the account, from `data` or, as some clients do, beside it."""
    data: object = body.get("data")
    account = structure(data if is_object(data) else body, _Account)
    text = f"{account.balance} {account.currency}"
    return Balance(account.balance, account.currency, text, mask_keys(body))


def _body(answer: Answer, provider: str) -> Envelope:
    try:
        return answer.object()
    except UnclearAnswer:
        raise give_up(answer, provider=provider) from None


def _reason(body: Envelope) -> str:
    """Return the gateway's words: `error`, and whatever explains it."""
    errors: object = body.get("errors")
    by_field: list[object] = list(errors.values()) if is_object(errors) else []
    sources: list[object] = [body.get("error"), body.get("message"), body.get("help"), *by_field]
    return " ".join(word for source in sources for word in words(source))


def _amount(value: object) -> Decimal | None:
    try:
        return parse_amount(value)
    except ValueError:
        # What it cost is worth less than knowing that it was accepted.
        return None
