"""A gateway that lists its messages a page at a time, and tells the status of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime

from attrs import define, field, frozen

from iprog_async import DeliveryStatus, NotFoundError, SmsError
from support.core.fakes import FakeProvider


PER_PAGE = 25


@frozen
class Item:
    """A message as the gateway lists it."""

    uid: str
    to: str | None
    delivery_status: DeliveryStatus
    message: str | None = None


@frozen
class Page:
    """One page of the list."""

    items: Sequence[Item]
    number: int


@define
class Pages:
    """The list, the newest first, and which of its pages were asked for.

    Args:
        items: What is listed.
        asked: Which pages were read.
        after: Called after each page, with its number.
        starts: From when on they were asked for.
    """

    items: list[Item] = field(factory=list[Item])
    asked: list[int] = field(factory=list[int])
    after: Callable[[int], None] = lambda _: None
    starts: list[datetime | None] = field(factory=list[datetime | None])

    async def pages(self, *, start: datetime | None = None, first: int = 1) -> AsyncGenerator[Page]:
        """Iterate over the pages, as the list is at each moment."""
        self.starts.append(start)
        number = first
        while True:
            self.asked.append(number)
            items = self.items[(number - 1) * PER_PAGE : number * PER_PAGE]
            yield Page(items, number)
            self.after(number)
            if number * PER_PAGE >= len(self.items):
                return
            number += 1


@frozen(kw_only=True, eq=False, slots=False)
class AskedProvider(FakeProvider):
    """A provider that tells statuses; what it was asked for is kept.

    Args:
        statuses: By id, what it says, one answer after the other; the last one is repeated.
        asked: The ids that it was asked for.
    """

    statuses: dict[str, list[DeliveryStatus | SmsError]] = field(
        factory=dict[str, "list[DeliveryStatus | SmsError]"]
    )
    asked: list[str] = field(factory=list[str])

    async def status(self, message_id: str, /) -> DeliveryStatus:
        """Return the next status of a text, or raise the next error."""
        self.asked.append(message_id)
        answers = self.statuses.get(message_id)
        if answers is None:
            raise NotFoundError("no such text", provider=self.name)
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, SmsError):
            raise answer
        return answer


@frozen(kw_only=True, eq=False, slots=False)
class PagesProvider(AskedProvider):
    """A provider that lists messages, too."""

    messages: Pages = field(factory=Pages)
