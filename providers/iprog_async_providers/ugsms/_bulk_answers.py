"""Reading the answer to different texts in one request: two lists that point into ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from iprog_async import Outcome, ProviderError
from iprog_async.adapter import (
    Answer,
    Id,
    PreparedMessage,
    Refusal,
    UnclearAnswer,
    accepted,
    failed,
    is_object,
    mask_keys,
    one_line,
    refuse,
    rejected,
    structure,
    unclear,
    words,
)
from iprog_async_providers.ugsms._answers import REFUSALS, check


@frozen
class _Item:
    """One message of a list; `index` is its place in the request, from zero."""

    index: int
    number: Any = None
    message_id: Id | None = None
    error: Any = None


@frozen
class _Report:
    successful_messages: list[_Item] | None = None
    failed_messages: list[_Item] | None = None
    summary: Any = None


def read_bulk(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
) -> list[Outcome]:
    """Read the answer of a bulk send: each message by its place in the two lists."""
    report = _report(answer, provider, extra)
    taken = _by_index(report.successful_messages, batch)
    refused = _by_index(report.failed_messages, batch)
    _check_summary(report.summary, len(taken), len(refused))
    raw = mask_keys(answer.data)
    outcomes: list[Outcome] = []
    for place, prepared in enumerate(batch):
        if (place in taken) is (place in refused):
            lists = "both lists" if place in taken else "neither list"
            outcomes.append(unclear(prepared, provider, f"it is in {lists} of the answer"))
        elif place in taken:
            item = taken[place]
            outcomes.append(accepted(prepared, provider, message_id=item.message_id, raw=raw))
        else:
            reason = one_line(" ".join(words(refused[place].error))) or "no reason given"
            outcomes.append(_refused(prepared, provider, reason, answer, extra))
    return outcomes


def _report(answer: Answer, provider: str, extra: tuple[Refusal, ...]) -> _Report:
    """Return the lists of a 2xx, whatever `success` says: it is false once anything failed."""
    data: object = answer.data.get("data") if is_object(answer.data) else None
    listed = is_object(data) and any(data.get(name) is not None for name in _LISTS)
    if listed and 200 <= answer.status < 300:
        return structure(data, _Report)
    check(answer, provider, extra)
    return _Report()


_LISTS = ("successful_messages", "failed_messages")


def _by_index(items: Sequence[_Item] | None, batch: Sequence[PreparedMessage]) -> dict[int, _Item]:
    """Pair a list with the request; where a pairing can't be right, none can be trusted."""
    found: dict[int, _Item] = {}
    for item in items or ():
        if not 0 <= item.index < len(batch):
            raise UnclearAnswer(f"index {item.index} in the answer to {len(batch)} messages")
        if not _same_number(item.number, batch[item.index].e164):
            raise UnclearAnswer(f"index {item.index} in the answer has another message's number")
        found[item.index] = item
    return found


def _same_number(number: object, e164: str) -> bool:
    """Compare a number in any notation by its last nine digits; trust where there is none."""
    digits = "".join(char for char in str(number or "") if char.isdigit())
    return not digits or digits[-9:] == e164[-9:]


def _check_summary(summary: object, taken: int, refused: int) -> None:
    if not is_object(summary):
        return
    # The summary's keys were never observed; these two could mean nothing else (INFER).
    for key, listed in (("successful", taken), ("failed", refused)):
        count: object = summary.get(key)
        if type(count) is int and count != listed:
            raise UnclearAnswer(f"the summary says {count} {key}, and {listed} are listed")


def _refused(
    prepared: PreparedMessage,
    provider: str,
    reason: str,
    answer: Answer,
    extra: tuple[Refusal, ...],
) -> Outcome:
    """Return one refusal; words that the table knows say more than "this recipient"."""
    try:
        refuse(answer, (*extra, *REFUSALS), provider=provider, reason=reason)
    except ProviderError as exc:
        return failed(prepared, exc)
    return rejected(prepared, provider, reason, mask_keys(answer.data))
