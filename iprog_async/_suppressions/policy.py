"""A list of suppressed numbers as the policy that obeys it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from iprog_async._core.errors import SuppressedError, SuppressionsError
from iprog_async._policies.decisions import Allow, Decision, Outgoing, Refuse
from iprog_async._suppressions.suppressions import Suppressions


@frozen(eq=False)
class SuppressionPolicy:
    """Refuses texts to numbers that are on a list at the moment.

    Args:
        suppressions: The list.
    """

    _suppressions: Suppressions
    name: str = field(default="suppressions", init=False)

    @property
    def holds_for(self) -> float:
        """For how long a look into the list counts, while a text waits to leave.

        Where a look takes microseconds there is another one as the text leaves.
        """
        return 0.0 if self._suppressions.is_quick else 1.0

    async def decide(self, text: Outgoing, /) -> Decision:
        """Refuse a text to a number that is on the list."""
        return (await self.decide_all([text]))[0]

    preview = decide

    async def decide_all(self, texts: Sequence[Outgoing], /) -> Sequence[Decision]:
        """Refuse texts to numbers that are on the list; all of them if it can't be asked."""
        try:
            found = await self._suppressions.among([text.number for text in texts])
        except SuppressionsError as exc:
            return [Refuse(exc)] * len(texts)
        return [
            Refuse(SuppressedError(text.number)) if text.number in found else Allow()
            for text in texts
        ]


def obeying(suppressions: Suppressions | None) -> Sequence[SuppressionPolicy]:
    """Return what obeys a list, if there is one."""
    return [] if suppressions is None else [SuppressionPolicy(suppressions)]
