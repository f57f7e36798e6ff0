"""Reading IPROG's answers: HTTP 200 for nearly everything, the truth in the body."""

from __future__ import annotations

import re
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
    Outcome,
    RateLimitError,
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
    is_array,
    is_object,
    mask_keys,
    one_line,
    parse_amount,
    refuse,
    structure,
    words,
)


# Refusals that IPROG makes before it queues anything; marks in docs/gateways/iprog.md.
REFUSALS = (
    Refusal(CredentialsOrCreditError, r"invalid api token or no load balance"),
    Refusal(AuthenticationError, r"^invalid (api )?token\.?$", healable=False),
    Refusal(RejectedError, r"api token, phone number and message are required"),
    Refusal(RateLimitError, r"hit the limit of \d+ requests? per"),
    Refusal(RejectedError, r"inappropriate language|looks suspicious"),
    Refusal(RejectedError, r"smart/tnt|shared sender name", healable=True, blame="recipient"),
)
# A list of reasons, and `data.errors`, come from checks that run before anything is queued.
CONTENT = (Refusal(RejectedError),)

STATES: dict[str, DeliveryState] = {
    "pending": "pending",
    "completed": "delivered",
    "failed": "failed",
}
MOBILE = re.compile(r"\+639\d{9}", re.ASCII)

Envelope = dict[str, Any]
"""The body of a success."""


@frozen
class _Sent:
    """Answer of `sms_messages`; the status link in it carries the token and is dropped."""

    message_id: Id
    sms_rate: Decimal | None = None


@frozen
class _SentBulk:
    """Answer of `sms_messages/send_bulk`: comma-joined strings in the order of the numbers."""

    message_ids: str
    sms_rates: str = ""


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


def check(answer: Answer, provider: str, extra: tuple[Refusal, ...] = ()) -> dict[str, Any]:
    """Return the body of a success; raise what any other answer means."""
    try:
        body = answer.object()
    except UnclearAnswer:
        raise give_up(answer, provider=provider) from None
    status = body.get("status")
    if status in (200, "200", "success"):
        if 200 <= answer.status < 300:
            return body
        raise UnclearAnswer(f"HTTP {answer.status} around a success envelope")
    reason, by_shape = _reason(body)
    code = None if status is None else str(status)
    table = (*extra, *REFUSALS, *(CONTENT if by_shape else ()))
    refuse(answer, table, provider=provider, reason=reason, code=code)
    raise give_up(answer, provider=provider, reason=reason, bare="message" not in body)


def error_words(answer: Answer) -> str | None:
    """Return the words of an error envelope, or `None` where the answer is none."""
    body = answer.data if answer.status < 500 else None
    if not is_object(body) or body.get("status") not in (500, "500", "error"):
        return None
    return _reason(body)[0]


def _reason(body: dict[str, Any]) -> tuple[str, bool]:
    """Return the gateway's words, and whether their shape alone shows a refusal by content."""
    message: object = body.get("message")
    data: object = body.get("data")
    errors: object = data.get("errors") if is_object(data) else None
    text = " ".join([*words(message), *words(errors)]) or " ".join(words(body.get("error")))
    return text, is_array(message) or is_array(errors)


def read_sent(body: Envelope, batch: Sequence[PreparedMessage], provider: str) -> list[Outcome]:
    """Read the answer of a send to one."""
    sent = structure(body, _Sent)
    raw = mask_keys(body)
    return [accepted(batch[0], provider, message_id=sent.message_id, cost=sent.sms_rate, raw=raw)]


def read_sent_bulk(
    body: Envelope, batch: Sequence[PreparedMessage], provider: str
) -> list[Outcome]:
    """Read the answer of a send to many; ids pair with recipients only if the counts agree."""
    sent = structure(body, _SentBulk)
    ids = tuple(part.strip() for part in sent.message_ids.split(",") if part.strip())
    if len(ids) != len(batch):
        raise UnclearAnswer(
            f"{len(ids)} message ids for {len(batch)} recipients: {one_line(','.join(ids))}",
            references=ids,
        )
    raw = mask_keys(body)
    return [
        accepted(prepared, provider, message_id=message_id, cost=cost, raw=raw)
        for prepared, message_id, cost in zip(batch, ids, _costs(sent, len(ids)), strict=True)
    ]


def _costs(sent: _SentBulk, count: int) -> list[Decimal | None]:
    parts = sent.sms_rates.split(",")
    try:
        return [parse_amount(part) for part in parts] if len(parts) == count else [None] * count
    except ValueError:
        # What it cost is worth less than knowing that it was accepted.
        return [None] * count


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
