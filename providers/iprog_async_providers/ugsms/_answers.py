"""Reading UGSMS's answers: real HTTP codes, `success` in the body, one id for a whole list."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve, field, frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    InsufficientCreditError,
    NotFoundError,
    Outcome,
    RejectedError,
)
from iprog_async.adapter import (
    PLAIN_REASON,
    Answer,
    ErrorForm,
    Id,
    PreparedMessage,
    Refusal,
    UnclearAnswer,
    accepted,
    amount_or_none,
    count_or_none,
    give_up,
    is_object,
    mask_keys,
    may_run_out,
    names_errors,
    refuse,
    structure,
    words,
)


# The exact form of its errors; `help` explains what is missing (LOG).
_ERROR = ErrorForm({}, ("error", "message", "help"), {"success": (False,)})
_FAILED = ErrorForm({"success": (False,)}, ("error", "message", "help"))
# An object of reasons by field is what Laravel's validator makes, in front of everything else.
_INVALID = ErrorForm({}, ("message", "errors.*"))

_REFUSED = (200, *range(400, 500))
# Refusals that UGSMS makes before it sends anything; marks in docs/gateways/ugsms-evidence.md.
# One of them refuses a whole list: even one bad number does (DOC).
REFUSALS = (
    Refusal(
        AuthenticationError,
        r"api key is required\.?|unauthori[sz]ed\.?|unauthenticated\.?"
        r"|provide (one|x-api-key header( or api_key parameter)?)\.?",
        (401,),
        whole_request=True,
        evidence="LOG, DOC; the third is Laravel's own (INFER)",
    ),
    Refusal(
        AuthenticationError,
        r"credentials are required\.?|provide username and password\.?",
        (400, 401, 403, 422),
        whole_request=True,
        evidence="CLI; its status is not known",
    ),
    Refusal(
        RejectedError,
        r"invalid phone number( format)?\.?",
        (400,),
        blame="recipient",
        whole_request=True,
        evidence="DOC",
    ),
    Refusal(
        InsufficientCreditError,
        r"insufficient (account )?(balance|credits?|funds)\.?",
        _REFUSED,
        whole_request=True,
        evidence="CLI; its status is not known",
    ),
    # Laravel's router says these before any code of the gateway runs.
    Refusal(
        NotFoundError,
        r"the route [\w/.-]{1,200} could not be found\.?",
        (404,),
        blame="account",
        whole_request=True,
        evidence="SRC of the framework",
    ),
    Refusal(
        RejectedError,
        r"the \w{1,10} method is not supported for (this )?route( [\w/.-]{1,200})?\."
        r"( supported methods: [\w, ]{1,80}\.)?",
        (405,),
        blame="account",
        whole_request=True,
        evidence="SRC of the framework",
    ),
)
# Of different texts in one request nobody has written down whether all numbers and the whole price
# are looked at before the first text is sent.
OF_DIFFERENT_TEXTS = tuple(
    evolve(row, whole_request=False)
    if row.blame == "recipient" or row.error is InsufficientCreditError
    else row
    for row in REFUSALS
)
VALIDATION = (
    Refusal(
        RejectedError, PLAIN_REASON, (422,), whole_request=True, evidence="SRC of the framework"
    ),
)

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
    answer: Answer,
    provider: str,
    extra: tuple[Refusal, ...] = (),
    *,
    rows: tuple[Refusal, ...] = REFUSALS,
    lenient: bool = False,
) -> Envelope:
    """Return the body of a success; raise what any other answer means.

    Args:
        answer: What came back.
        provider: Name of the provider, for errors.
        extra: The user's own refusals, which come first.
        rows: The gateway's own.
        lenient: Whether a success may lack `success`: fine for a read, never for a send.
    """
    body = _body(answer, provider)
    success = body.get("success")
    if 200 <= answer.status < 300 and (
        success is True or (lenient and success is None and "error" not in body)
    ):
        if names_errors(body):
            raise UnclearAnswer("a success with an error in it")
        return body
    if success is True:
        raise UnclearAnswer(f"HTTP {answer.status} around a success envelope")
    said = [*words(body.get("error")), *words(body.get("message"))]
    reasons = _by_field(body)
    reason = " ".join([*said, *words(body.get("help")), *reasons])
    form = _FAILED if answer.status < 300 else _ERROR
    refuse(answer, (*extra, *rows), provider=provider, reason=reason, form=form)
    if reasons:
        # Credit may run out on the way.
        checked = answer.recipients == 1 or not may_run_out((*said, *reasons))
        table = (*extra, *(VALIDATION if checked else ()))
        refuse(answer, table, provider=provider, reason=reason, form=_INVALID)
    raise give_up(answer, provider=provider, reason=reason, bare=not reason)


def is_empty_success(answer: Answer) -> bool:
    """Return whether an answer is a 2xx without any body, as the v1 page leaves possible.

    Of one that may have been cut nobody knows what the body would have said.
    """
    return 200 <= answer.status < 300 and answer.blank and answer.whole


def read_together(body: Envelope, batch: Sequence[PreparedMessage], provider: str) -> list[Outcome]:
    """Read the answer of a send: one id and one price for all recipients together."""
    data: object = body.get("data")
    sent = structure(data, _Sent) if is_object(data) else _Sent()
    count = count_or_none(sent.recipients)
    if count is not None and count < len(batch):
        ids = () if sent.message_id is None else (sent.message_id,)
        raise UnclearAnswer(f"{count} of {len(batch)} recipients accepted", references=ids)
    cost = amount_or_none(sent.estimated_cost) if len(batch) == 1 else None
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


def _by_field(body: Envelope) -> list[str]:
    """Return the reasons of a validator, field by field."""
    errors: object = body.get("errors")
    by_field: list[object] = list(errors.values()) if is_object(errors) else []
    return [word for reasons in by_field for word in words(reasons)]
