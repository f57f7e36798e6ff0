"""Shared limits of the processes of one machine: a small SQLite file beside the journal.

It is not synced: a machine that crashes makes it anew, and so does whoever finds it damaged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from iprog_async._core.clock import uptime
from iprog_async._limits.sqlite_file import SqliteFile
from iprog_async._limits.store import Decide


R = TypeVar("R")

_SELECT = "SELECT state FROM limits WHERE name = ? AND boot = ?"
_UPSERT = "INSERT OR REPLACE INTO limits (name, boot, state) VALUES (?, ?, ?)"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SqliteLimitStore(SqliteFile):
    """Keeps the states in a file.

    Args:
        path: The file; made when it is first needed.
        salt: Goes into the names of accounts; the journal's.
        now: What tells the time; all processes of a machine agree on its uptime.
    """

    table = (
        "CREATE TABLE IF NOT EXISTS limits "
        "(name BLOB PRIMARY KEY, boot TEXT NOT NULL, state TEXT NOT NULL) WITHOUT ROWID"
    )
    synchronous = "OFF"
    may_be_made_anew = True

    def __init__(self, path: str, salt: bytes, now: Callable[[], float] = uptime) -> None:
        super().__init__(path)
        self._salt = salt
        self._now = now
        self._boot = _boot_id()

    async def change(self, name: bytes, decide: Decide[R]) -> R:
        """Replace a state by what `decide` makes of it, while no other process changes it.

        Raises:
            LimitStoreError: The file can't be used.
        """

        def work(connection: sqlite3.Connection) -> R:
            # Not before: another process may have written since.
            row = connection.execute(_SELECT, (name, self._boot)).fetchone()
            state, answer = decide("" if row is None else str(row[0]), self._now())
            connection.execute(_UPSERT, (name, self._boot, state))
            return answer

        return await self.transact(work)

    async def salt(self) -> bytes:
        """Return what goes into the names of accounts."""
        return self._salt


def _boot_id() -> str:
    """Return what names the time since the machine started; elsewhere than on Linux, nothing."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
