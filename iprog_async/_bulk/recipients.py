"""Whom a run texts: how many people, who of them more than once, and where; pure decisions."""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen

from iprog_async._bulk.duplicates import SeenTable
from iprog_async._core.messages import PreparedMessage
from iprog_async._core.phones import facts_of


_MOST_EXAMPLES = 20
_MOST_INDEXES = 10


@frozen
class SeveralTexts:
    """A number that gets more than one text.

    Args:
        number: The number, as E.164.
        texts: How many it gets.
        indexes: The first of these messages, by their index.
    """

    number: str
    texts: int
    indexes: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return {"number": self.number, "texts": self.texts, "indexes": list(self.indexes)}


@define
class PeopleTally:
    """Counts numbers, in about 20 bytes each."""

    numbers: int = 0
    """Different numbers."""
    several: int = 0
    """Those that get more than one text."""
    with_plus: int = 0
    """Messages whose number was written with the sign that says it names its country."""
    landlines: int = 0
    """Messages for numbers that are certainly landlines."""
    countries: dict[str, int] = field(factory=dict[str, int])
    """Messages by the region of their number."""
    _first: SeenTable = field(factory=SeenTable)
    _again: SeenTable = field(factory=SeenTable)
    _examples: dict[str, list[int]] = field(factory=dict[str, list[int]])
    _counts: dict[str, int] = field(factory=dict[str, int])

    def add(self, prepared: PreparedMessage) -> None:
        """Count a message that would be sent."""
        number, index = prepared.e164, prepared.index
        facts = facts_of(number)
        self.countries[facts.region] = self.countries.get(facts.region, 0) + 1
        self.landlines += facts.landline
        self.with_plus += _names_its_country(prepared.message.to)
        first = self._first.first_index((number,), index)
        if first == index:
            self.numbers += 1
        else:
            self._add_again(number, first, index)

    def _add_again(self, number: str, first: int, index: int) -> None:
        if self._again.first_index((number,), index) == index:
            self.several += 1
            if len(self._examples) < _MOST_EXAMPLES:
                self._examples[number] = [first]
                self._counts[number] = 1
        if number in self._counts:
            self._counts[number] += 1
            if len(self._examples[number]) < _MOST_INDEXES:
                self._examples[number].append(index)

    def by_country(self) -> dict[str, int]:
        """Return how many messages go to which region, the most frequent first."""
        return dict(sorted(self.countries.items(), key=lambda item: -item[1]))

    def examples(self) -> tuple[SeveralTexts, ...]:
        """Return the first numbers that get more than one text."""
        return tuple(
            SeveralTexts(number, self._counts[number], tuple(indexes))
            for number, indexes in self._examples.items()
        )


def _names_its_country(written: str) -> bool:
    bare = written.lstrip(" '(")
    return "+" in bare[:5] or "\uff0b" in bare[:5] or bare.startswith("00")
