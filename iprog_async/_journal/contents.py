"""What is in a journal, for people: counts, entries, and their export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import IO, Protocol

from iprog_async._journal.entries import STATES, ExportFormat, JournalEntry, export, to_entry
from iprog_async._journal.rows import Row


RowCounts = Mapping[tuple[str, str | None], int]
"""How many rows there are, by state and delivery status."""


class Pages(Protocol):
    """Rows of a journal, a page at a time."""

    async def counts(self) -> RowCounts:
        """Return how many rows there are."""
        ...

    async def page(self, after: int, states: Sequence[str]) -> list[Row]:
        """Return the next rows after one, of some states or of all, in order."""
        ...


_DELIVERIES: dict[str | None, str] = {
    "delivered": "delivered",
    "sent": "sent",
    "failed": "failed",
    "pending": "pending",
    "unknown": "unclear",
}


def deliveries_of(counts: RowCounts) -> dict[str, int]:
    """Return how far the accepted rows have come, from the counts of all."""
    found = dict.fromkeys(_DELIVERIES.values(), 0)
    for (state, status), count in counts.items():
        if state == "accepted":
            found[_DELIVERIES.get(status, "unclear")] += count
    return found


async def rows_of(pages: Pages, *states: str) -> AsyncIterator[Row]:
    """Iterate over the rows of some states, or over all, in order."""
    after = 0
    while page := await pages.page(after, states):
        for row in page:
            yield row
        after = page[-1].id


class JournalContents:
    """Reads a journal.

    Args:
        pages: Its rows.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def counts(self) -> dict[str, int]:
        """Return how many messages are `accepted`, `not_sent`, `unknown` and `waiting`.

        `failed` are those of the accepted that the gateway reported as failed, in the answer that
        accepted them or to a follow-up. What is on its way at this moment counts as unknown.

        Raises:
            JournalError: The journal can't be read.
        """
        counts: dict[str, int] = dict.fromkeys(
            ("accepted", "failed", "not_sent", "unknown", "waiting"), 0
        )
        for (state, status), count in (await self._pages.counts()).items():
            counts[STATES[state]] += count
            if status == "failed":
                counts["failed"] += count
        return counts

    async def deliveries(self) -> dict[str, int]:
        """Return how many of the accepted messages are `delivered`, `sent`, `failed` and `pending`.

        It is what the answers that accepted them said, and a follow-up since. `unclear` are those
        whose status no table of this library knows.

        Raises:
            JournalError: The journal can't be read.
        """
        return deliveries_of(await self._pages.counts())

    async def unknown(self) -> AsyncIterator[JournalEntry]:
        """Iterate over the messages of which nobody knows whether they went out.

        Raises:
            JournalError: The journal can't be read.
        """
        async for row in rows_of(self._pages, "claimed", "unknown"):
            yield to_entry(row)

    async def entries(self) -> AsyncIterator[JournalEntry]:
        """Iterate over all messages, in the order in which they were first claimed.

        Raises:
            JournalError: The journal can't be read.
        """
        async for row in rows_of(self._pages):
            yield to_entry(row)

    async def failed(self) -> AsyncIterator[JournalEntry]:
        """Iterate over the accepted messages that failed at the gateway.

        Raises:
            JournalError: The journal can't be read.
        """
        async for row in rows_of(self._pages, "accepted"):
            if row.status == "failed":
                yield to_entry(row)

    async def export(
        self,
        file: IO[str],
        *,
        format: ExportFormat = "csv",  # noqa: A002 - the word users know
        failed_only: bool = False,
    ) -> int:
        """Write all messages to a text file, a line each.

        Args:
            file: A file open for writing text; for CSV with `newline=""`.
            format: `"csv"`, in which a cell that a spreadsheet would take for a formula begins
                with an apostrophe, or `"jsonl"`.
            failed_only: Write those only that were accepted and failed at the gateway.

        Returns:
            The number of messages.

        Raises:
            ConfigurationError: There is no such format.
            JournalError: The journal can't be read.
        """
        return await export(self.failed() if failed_only else self.entries(), file, format)
