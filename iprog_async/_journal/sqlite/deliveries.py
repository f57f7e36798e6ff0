"""How far accepted texts have come, as it becomes known after they were sent."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from iprog_async._core.receipts import FINAL_STATES
from iprog_async._journal.rows import Row, Values
from iprog_async._journal.sqlite.integrity import seal_meta, transaction
from iprog_async._journal.sqlite.queries import by_id, marks, parts, read_row
from iprog_async._journal.sqlite.schema import SEEN
from iprog_async._journal.store import Bookmark


_PAGE = 1000
_UNFINISHED = f"""
SELECT {SEEN} FROM entries
WHERE id > ? AND state = 'accepted' AND coalesce(status, '') NOT IN ({marks(FINAL_STATES)})
ORDER BY id LIMIT {_PAGE}
"""  # noqa: S608 - names and marks only
# The checksum is of all that a row holds: the one that was read is still there.
_CHANGE = """
UPDATE entries SET detail = ?, status = ?, checksum = ?
WHERE id = ? AND state = 'accepted' AND checksum = ?
"""
_DETAIL = 8


def read_unfinished(connection: sqlite3.Connection, after: int) -> list[Row]:
    """Return the next accepted rows whose delivery is not final."""
    asked = (after, *sorted(FINAL_STATES))
    return list(map(read_row, connection.execute(_UNFINISHED, asked)))


def read_rows(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Row]:
    """Return rows by their numbers."""
    return [
        read_row(values)
        for some in parts(numbers)
        for values in connection.execute(by_id(len(some)), some)
    ]


def write_deliveries(
    connection: sqlite3.Connection,
    changes: Sequence[tuple[Row, Values]],
    bookmark: Bookmark | None,
) -> None:
    """Put statuses on record, and where to go on; see `JournalStore`."""
    with transaction(connection):
        for row, columns in changes:
            before = (row.on_record or (None,))[0]
            connection.execute(_CHANGE, (*columns[_DETAIL:], row.id, before))
        if bookmark is not None:
            place = (_name(bookmark.provider), bookmark.page)
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", place)
            seal_meta(connection)


def read_bookmark(connection: sqlite3.Connection, provider: str) -> int:
    """Return which page of a gateway's list is to be read next."""
    found = connection.execute("SELECT value FROM meta WHERE name = ?", (_name(provider),))
    value = found.fetchone()
    return 1 if value is None else int(value[0])


def _name(provider: str) -> str:
    return f"page of {provider}"
