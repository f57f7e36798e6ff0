"""Whom a plan texts, and in which characters, as words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from iprog_async._bulk.characters import shown
from iprog_async._bulk.gsm7_saving import Gsm7Saving
from iprog_async._bulk.plan import BulkPlan
from iprog_async._bulk.recipients import SeveralTexts
from iprog_async.cli._bulk.messages import CsvMessages
from iprog_async.cli._bulk.price import Price
from iprog_async.cli._terminal.show import count_of


_MOST_COUNTRIES = 8
_MOST_EXAMPLES = 3
_MOST_CHARACTERS = 5


def several_data(plan: BulkPlan, messages: CsvMessages) -> list[dict[str, Any]]:
    """Return the numbers that get several texts as JSON-ready data, by lines."""
    return [
        {"number": one.number, "texts": one.texts, "lines": _lines(one, messages)}
        for one in plan.several_texts
    ]


def several_words(plan: BulkPlan, messages: CsvMessages) -> str:
    """Return who gets several texts, or nothing if nobody does."""
    examples = [_texts(one, messages) for one in plan.several_texts[:_MOST_EXAMPLES]]
    if not examples:
        return ""
    if plan.several == 1:
        return f"1 number gets {examples[0]}"
    more = plan.several - len(examples)
    rest = f"; and {more} more" if more else ""
    return f"{plan.several} numbers get several texts: {'; '.join(examples)}{rest}"


def _texts(one: SeveralTexts, messages: CsvMessages) -> str:
    lines = _lines(one, messages)
    more = one.texts - len(lines)
    where = ", ".join(map(str, lines)) + (f" and {more} more" if more else "")
    return f"{one.texts} texts (lines {where})"


def _lines(one: SeveralTexts, messages: CsvMessages) -> list[int]:
    return [messages.line_of(index) for index in one.indexes]


def country_words(plan: BulkPlan) -> str:
    """Return the countries of the numbers, with how many messages go there."""
    shown = [f"{region} {count}" for region, count in plan.countries.items()]
    rest = len(shown) - _MOST_COUNTRIES
    return ", ".join(shown[:_MOST_COUNTRIES]) + (f" and {rest} more" if rest > 0 else "")


def character_words(plan: BulkPlan) -> Iterator[str]:
    """Yield what makes texts cost more than in GSM-7, a character each, the costliest first."""
    costly = [character for character in plan.characters if character.extra]
    yield from map(str, costly[:_MOST_CHARACTERS])
    if len(costly) > 1:
        # A text may have several of them.
        yield f"+{count_of(plan.characters_extra, 'credit')} for all such characters together"


def gsm7_words(plan: BulkPlan, price: Price | None) -> Iterator[str]:
    """Yield what travelling in GSM-7 changes and saves, or would, before and after."""
    saved, savable = plan.saved, plan.savable
    if saved.texts:
        before = plan.segments + saved.segments
        yield (
            f"--encoding gsm-7 changes {count_of(saved.texts, 'text')}: "
            + _instead(plan.segments, before, price)
        )
        yield from _changes(saved)
    if savable.texts:
        yield (
            f"--encoding gsm-7 would change {count_of(savable.texts, 'text')}: "
            + _instead(plan.segments - savable.segments, plan.segments, price)
        )
        yield from _changes(savable)


def _instead(after: int, before: int, price: Price | None) -> str:
    cost = f" ({price.words(after)} instead of {price.words(before)})" if price else ""
    return f"{count_of(after, 'segment')} instead of {before}{cost}"


def _changes(saving: Gsm7Saving) -> Iterator[str]:
    for change in saving.changes[:_MOST_CHARACTERS]:
        instead = f"becomes {change.replaced_by!r}" if change.replaced_by else "is left out"
        yield f"{shown(change.written)} {instead} in {count_of(change.count, 'text')}"
    more = len(saving.changes) - _MOST_CHARACTERS
    if more > 0:
        yield f"and {more} more"
