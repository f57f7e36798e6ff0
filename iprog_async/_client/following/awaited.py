"""The texts that await a final status, by the gateway's id, in little memory."""

from __future__ import annotations

from collections.abc import Iterable

from iprog_async._journal.pseudonyms import is_pseudonym
from iprog_async._journal.rows import unpack_receipt
from iprog_async._journal.store import JournalStore


class Awaited:
    """The rows that one gateway's ids stand for.

    There may be a million of them, so it keeps hashes instead of ids, and numbers instead of rows:
    whoever finds a row here looks whether it has the very id.
    """

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        # A request for many that the gateway queues has one id for all of them.
        self._more: dict[int, list[int]] = {}

    def add(self, message_id: str, row: int) -> None:
        """Take one more row."""
        first = self._rows.setdefault(hash(message_id), row)
        if first != row:
            self._more.setdefault(hash(message_id), []).append(row)

    def rows_of(self, message_ids: Iterable[str]) -> list[int]:
        """Return the numbers of the rows that may have one of some ids."""
        found: list[int] = []
        for place in map(hash, message_ids):
            if place in self._rows:
                found += [self._rows[place], *self._more.get(place, ())]
        return found

    def drop(self, message_id: str) -> None:
        """Let go of an id that was answered for."""
        self._rows.pop(hash(message_id), None)
        self._more.pop(hash(message_id), None)

    def __contains__(self, message_id: str) -> bool:
        return hash(message_id) in self._rows

    def __len__(self) -> int:
        """Return how many ids there are."""
        return len(self._rows)


class Unfinished:
    """What a look at a journal found.

    Args:
        by_provider: What each gateway is to be asked about.
        without_id: How many texts have no id.
        numbers: How many texts each gateway has an id of.
    """

    def __init__(self) -> None:
        self.by_provider: dict[str, Awaited] = {}
        self.without_id = 0
        self.numbers: dict[str, int] = {}


async def read_unfinished(store: JournalStore) -> Unfinished:
    """Read which texts of a journal have no final status.

    Raises:
        JournalError: The journal can't be read, or a row is damaged.
    """
    found, after = Unfinished(), 0
    while page := await store.unfinished(after):
        after = page[-1].id
        for row in page:
            if is_pseudonym(row.number):
                continue
            message_id = unpack_receipt(row).message_id
            if message_id is None:
                found.without_id += 1
                continue
            found.numbers[row.provider] = found.numbers.get(row.provider, 0) + 1
            found.by_provider.setdefault(row.provider, Awaited()).add(message_id, row.id)
    return found
