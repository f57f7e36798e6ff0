"""Putting on record what a gateway says of its texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from iprog_async._client.following.awaited import Awaited
from iprog_async._client.following.rules import changed_receipt, is_for
from iprog_async._core.receipts import DeliveryStatus
from iprog_async._journal.rows import Row, Values, unpack_receipt
from iprog_async._journal.store import Bookmark, JournalStore


@frozen
class Heard:
    """What a gateway says of a text.

    Args:
        status: How far it has come.
        to: Whom it was for, where that is said, too.
    """

    status: DeliveryStatus
    to: str | None = None


class Record:
    """The journal's rows of one gateway.

    Args:
        store: The journal.
        provider: Name of the gateway.
    """

    def __init__(self, store: JournalStore, provider: str) -> None:
        self._store = store
        self._provider = provider
        self.changed = 0
        """How many rows were given another status."""

    async def bookmark(self) -> int:
        """Return which page of the gateway's list is to be read next."""
        return await self._store.bookmark(self._provider)

    async def note(
        self, heard: Mapping[str, Heard], awaited: Awaited, page: int | None = None
    ) -> None:
        """Put on record what was heard, and let go of it.

        Args:
            heard: By the gateway's ids.
            awaited: Where the rows are found.
            page: The page of the list to go on with.

        Raises:
            JournalError: It can't be read or written.
        """
        numbers = awaited.rows_of(heard)
        rows = await self._store.rows(numbers) if numbers else []
        changes = self._changes(rows, heard)
        mark = None if page is None else Bookmark(self._provider, page)
        if changes or mark is not None:
            await self._store.note_deliveries(changes, mark)
        self.changed += len(changes)
        for message_id in heard:
            awaited.drop(message_id)

    def _changes(self, rows: Sequence[Row], heard: Mapping[str, Heard]) -> list[tuple[Row, Values]]:
        changes: list[tuple[Row, Values]] = []
        for row in rows:
            if row.state != "accepted" or row.provider != self._provider:
                continue
            said = heard.get(unpack_receipt(row).message_id or "")
            # Neither the place in a list nor a hash tells whose a status is: the id does.
            if said is None or not is_for(row, said.to):
                continue
            receipt = changed_receipt(row, said.status)
            if receipt is not None:
                changes.append((row, row.as_accepted(receipt)))
        return changes
