"""Reading IPROG's answers: HTTP 200 for nearly everything, the truth in the body."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

from iprog_async import (
    AuthenticationError,
    Balance,
    CredentialsOrCreditError,
    DeliveryState,
    DeliveryStatus,
    NotFoundError,
    Outcome,
    RateLimitError,
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
    give_up,
    id_or_none,
    is_array,
    is_object,
    mask_keys,
    names_errors,
    one_line,
    refuse_or_give_up,
    structure,
    value,
    words,
)


# Never seen with another status: IPROG's errors are in the body (LOG, DOC).
_SEEN = (200,)
# The exact form of its errors, and what a framework's own router says (INFER).
_ERROR = ErrorForm(
    {"status": (500, "500", "error")}, ("message", "data.errors"), {"data.passed": (False,)}
)
_NO_ROUTE = ErrorForm({"status": (404, "404"), "error": ("Not Found",)}, ())

# Refusals that IPROG makes before it queues anything; marks in docs/gateways/iprog-evidence.md.
REFUSALS = (
    Refusal(
        CredentialsOrCreditError,
        r"invalid api token or no load balance\.?",
        _SEEN,
        whole_request=True,
        evidence="DOC: one look at the account, before anything else",
    ),
    Refusal(
        AuthenticationError,
        r"invalid (api )?token\.?",
        _SEEN,
        healable=False,
        whole_request=True,
        evidence="CLI: the same look at the account",
    ),
    Refusal(
        RejectedError,
        r"api token, phone number and message are required\.?",
        _SEEN,
        whole_request=True,
        evidence="DOC: a check of the request's fields",
    ),
    Refusal(
        RateLimitError,
        r"you('|\u2019| ha)ve hit the limit of \d{1,6} requests? per "
        r"(second|minute|hour|day|week|month)\.?"
        r"( for unlimited access, explore our pricing plans\.?)?",
        _SEEN,
        whole_request=True,
        evidence="DOC: counts requests, of the web interface",
    ),
    # The text is the same for all of a request.
    Refusal(
        RejectedError,
        r"your input (contains|has) inappropriate language\.?",
        _SEEN,
        whole_request=True,
        evidence="LOG: a list of reasons",
    ),
    Refusal(
        RejectedError,
        r"message failed validation\.?|message looks suspicious( \([a-z]{3,20} detected\))?\.?",
        _SEEN,
        whole_request=True,
        evidence="CLI: data.errors",
    ),
    # One number's network: the others of a request may have been queued.
    Refusal(
        RejectedError,
        r"smart/tnt( numbers?)?:? ((do|does)(n't| not) (accept|allow)|((is|are) )?not allowed)"
        r"( (for|with|by))?( (the|a))?( shared sender names?)?\.?",
        _SEEN,
        healable=True,
        blame="recipient",
        evidence="CLI",
    ),
)
# Reasons in a list, and in `data.errors`, come from a check that runs before anything is queued
# (LOG, CLI). Each is a plain sentence about what was asked, and nothing that went wrong later.
CONTENT = (Refusal(RejectedError, PLAIN_REASON, _SEEN, evidence="LOG, CLI: by their form"),)
# For calls that name one thing by its id and send nothing (INFER).
NO_SUCH_ID = (Refusal(NotFoundError, r"not found|couldn't find|does(n't| not) exist"),)

STATES: dict[str, DeliveryState] = {
    "pending": "pending",
    "completed": "delivered",
    "failed": "failed",
}

Envelope = dict[str, Any]
"""The body of a success."""


# Each send makes one.
@value
class _Sent:
    """Answer of `sms_messages`: what it has to say; the price it may leave out."""

    message_id: Id


@frozen
class _SentBulk:
    """Answer of `sms_messages/send_bulk`: comma-joined strings in the order of the numbers."""

    message_ids: str
    sms_rates: Any = None


@frozen
class _Status:
    message_status: str


@frozen
class _Account:
    load_balance: Decimal


@frozen
class _Credits:
    data: _Account


@frozen
class Network:
    """Which mobile network a number belongs to.

    Args:
        network: The gateway's word, such as `"Globe/TM"`, `"Smart/TNT"` or `"DITO"`.
        is_smart_tnt: Whether it is of Smart or TNT, which refuse shared sender names.
    """

    network: str
    is_smart_tnt: bool = False


def check(answer: Answer, provider: str, extra: tuple[Refusal, ...] = ()) -> Envelope:
    """Return the body of a success; raise what any other answer means."""
    try:
        body = answer.object()
    except UnclearAnswer:
        raise give_up(answer, provider=provider) from None
    status = body.get("status")
    if status in (200, "200", "success"):
        if not 200 <= answer.status < 300:
            raise UnclearAnswer(f"HTTP {answer.status} around a success envelope")
        if names_errors(body):
            raise UnclearAnswer("a success with errors in it")
        return body
    reason = " ".join(_reasons(body))
    table = (*extra, *REFUSALS, *(CONTENT if _is_content_refusal(answer, body) else ()))
    code = str(status) if isinstance(status, (int, str)) else None
    bare = not body or _NO_ROUTE.holds(body) if answer.once else "message" not in body
    raise refuse_or_give_up(
        answer,
        table,
        provider=provider,
        reason=reason,
        code=code,
        form=_ERROR,
        bare=bare,
    )


def error_words(answer: Answer) -> str | None:
    """Return the words of an error envelope, or `None` where the answer is none."""
    body = answer.data
    if not is_object(body) or answer.status >= 500:
        return None
    return " ".join(_reasons(body)) if body.get("status") in (500, "500", "error") else None


def _reasons(body: Envelope) -> list[str]:
    """Return the gateway's words: a string, a list, those in `data.errors`, or a framework's."""
    said = [*words(body.get("message")), *words(_errors(body))]
    return said or words(body.get("error"))


def _errors(body: Envelope) -> object:
    data: object = body.get("data")
    return data.get("errors") if is_object(data) else None


def _is_content_refusal(answer: Answer, body: Envelope) -> bool:
    """Return whether the shape shows a check that runs before anything is queued."""
    if error_words(answer) is None:
        return False
    return any(is_array(part) and words(part) for part in (body.get("message"), _errors(body)))


def read_sent(body: Envelope, batch: Sequence[PreparedMessage], provider: str) -> list[Outcome]:
    """Read the answer of a send to one."""
    sent = structure(body, _Sent)
    cost, raw = amount_or_none(body.get("sms_rate")), mask_keys(body)
    return [
        accepted(batch[0], provider, message_id=sent.message_id, cost=cost, credits=cost, raw=raw)
    ]


def read_sent_bulk(
    body: Envelope, batch: Sequence[PreparedMessage], provider: str
) -> list[Outcome]:
    """Read the answer of a send to many; ids pair with recipients only if the counts agree."""
    sent = structure(body, _SentBulk)
    parts = [part for part in sent.message_ids.split(",") if part.strip()]
    # What stands for no id leaves open whose it is, and so does one that two have.
    ids = tuple(dict.fromkeys(found for part in parts if (found := id_or_none(part))))
    if not len(ids) == len(parts) == len(batch):
        raise UnclearAnswer(
            f"{len(ids)} message ids for {len(batch)} recipients: {one_line(','.join(ids))}",
            references=ids,
        )
    costs = [amount_or_none(rate) for rate in str(sent.sms_rates).split(",")]
    if len(costs) != len(ids):
        costs = [None] * len(ids)
    raw = mask_keys(body)
    return [
        accepted(prepared, provider, message_id=message_id, cost=cost, credits=cost, raw=raw)
        for prepared, message_id, cost in zip(batch, ids, costs, strict=True)
    ]


def read_status(body: Envelope) -> DeliveryStatus:
    """Read how far a text has come; an unknown word stays readable as `word`."""
    word = structure(body, _Status).message_status
    return DeliveryStatus(STATES.get(word.lower(), "unknown"), word, mask_keys(body))


def read_balance(body: Envelope) -> Balance:
    """Read the credits left."""
    credit = structure(body, _Credits).data.load_balance
    return Balance(credit, "credits", f"{credit} credits", mask_keys(body))


def read_network(body: Envelope) -> Network:
    """Read which network a number belongs to, from the envelope or its `data`."""
    data: object = body.get("data")
    return structure(body if data is None else data, Network)
