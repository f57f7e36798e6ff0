"""The limit on unknown outcomes: how many people a run puts at risk while nobody knows them."""

from __future__ import annotations

from iprog_async._core.errors import OutcomeUnknownError
from iprog_async._core.messages import Batch
from iprog_async._sending.batching import cut_off
from iprog_async._sending.tally import Tally


_NOTHING, _ALONE, _TOGETHER = 0, 1, 2


def _fewest(smallest: int) -> tuple[int, ...]:
    # Of one more than the smallest each can be left out in turn, once one of them is refused.
    return (smallest,) if smallest == 1 else (smallest + 1, smallest)


class UnknownLimit:
    """Bounds how many people's outcomes can become unknown before a run halts.

    What a gateway has not shown to work is tried with few: one recipient, then two, four, …,
    and never more of them under way than may still become unknown. A text that it accepts for
    one recipient shows that requests to one are answered, which says nothing yet about those to
    several; one to several shows both. A refusal shows neither: it may be the only thing that
    the gateway answers. An unknown outcome puts everything in doubt again.

    People who became unknown count until a request of their kind is accepted. A lost request of
    a kind that had been shown to work counts as one, whoever else it was for: many such are
    under way at a time, and one connection that breaks is no reason to halt.

    Args:
        most: The run halts once so many count.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        """How many may count; it may change while the limit is used."""
        self._shown = _NOTHING
        self._lost = {_ALONE: 0, _TOGETHER: 0}
        self._last: OutcomeUnknownError | None = None
        self._under_way = 0
        self._next_size = 1

    def trusts(self, batch: Batch) -> bool:
        """Return whether a batch may leave as it is, whatever else is under way."""
        return self._shown >= (_ALONE if len(batch) == 1 else _TOGETHER)

    def begin_trusted(self, batch: Batch) -> bool:
        """Let a batch leave that `trusts` lets go, as `begin` does; return whether it does."""
        if self._shown < (_ALONE if len(batch) == 1 else _TOGETHER):
            return False
        self._under_way += 1
        return True

    def size(self, batch: Batch, smallest: int) -> int:
        """Return how many messages off the front of a batch may leave now; 0 is none for now.

        Args:
            batch: What is to be sent.
            smallest: The fewest messages that can travel together. So many may always leave while
                nothing else is at risk, even if they are more than the bound.
        """
        if self.trusts(batch):
            return len(batch)
        left, least = self._left - self._under_way, smallest
        for fewest in _fewest(smallest):
            # After one recipient alone, another one would show nothing new.
            least = max(fewest, 2) if self._shown == _ALONE else fewest
            size = cut_off(batch, min(max(self._next_size, least), left), fewest)
            if least <= left >= size:
                return size
        return 0 if self._under_way else cut_off(batch, least, smallest)

    def begin(self, count: int, *, at_risk: bool) -> None:
        """Note that messages leave which `size` let go; they have to `end`."""
        if at_risk:
            self._next_size = min(2 * self._next_size, self.most)
        self._under_way += count if at_risk else 1

    def end(self, count: int, *, at_risk: bool) -> None:
        """Note that messages are under way no more."""
        self._under_way -= count if at_risk else 1

    def note(self, part: Batch, tally: Tally, *, at_risk: bool) -> OutcomeUnknownError | None:
        """Note how a request ended; return the last unknown outcome's error if that is too many.

        Args:
            part: What it carried.
            tally: What became of them.
            at_risk: Whether it left when its kind had not been shown to work.
        """
        kind = _ALONE if len(part) == 1 else _TOGETHER
        if tally.unknown:
            self._shown, self._next_size, self._last = _NOTHING, 1, tally.last_unknown
            self._lost[kind] += tally.unknown if at_risk else 1
        elif tally.accepted:
            if kind > self._shown:
                self._shown = kind
            # One to several shows that one to a single recipient is answered, too.
            self._lost[_ALONE] = 0
            if kind == _TOGETHER:
                self._lost[_TOGETHER] = 0
        # As nearly always nothing is unknown.
        return self._last if self._last is not None and self._exhausted else None

    @property
    def lost(self) -> int:
        """How many count now."""
        return self._lost[_ALONE] + self._lost[_TOGETHER]

    @property
    def _left(self) -> int:
        return self.most - self.lost

    @property
    def _exhausted(self) -> bool:
        """Whether what the run would try next might make more people unknown than it may."""
        together = self._lost[_TOGETHER]
        doubted = together and self._shown == _ALONE
        return self.most - self._lost[_ALONE] - together < (2 if doubted else 1)
