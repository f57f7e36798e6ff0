"""Reading the answer of a send: an object for one, a list for many, null for a schedule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from attrs import frozen

from iprog_async import DeliveryStatus, Outcome
from iprog_async.adapter import (
    PENDING,
    Answer,
    Id,
    PreparedMessage,
    UnclearAnswer,
    accepted,
    is_array,
    is_object,
    mask_keys,
    parse_amount,
    rejected,
    structure,
    unclear,
    words,
)
from iprog_async_providers.infopromo._answers import Envelope
from iprog_async_providers.infopromo._words import delivery_status


QUEUE = "queue:"
"""Begins the message id of a request that the host queued."""

_FAILED_WORD = re.compile(r"(failed|rejected|expired|undelivered)\.?", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)


@frozen
class Batch:
    """What was asked for: the messages of one request.

    Args:
        prepared: The messages.
        provider: Name of the provider.
        scheduled: Whether a time was asked for.
    """

    prepared: Sequence[PreparedMessage]
    provider: str
    scheduled: bool


@frozen
class _Item:
    """One text of the answer; lists say `customer_status` where an object says `status`."""

    uid: Id | None = None
    to: Id | None = None
    status: Any = None
    customer_status: Any = None
    cost: Any = None

    @property
    def delivery(self) -> DeliveryStatus:
        found = words([self.customer_status, self.status])
        return delivery_status(found[0]) if found else PENDING


@frozen
class _Queued:
    queue_uid: Id


def failed_delivery(answer: Answer) -> DeliveryStatus | None:
    """Return the status in a 403 that says "Failed": the upstream took the text and failed it."""
    if answer.status != 403 or not is_object(answer.data) or answer.data.get("status") != "error":
        return None
    text = " ".join(words(answer.data.get("message"))).strip()
    return delivery_status(text.rstrip(".")) if _FAILED_WORD.fullmatch(text) else None


def read_outcomes(envelope: Envelope, batch: Batch) -> list[Outcome]:
    """Give every message of a batch its own outcome."""
    data = envelope.data
    if is_object(data):
        if data.get("queue_uid") and not data.get("uid"):
            return _all_queued(data, envelope, batch)
        if len(batch.prepared) == 1:
            return [_one(structure(data, _Item), batch.prepared[0], envelope.raw, batch)]
        return _paired([data], envelope, batch)
    if is_array(data):
        return _paired(data, envelope, batch)
    if data is not None:
        raise UnclearAnswer("a success without the list of what was sent")
    if batch.scheduled or len(batch.prepared) == 1:
        return _without_ids(envelope, batch)
    return _paired([], envelope, batch)


def _one(item: _Item, prepared: PreparedMessage, raw: object, batch: Batch) -> Outcome:
    status = item.delivery
    return accepted(
        prepared,
        batch.provider,
        message_id=item.uid,
        cost=_cost(item.cost),
        status=status,
        # A status such as Delivered shows that the server sent it at once.
        scheduled=batch.scheduled and status.state in ("pending", "unknown"),
        raw=raw,
    )


def _all_queued(data: dict[str, Any], envelope: Envelope, batch: Batch) -> list[Outcome]:
    queue_uid = structure(data, _Queued).queue_uid
    return [
        accepted(
            prepared,
            batch.provider,
            message_id=f"{QUEUE}{queue_uid}",
            scheduled=batch.scheduled,
            raw=envelope.raw,
        )
        for prepared in batch.prepared
    ]


def _without_ids(envelope: Envelope, batch: Batch) -> list[Outcome]:
    """Read a success without data: what a schedule is answered with."""
    named = _numbers(envelope.message)
    return [
        unclear(prepared, batch.provider, f"no data, and the words {envelope.message!r}")
        if prepared.to in named
        else accepted(
            prepared,
            batch.provider,
            message_id=None,
            scheduled=batch.scheduled,
            raw=envelope.raw,
        )
        for prepared in batch.prepared
    ]


def _paired(data: list[Any], envelope: Envelope, batch: Batch) -> list[Outcome]:
    """Pair items with recipients by digits; what is missing is refused only if that is certain."""
    wanted = {prepared.to for prepared in batch.prepared}
    items: dict[str, tuple[_Item, object]] = {}
    strays: list[str] = []
    for entry in data:
        item = _item(entry)
        number = _NOT_DIGITS.sub("", item.to or "")
        if number in wanted and number not in items:
            items[number] = (item, mask_keys(entry))
        else:
            strays.append(item.uid or "")
    # An item that pairs with nobody could be the missing one in another spelling.
    named = frozenset[str]() if strays else _numbers(envelope.message)
    outcomes: list[Outcome] = []
    for prepared in batch.prepared:
        if prepared.to in items:
            item, raw = items[prepared.to]
            outcomes.append(_one(item, prepared, raw, batch))
        elif prepared.to in named:
            outcomes.append(rejected(prepared, batch.provider, envelope.message, envelope.raw))
        else:
            reason = f"the answer does not list this number: {envelope.message!r}"
            references = tuple(uid for uid in strays if uid)
            outcomes.append(unclear(prepared, batch.provider, reason, references))
    return outcomes


def _item(entry: object) -> _Item:
    try:
        return structure(entry, _Item)
    except UnclearAnswer:
        # One odd entry must not take the others' outcomes away; it pairs with nobody.
        return _Item()


def _numbers(message: str) -> frozenset[str]:
    """Return the numbers that a message names, written in one piece."""
    return frozenset(_DIGITS.findall(re.sub(r"[()-]", "", message)))


def _cost(value: object) -> Decimal | None:
    try:
        return parse_amount(value)
    except ValueError:
        # What it cost is worth less than knowing that it was accepted.
        return None
