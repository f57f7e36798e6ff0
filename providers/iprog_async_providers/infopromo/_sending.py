"""Reading the answer of a send: an object for one, a list for many, null for a schedule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from iprog_async import DeliveryStatus, Outcome
from iprog_async.adapter import (
    PENDING,
    Answer,
    ErrorForm,
    Id,
    PreparedMessage,
    Refusal,
    Text,
    UnclearAnswer,
    accepted,
    amount_or_none,
    count_or_none,
    is_array,
    is_number_of,
    is_object,
    mask_keys,
    names_errors,
    refuse_one,
    structure,
    unclear,
    words,
)
from iprog_async_providers.infopromo._answers import Envelope
from iprog_async_providers.infopromo._reasons import numbers_in, reasons_in, rows_about_one
from iprog_async_providers.infopromo._states import answered_status, queue_status, send_status


QUEUE = "queue:"
"""Begins the message id of a request that the host queued."""

_ONE_BY_ONE = (
    "servers before 3.8 answer so to many; with max_batch=1 each text has an answer of its own"
)
_ENVELOPE = frozenset(("status", "message", "data"))
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)
_REASON = ErrorForm({}, ("message",))


@frozen
class Batch:
    """What was asked for: the messages of one request.

    Args:
        prepared: The messages.
        provider: Name of the provider.
        scheduled: Whether a time was asked for.
        refusals: The user's own rows.
    """

    prepared: Sequence[PreparedMessage]
    provider: str
    scheduled: bool
    refusals: tuple[Refusal, ...] = ()


@frozen
class _Item:
    """One text of the answer; lists say `customer_status` where an object says `status`."""

    uid: Id | None = None
    to: Text | None = None
    status: Any = None
    customer_status: Any = None
    cost: Any = None
    sms_count: Any = None

    @property
    def said(self) -> list[str]:
        return words([self.customer_status, self.status])

    @property
    def delivery(self) -> DeliveryStatus:
        return send_status(self.said[0]) if self.said else PENDING

    @property
    def tells(self) -> bool:
        """Whether it is the report of a text, and not of what is wrong with a number."""
        return self.uid is not None or self.delivery.state in ("sent", "failed")

    def names_another(self, prepared: PreparedMessage) -> bool:
        """Return whether it is about another number than that of a message."""
        return self.to is not None and not is_number_of(self.to, prepared)


@frozen
class _Queued:
    queue_uid: Id
    status: Any = None
    recipients_count: Any = None


def read_despite_error(answer: Answer, batch: Batch) -> list[Outcome] | None:
    """Read an error that reports texts all the same; `None` if it reports none.

    A server error may come at any moment, and what it lists is not to be trusted.
    """
    body = answer.data
    if not is_object(body) or body.get("status") != "error":
        return None
    message, data = " ".join(words(body.get("message"))).strip(), body.get("data")
    alone = answered_status(message) if answer.status in (403, 404) else None
    if alone is not None and len(batch.prepared) == 1 and not names_errors(body):
        return [_with_status(alone, data, batch, mask_keys(body))]
    entries = data if is_array(data) else [data]
    told = 200 <= answer.status < 300 or 400 <= answer.status < 500
    if not told or not any(_item(entry).tells for entry in entries):
        return None
    return _paired(entries, Envelope(data, message, mask_keys(body), answer), batch)


def _with_status(status: DeliveryStatus, data: object, batch: Batch, raw: object) -> Outcome:
    """Return the outcome of one text whose status stands where the text of an error would."""
    item, prepared = _item(data), batch.prepared[0]
    if item.names_another(prepared):
        return _of_another(item, prepared, batch)
    return accepted(prepared, batch.provider, message_id=item.uid, status=status, raw=raw)


def read_outcomes(envelope: Envelope, batch: Batch) -> list[Outcome]:
    """Give every message of a batch its own outcome."""
    data = envelope.data
    if is_object(data):
        if data.get("queue_uid") and not data.get("uid"):
            return _all_queued(data, envelope, batch)
        if len(batch.prepared) == 1:
            item, prepared = structure(data, _Item), batch.prepared[0]
            if item.names_another(prepared):
                return [_of_another(item, prepared, batch)]
            if item.uid is None and not item.said:
                return _without_ids(envelope, batch)
            if not item.tells:
                raise UnclearAnswer(f"no id, and the status {item.said[0]!r}")
            return [_one(item, prepared, envelope.raw, batch)]
        return _paired([data], envelope, batch)
    if is_array(data):
        return _paired(data, envelope, batch)
    if data is not None:
        raise UnclearAnswer("a success without the list of what was sent")
    return _without_ids(envelope, batch)


def _one(item: _Item, prepared: PreparedMessage, raw: object, batch: Batch) -> Outcome:
    status = item.delivery
    return accepted(
        prepared,
        batch.provider,
        message_id=item.uid,
        cost=amount_or_none(item.cost),
        # The cost is money on some hosts; this counts segments on all (LOG).
        credits=amount_or_none(item.sms_count),
        status=status,
        # A status such as Delivered shows that the server sent it at once.
        scheduled=batch.scheduled and status.state in ("pending", "unknown"),
        raw=raw,
    )


def _all_queued(data: dict[str, Any], envelope: Envelope, batch: Batch) -> list[Outcome]:
    queued = structure(data, _Queued)
    message_id = f"{QUEUE}{queued.queue_uid}"
    count, asked = count_or_none(queued.recipients_count), len(batch.prepared)
    if count is not None and count < asked:
        raise UnclearAnswer(f"{count} of {asked} recipients queued", references=(message_id,))
    said = words(queued.status)
    status = queue_status(said[0]) if said else PENDING
    return [
        accepted(
            prepared,
            batch.provider,
            message_id=message_id,
            status=status,
            scheduled=batch.scheduled,
            raw=envelope.raw,
        )
        for prepared in batch.prepared
    ]


def _without_ids(envelope: Envelope, batch: Batch) -> list[Outcome]:
    """Read a success without data: what a schedule is answered with, and hardly a text."""
    message = envelope.message
    reasons = reasons_in(message, batch.refusals)
    named = numbers_in(" ".join(reasons or ()))
    reason = f"no data, and the words {message!r}"
    if len(batch.prepared) > 1 and not batch.scheduled:
        return [unclear(one, batch.provider, f"{reason}; {_ONE_BY_ONE}") for one in batch.prepared]
    return [
        unclear(prepared, batch.provider, reason)
        if reasons is None or prepared.to in named
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
        alone = number in wanted and number not in items
        if alone and item.tells and not names_errors(entry):
            items[number] = (item, mask_keys(entry))
        else:
            strays.append(item.uid or "")
    # An item that pairs with nobody could be the missing one in another spelling.
    reasons = _reasons(envelope, batch) if items and not strays else {}
    outcomes: list[Outcome] = []
    for prepared in batch.prepared:
        if prepared.to in items:
            item, raw = items[prepared.to]
            outcomes.append(_one(item, prepared, raw, batch))
        elif prepared.to in reasons:
            outcomes.append(_refused(prepared, batch, envelope, reasons[prepared.to]))
        else:
            reason = f"the answer does not list this number: {envelope.message!r}"
            references = tuple(uid for uid in strays if uid)
            outcomes.append(unclear(prepared, batch.provider, reason, references))
    return outcomes


def _reasons(envelope: Envelope, batch: Batch) -> dict[str, str]:
    """Return why the words refuse each number that they name; nothing if they say anything else."""
    body = envelope.raw
    if not is_object(body) or any(body[key] for key in body.keys() - _ENVELOPE):
        return {}
    reasons = reasons_in(envelope.message, batch.refusals) or []
    return {number: reason for reason in reasons for number in numbers_in(reason)}


def _refused(prepared: PreparedMessage, batch: Batch, envelope: Envelope, reason: str) -> Outcome:
    """Return the outcome of a number that the words give as refused."""
    return refuse_one(
        prepared,
        envelope.answer,
        rows_about_one(batch.refusals),
        provider=batch.provider,
        entry={"message": reason},
        form=_REASON,
        reason=reason,
    )


def _of_another(item: _Item, prepared: PreparedMessage, batch: Batch) -> Outcome:
    references = () if item.uid is None else (item.uid,)
    return unclear(prepared, batch.provider, "the answer is about another number", references)


def _item(entry: object) -> _Item:
    try:
        return structure(entry, _Item)
    except UnclearAnswer:
        # One odd entry must not take the others' outcomes away; it pairs with nobody.
        return _Item()
