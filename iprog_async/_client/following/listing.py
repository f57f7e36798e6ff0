"""Finding texts in a gateway's list of messages, many with each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Protocol, TypeGuard

from iprog_async._client.following.awaited import Awaited
from iprog_async._client.following.record import Heard, Record
from iprog_async._client.following.rules import is_worth_another_page
from iprog_async._journal.reconcile import ListedMessage


class MessagePage(Protocol):
    """One page of a gateway's list."""

    @property
    def items(self) -> Sequence[ListedMessage]:
        """The messages on it."""
        ...

    @property
    def number(self) -> int:
        """Which page it is, from 1."""
        ...


class MessagePages(Protocol):
    """What lists messages a page at a time, the newest first."""

    def pages(
        self, *, start: datetime | None = None, first: int = 1
    ) -> AsyncGenerator[MessagePage]:
        """Iterate over the pages of messages since a time, from one of them on."""
        ...


class SupportsMessagePages(Protocol):
    """A provider that lists what the account sent, a page at a time."""

    @property
    def name(self) -> str:
        """Unique label of the account."""
        ...

    @property
    def messages(self) -> MessagePages:
        """The account's messages."""
        ...


def lists_pages(provider: object) -> TypeGuard[SupportsMessagePages]:
    """Return whether a provider lists messages a page at a time."""
    return hasattr(getattr(provider, "messages", None), "pages")


async def read_list(
    provider: SupportsMessagePages, awaited: Awaited, record: Record, start: datetime
) -> bool:
    """Read a gateway's list as far as that is worth it, and put on record what it says.

    Messages are told apart by the gateway's ids alone: while the list is read, new messages push
    others to later pages.

    Args:
        provider: Whose list.
        awaited: What to look for; what was found is let go of.
        record: Where statuses are written, after each page.
        start: From when on to look.

    Returns:
        Whether it was read from its beginning, so that what was not found is worth a question of
        its own; an earlier process may have read the first pages.

    Raises:
        SmsError: A page could not be read, or not written down; those before it are on record.
    """
    first = await record.bookmark()
    pages, found = 0, 0
    async with aclosing(provider.messages.pages(start=start, first=first)) as listed:
        async for page in listed:
            heard = {
                item.uid: Heard(item.delivery_status, item.to)
                for item in page.items
                if item.uid in awaited
            }
            await record.note(heard, awaited, page.number + 1)
            pages, found = pages + 1, found + len(heard)
            if not is_worth_another_page(pages, found, len(awaited)):
                break
    await record.note({}, awaited, 1)
    return first == 1
