"""Reading the answer to different texts in one request: two lists that point into ours."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import frozen

from iprog_async import Outcome, RejectedError
from iprog_async.adapter import (
    PLAIN_REASON,
    Answer,
    ErrorForm,
    Id,
    PreparedMessage,
    Refusal,
    UnclearAnswer,
    accepted,
    count_or_none,
    is_array,
    is_number_of,
    is_object,
    mask_keys,
    names_errors,
    one_line,
    refuse_one,
    structure,
    unclear,
    words,
)
from iprog_async_providers.ugsms._answers import OF_DIFFERENT_TEXTS, REFUSALS, check, read_together
from iprog_async_providers.ugsms._words_of_all import Counts, agrees


# The list itself is the refusal (CLI); its words say more only where a row knows them.
_LISTED = Refusal(RejectedError, PLAIN_REASON, blame="recipient", evidence="CLI: by the list")
_WITHOUT_WORDS = Refusal(RejectedError, blame="recipient", evidence="CLI: by the list")
_ENTRY = ErrorForm({}, ("error",))
# Said of those that were taken, where some were.
_STOCK = re.compile(
    r"(bulk )?(messages?|sms|texts?)( (were|was))? (sent|processed|queued)( successfully)?\.?",
    re.IGNORECASE,
)
# What may stand beside the lists (CLI): words about the request, and a summary.
_WORDS = ("message", "error", "help")
_OF_ALL = frozenset((*_WORDS, "success", "data"))
_REASON = re.compile(PLAIN_REASON, re.IGNORECASE)
# What to do about the account.
_ADVICE = re.compile(
    r"(please )?(recharge|top[ -]?up) your (account|balance|credits?|wallet)"
    r"( (and|to) (continue|try again))?[.!]?",
    re.IGNORECASE,
)
# Of all, where the lists have none as taken; each entry says why.
_NONE_TAKEN = re.compile(r"all (bulk )?(messages?|sms|texts?) failed to send[.!]?", re.IGNORECASE)
# The summary's keys were never observed; these could mean nothing else (INFER).
_COUNTED = "(_?(count|messages|recipients|numbers))?"
_TOTAL = re.compile(rf"total{_COUNTED}", re.IGNORECASE)
_SUCCESSFUL = re.compile(rf"(total_?)?(success(es|ful)?|succeeded|sent){_COUNTED}", re.IGNORECASE)
_FAILED = re.compile(rf"(total_?)?(fail(ed|ures?)|unsuccessful){_COUNTED}", re.IGNORECASE)


@frozen
class _Item:
    """One message of a list; `index` is its place in the request, from zero."""

    index: int
    number: Any = None
    message_id: Id | None = None
    error: Any = None


@frozen
class _Listed:
    """An entry of a list: what it means, and how it was written."""

    item: _Item
    entry: dict[str, Any]

    @property
    def said(self) -> list[str]:
        return words(self.item.error)

    @property
    def reason(self) -> str:
        return one_line(" ".join(self.said)) or "no reason given"


def read_lists(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
    region: str | None = None,
) -> list[Outcome] | None:
    """Read what lists say of each message, by its place in the request; `None` without lists.

    They decide, whatever `success` and the HTTP status say: one is false and the other an error
    once anything failed. A server error may come at any moment, and its lists are not to be
    trusted.
    """
    data = _report(answer)
    if data is None:
        return None
    taken = _by_index(data.get(_TAKEN), batch, region)
    refused = _by_index(data.get(_REFUSED), batch, region)
    summary: object = data.get("summary")
    _check_summary(summary, len(taken), len(refused))
    if len(taken) == len(batch) and names_errors(answer.data):
        raise UnclearAnswer("everything is listed as taken, with an error beside it")
    exact = _is_exact(
        answer, data, {_TOTAL: len(batch), _SUCCESSFUL: len(taken), _FAILED: len(refused)}
    )
    # Beside anything that is not understood, a list proves nothing.
    beside = None if exact else _beside(answer, data)
    raw = mask_keys(answer.data)
    outcomes: list[Outcome] = []
    for place, prepared in enumerate(batch):
        if (place in taken) is (place in refused):
            lists = "both lists" if place in taken else "neither list"
            outcomes.append(unclear(prepared, provider, f"it is in {lists} of the answer"))
        elif place in taken:
            outcomes.append(_taken(prepared, provider, taken[place], raw))
        else:
            found = refused[place]
            about = {key: found.entry[key] for key in found.entry.keys() - {"index", "number"}}
            rows = (*extra, *REFUSALS, _LISTED) if found.said else (_WITHOUT_WORDS,)
            outcomes.append(
                refuse_one(
                    prepared,
                    answer,
                    rows if exact else (),
                    provider=provider,
                    entry=about,
                    form=_ENTRY,
                    beside=beside,
                    reason=found.reason,
                )
            )
    return outcomes


def read_bulk(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
    region: str | None = None,
) -> list[Outcome]:
    """Read the answer of a bulk send: its lists, or what refused all of it."""
    outcomes = read_lists(answer, batch, provider, extra, region)
    if outcomes is None:
        check(answer, provider, extra, rows=OF_DIFFERENT_TEXTS)
        raise UnclearAnswer("an answer without lists")
    return outcomes


def read_sent(
    answer: Answer,
    batch: Sequence[PreparedMessage],
    provider: str,
    extra: tuple[Refusal, ...] = (),
    region: str | None = None,
) -> list[Outcome]:
    """Read the answer to one text for all: one id, or lists where the server makes some."""
    outcomes = read_lists(answer, batch, provider, extra, region)
    if outcomes is None:
        return read_together(check(answer, provider, extra), batch, provider)
    return outcomes


_TAKEN, _REFUSED = _LISTS = ("successful_messages", "failed_messages")


def _report(answer: Answer) -> dict[str, Any] | None:
    data: object = answer.data.get("data") if is_object(answer.data) else None
    if not is_object(data) or all(data.get(name) is None for name in _LISTS):
        return None
    told = 200 <= answer.status < 300 or 400 <= answer.status < 500
    return data if told else None


def _by_index(
    entries: object, batch: Sequence[PreparedMessage], region: str | None
) -> dict[int, _Listed]:
    """Pair a list with the request; where a pairing can't be right, none can be trusted."""
    if entries is None:
        return {}
    if not is_array(entries):
        raise UnclearAnswer("something else where a list is expected")
    found: dict[int, _Listed] = {}
    for entry in entries:
        item = structure(entry, _Item)
        if not 0 <= item.index < len(batch):
            raise UnclearAnswer(f"index {item.index} in the answer to {len(batch)} messages")
        if item.index in found:
            raise UnclearAnswer(f"index {item.index} twice in one list of the answer")
        if item.number not in (None, "") and not is_number_of(
            item.number, batch[item.index], region
        ):
            raise UnclearAnswer(f"index {item.index} in the answer has another message's number")
        found[item.index] = _Listed(item, entry)
    return found


def _check_summary(summary: object, taken: int, refused: int) -> None:
    if not is_object(summary):
        return
    # The summary's keys were never observed; these two could mean nothing else (INFER).
    for key, listed in (("successful", taken), ("failed", refused)):
        count = count_or_none(summary.get(key))
        if count is not None and count != listed:
            raise UnclearAnswer(f"the summary says {count} {key}, and {listed} are listed")


def _is_exact(answer: Answer, data: dict[str, Any], counts: Mapping[re.Pattern[str], int]) -> bool:
    """Return whether all that stands beside the lists is understood, and agrees with them."""
    body: dict[str, Any] = answer.object()
    taken = counts[_SUCCESSFUL]
    told = Counts(taken, refused=counts[_FAILED], all=counts[_TOTAL])
    unknown = [*_filled(body, _OF_ALL), *_filled(data, {*_LISTS, "summary"})]
    summary: object = data.get("summary")
    return (
        not unknown
        and (body.get("success") in (None, False) or (body["success"] is True and taken > 0))
        and all(_is_plain(body.get(key), told) for key in _WORDS)
        and (not summary or (is_object(summary) and _sums_up(summary, counts)))
    )


def _filled(entries: dict[str, Any], known: Collection[str]) -> list[str]:
    return [key for key, value in entries.items() if key not in known and value not in _EMPTY]


_EMPTY: tuple[object, ...] = (None, "", [], {})


def _is_plain(said: object, counts: Counts) -> bool:
    """Return whether words speak of the request alone: of no text, no id, and nothing later."""
    if said is None or said == "":
        return True
    if not isinstance(said, str):
        return False
    said = said.strip()
    told = _STOCK if counts.taken else _NONE_TAKEN
    return any(each.fullmatch(said) for each in (_REASON, _ADVICE, told)) or agrees(said, counts)


def _sums_up(summary: dict[str, Any], counts: Mapping[re.Pattern[str], int]) -> bool:
    """Return whether each count of a summary is that of the lists."""
    return all(
        value in (None, "")
        or any(
            name.fullmatch(key) and count_or_none(value) == count for name, count in counts.items()
        )
        for key, value in summary.items()
    )


def _beside(answer: Answer, data: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says of all, without the lists."""
    rest = {key: value for key, value in data.items() if key not in _LISTS}
    return {**answer.object(), "data": rest}


def _taken(prepared: PreparedMessage, provider: str, found: _Listed, raw: object) -> Outcome:
    message_id = found.item.message_id
    if names_errors(found.entry):
        references = () if message_id is None else (message_id,)
        return unclear(prepared, provider, f"it was taken, and not: {found.reason}", references)
    return accepted(prepared, provider, message_id=message_id, raw=raw)
