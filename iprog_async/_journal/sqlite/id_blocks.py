"""Numbers of rows: each opening of a journal's file, and each bulk run, has a block of its own.

So openings at the same time never give out a number twice, and what was there when a run began has
smaller numbers than what the run adds.
"""

from __future__ import annotations

import sqlite3

from iprog_async._journal.sqlite.integrity import seal_meta


# A block is as large as no file will be, and SQLite has room for two thousand million of them.
_BITS = 32


def lease_block(connection: sqlite3.Connection, own: int = -1) -> int:
    """Return a block that nobody else has or will have; called within a transaction.

    Args:
        connection: The database.
        own: The caller's present block, which will do if it is the last one and no row has a
            number of it.
    """
    (known,) = connection.execute("SELECT value FROM meta WHERE name = 'blocks'").fetchone()
    (last,) = connection.execute("SELECT coalesce(max(id), -1) FROM entries").fetchone()
    if known == own + 1 and last < first_of(own):
        return own
    # A file that lost records may not know of all that were given out.
    block = max(int(known), (int(last) >> _BITS) + 1)
    connection.execute("UPDATE meta SET value = ? WHERE name = 'blocks'", (block + 1,))
    seal_meta(connection)
    return block


def first_of(block: int) -> int:
    """Return the first number of a block; each smaller one is of an earlier block."""
    return (block << _BITS) + 1


def attempt_of(block: int) -> int:
    """Return what marks the claims of the opening that has a block; 0 is nobody."""
    return block + 1
