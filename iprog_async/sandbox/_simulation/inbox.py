"""The accepted texts, kept so that the newest of them are found without looking at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, overload

from attrs import Attribute, define, field

from iprog_async._core.receipts import DeliveryState
from iprog_async._core.segments import count_segments
from iprog_async.sandbox._simulation.exchange import Exchange
from iprog_async.sandbox._simulation.revision import Revision


# A text for a number that ends like this is not delivered, so that a test can ask for it.
FAILS_DELIVERY = "0000"


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number)).removeprefix("00")


def _touch(text: InboxText, attribute: Attribute[Any], value: Any) -> Any:
    if attribute.name == "cancelled":
        text.revision.withdrawals += 1
    text.revision.bump()
    return value


@define(on_setattr=_touch)
class InboxText:
    """One text that a gateway of the sandbox accepted.

    Args:
        gateway: Prefix of the gateway, such as `"iprog"`.
        to: Recipient, as the gateway was given it.
        text: What the phone shows.
        sender_id: Name or number shown as sender.
        message_id: The gateway's id.
        accepted_at: When it was accepted, in UTC.
        due_at: When it leaves the gateway: later than `accepted_at` for a scheduled text.
        delivered_after: Seconds from leaving to the final status.
        cancelled: Whether it was called off before it left.
        serial: Its place among all texts of the sandbox, from 1.
        exchange: The request that it came with.
        revision: What is told when it changes.
    """

    gateway: str
    to: str
    text: str
    sender_id: str
    message_id: str
    accepted_at: datetime
    due_at: datetime
    delivered_after: float
    cancelled: bool = False
    serial: int = field(default=0, kw_only=True, eq=False)
    exchange: Exchange | None = field(default=None, kw_only=True, eq=False, repr=False)
    revision: Revision = field(factory=Revision, kw_only=True, eq=False, repr=False)

    @property
    def final_at(self) -> datetime:
        """When its delivery is decided, in UTC."""
        return self.due_at + timedelta(seconds=self.delivered_after)

    @property
    def final_state(self) -> DeliveryState:
        """How its delivery ends."""
        return "failed" if self.to.endswith(FAILS_DELIVERY) else "delivered"

    def state(self, now: datetime) -> DeliveryState:
        """Return how far it has come."""
        return "pending" if now < self.final_at else self.final_state

    def is_for(self, gateway: str | None = None, to: str | None = None) -> bool:
        """Return whether it went through a gateway, to a number; `None` stands for any."""
        return gateway in (None, self.gateway) and (to is None or _digits(to) == _digits(self.to))

    def to_dict(self, now: datetime) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        segments = count_segments(self.text)
        return {
            "gateway": self.gateway,
            "to": self.to,
            "text": self.text,
            "sender_id": self.sender_id,
            "message_id": self.message_id,
            "accepted_at": self.accepted_at.isoformat(),
            "due_at": self.due_at.isoformat(),
            "state": self.state(now),
            "segments": segments.count,
            "encoding": segments.encoding,
        }


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
