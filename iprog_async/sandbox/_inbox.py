"""The accepted texts, kept so that the newest of them are found without looking at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, overload

from attrs import define, field

from iprog_async.sandbox._revision import Revision


if TYPE_CHECKING:
    from iprog_async.sandbox._state import InboxText


class Newest(Sequence["InboxText"]):
    """Texts with the newest first, as they are at one moment; those that come later are not in it.

    Args:
        oldest_first: The texts; nothing but appending may be done to them.
    """

    def __init__(self, oldest_first: Sequence[InboxText]) -> None:
        self._texts = oldest_first
        self._count = len(oldest_first)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> InboxText: ...
    @overload
    def __getitem__(self, place: slice) -> list[InboxText]: ...
    def __getitem__(self, place: int | slice) -> InboxText | list[InboxText]:
        places = range(self._count)[place]
        if isinstance(places, int):
            return self._texts[self._count - 1 - places]
        return [self._texts[self._count - 1 - each] for each in places]

    def __iter__(self) -> Iterator[InboxText]:
        return (self._texts[place] for place in range(self._count - 1, -1, -1))

    def __reversed__(self) -> Iterator[InboxText]:
        return islice(self._texts, self._count)


@define
class Inbox:
    """The accepted texts; whoever uses it from several threads holds a lock.

    Args:
        revision: Says whether a text was withdrawn since.
    """

    _revision: Revision
    _all: list[InboxText] = field(factory=list["InboxText"], init=False)
    _shown: defaultdict[str | None, list[InboxText]] = field(init=False)
    _withdrawn: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.replace([])

    def add(self, text: InboxText) -> None:
        """Take one more."""
        self._all.append(text)
        self._show(text)

    def all(self) -> list[InboxText]:
        """Return all texts, oldest first, those that were withdrawn, too; not to be changed."""
        return self._all

    def newest(self, gateway: str | None = None) -> Newest:
        """Return the texts that were not withdrawn, of one gateway or of all."""
        if self._withdrawn != self._revision.withdrawals:
            self.replace(self._all)
        return Newest(self._shown.get(gateway, []))

    def replace(self, texts: list[InboxText]) -> None:
        """Have these and no others."""
        self._withdrawn = self._revision.withdrawals
        self._all = texts
        # New lists: somebody may still be reading the old ones.
        self._shown = defaultdict(list)
        for text in texts:
            self._show(text)

    def _show(self, text: InboxText) -> None:
        if not text.cancelled:
            self._shown[None].append(text)
            self._shown[text.gateway].append(text)
