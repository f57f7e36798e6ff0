"""Reading the answer to different texts in one request: two lists that point into ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

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
    says_unsure,
    structure,
    unclear,
    words,
)
from iprog_async_providers.ugsms._answers import REFUSALS, check, read_together


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


def read_lists(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
) -> list[Outcome] | None:
    """Read what lists say of each message, by its place in the request; `None` without lists.

    They decide, whatever `success` and the HTTP status say: one is false and the other an error
    once anything failed. A server error may come at any moment, and its lists are not to be
    trusted.
    """
    report = _report(answer)
    if report is None:
        return None
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
            outcomes.append(_refused(prepared, provider, refused[place], answer, extra))
    return outcomes


def read_bulk(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
) -> list[Outcome]:
    """Read the answer of a bulk send: its lists, or what refused all of it."""
    outcomes = read_lists(answer, batch, provider, extra)
    if outcomes is None:
        check(answer, provider, extra)
        raise UnclearAnswer("an answer without lists")
    return outcomes


def read_sent(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
) -> list[Outcome]:
    """Read the answer to one text for all: one id, or lists where the server makes some."""
    outcomes = read_lists(answer, batch, provider, extra)
    if outcomes is None:
        return read_together(check(answer, provider, extra), batch, provider)
    return outcomes


def _report(answer: Answer) -> _Report | None:
    data: object = answer.data.get("data") if is_object(answer.data) else None
    if not is_object(data) or all(data.get(name) is None for name in _LISTS):
        return None
    if not (200 <= answer.status < 300 or 400 <= answer.status < 500):
        return None
    return structure(data, _Report)


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
    item: _Item,
    answer: Answer,
    extra: tuple[Refusal, ...],
) -> Outcome:
    """Return one refusal; words that the table knows say more than "this recipient"."""
    said = words(item.error)
    reason = one_line(" ".join(said)) or "no reason given"
    if item.message_id is not None or any(map(says_unsure, said)):
        # Listed as failed, maybe after it had been handed on.
        references = () if item.message_id is None else (item.message_id,)
        return unclear(prepared, provider, reason, references)
    try:
        # An answer of its own about one message.
        alone = evolve(answer, data={"error": item.error}, recipients=1)
        refuse(alone, (*extra, *REFUSALS), provider=provider, reason=reason)
    except ProviderError as exc:
        return failed(prepared, exc)
    return rejected(prepared, provider, reason, mask_keys(answer.data))
