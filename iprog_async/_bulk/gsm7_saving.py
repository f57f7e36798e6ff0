"""What look-alikes in GSM-7 save of a run, or would save."""

from __future__ import annotations

from collections import Counter
from typing import Any

from attrs import define, field, frozen

from iprog_async._core.gsm7.replacement import Gsm7Change, Gsm7Text


_MOST_KEPT = 200


@frozen
class Gsm7Saving:
    """What texts of a run save by travelling in GSM-7.

    Args:
        texts: How many texts it changes.
        segments: How many segments fewer they have.
        changes: What it changes, with how many of these texts have it, the most frequent first;
            of a run with very many different ones, not all.
    """

    texts: int = 0
    segments: int = 0
    changes: tuple[Gsm7Change, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        changes = [
            {
                "written": change.written,
                "replaced_by": change.replaced_by,
                "kind": change.kind,
                "texts": change.count,
            }
            for change in self.changes
        ]
        return {"texts": self.texts, "segments": self.segments, "changes": changes}


@define
class Gsm7Tally:
    """Counts the texts that are changed, in memory that has a bound."""

    _texts: int = 0
    _segments: int = 0
    _changes: Counter[tuple[str, str, Any]] = field(factory=Counter[tuple[str, str, Any]])

    def add(self, found: Gsm7Text) -> None:
        """Count a text that is changed."""
        self._texts += 1
        self._segments += found.saved
        for change in found.changes:
            kept = change.written, change.replaced_by, change.kind
            if kept in self._changes or len(self._changes) < _MOST_KEPT:
                self._changes[kept] += 1

    def result(self) -> Gsm7Saving:
        """Return what was counted."""
        changes = (Gsm7Change(*kept, count) for kept, count in self._changes.most_common())
        return Gsm7Saving(self._texts, self._segments, tuple(changes))
