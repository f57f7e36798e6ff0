"""Counting texts and credits within a rolling time; pure decisions over small states.

A state is how much was taken in each slot of time. A slot's amount is free again once the whole
slot is as long ago as the limit says, so that there is no span of that length, whenever it begins,
in which more than the limit was taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor

from attrs import define, evolve, field, frozen


_SLOTS = 288  # of a day, that is five minutes


@frozen
class Quota:
    """So much within so many seconds.

    Args:
        amount: The most that may be taken.
        seconds: Within which time.
    """

    amount: int
    seconds: float

    @property
    def slot_seconds(self) -> float:
        """How long a slot is."""
        return self.seconds / _SLOTS


@frozen
class Wanted:
    """What one text takes of one quota.

    Args:
        name: Of the state.
        quota: The quota.
        amount: How much.
        slot: In which slot it was taken, once it was.
        limit: What people call the quota.
    """

    name: bytes
    quota: Quota
    amount: int
    slot: int = 0
    limit: str = ""


@frozen
class Taken:
    """That all was taken that a text wants, and where, so that it can be given back."""

    parts: Sequence[Wanted]


@frozen
class Exceeded:
    """That a text wants more than is left.

    Args:
        part: The quota that is used up.
        free_at: When there is enough, by the store's clock, if nobody takes it before.
    """

    part: Wanted
    free_at: float


@define
class Counts:
    """The states of some names, as they are changed.

    Args:
        now: The time, by the store's clock.
    """

    states: Mapping[bytes, str]
    now: float
    _slots: dict[bytes, dict[int, int]] = field(factory=dict[bytes, dict[int, int]], init=False)
    _quotas: dict[bytes, Quota] = field(factory=dict[bytes, Quota], init=False)

    def take(self, parts: Sequence[Wanted]) -> Taken | Exceeded:
        """Take all that a text wants, or nothing."""
        for part in parts:
            slots = self._of(part)
            if sum(slots.values()) + part.amount > part.quota.amount:
                return Exceeded(part, _free_at(slots, part, self.now))
        return Taken([self._add(part) for part in parts])

    def give_back(self, taken: Taken) -> None:
        """Give back what was taken for a text that was not sent."""
        for part in taken.parts:
            slots = self._of(part)
            slots[part.slot] = max(slots.get(part.slot, 0) - part.amount, 0)

    def add(self, part: Wanted) -> None:
        """Take more, whether it is there or not: a gateway took it."""
        self._of(part)
        self._add(part)

    def changed(self) -> dict[bytes, tuple[str, float]]:
        """Return the new states, and when nothing of them counts any more."""
        return {
            name: (_written(slots), self.now + self._quotas[name].seconds * (1 + 1 / _SLOTS))
            for name, slots in self._slots.items()
        }

    def _add(self, part: Wanted) -> Wanted:
        slot = floor(self.now / part.quota.slot_seconds)
        slots = self._slots[part.name]
        slots[slot] = slots.get(slot, 0) + part.amount
        return evolve(part, slot=slot)

    def _of(self, part: Wanted) -> dict[int, int]:
        slots = self._slots.get(part.name)
        if slots is None:
            slots = self._slots[part.name] = _read(self.states.get(part.name, ""))
            self._quotas[part.name] = part.quota
            for slot in [slot for slot in slots if _ends(slot, part.quota) <= self.now]:
                del slots[slot]
        return slots


def _ends(slot: int, quota: Quota) -> float:
    """Return when what was taken in a slot is free again."""
    return (slot + 1) * quota.slot_seconds + quota.seconds


def _free_at(slots: Mapping[int, int], part: Wanted, now: float) -> float:
    left = sum(slots.values()) + part.amount - part.quota.amount
    for slot in sorted(slots):
        left -= slots[slot]
        if left <= 0:
            return _ends(slot, part.quota)
    # It wants more than the whole quota.
    return now + part.quota.seconds


def _read(state: str) -> dict[int, int]:
    pairs = (pair.split(":") for pair in state.split())
    return {int(slot): int(amount) for slot, amount in pairs}


def _written(slots: Mapping[int, int]) -> str:
    return " ".join(f"{slot}:{amount}" for slot, amount in slots.items() if amount)
