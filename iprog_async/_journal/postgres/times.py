"""Times of the database as Python can hold them; needs the driver to be installed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from psycopg import DataError
from psycopg.types.datetime import TimestamptzLoader


if TYPE_CHECKING:
    from iprog_async._journal.postgres.connecting import AsyncConnection

FIRST = datetime.min.replace(tzinfo=UTC)
"""Stands for all times before it."""
LAST = datetime.max.replace(tzinfo=UTC)
"""Stands for all times after it, and for ever."""

# As the driver reads them, whatever the server and the role are set to.
_SETTINGS = "SELECT set_config('TimeZone', 'UTC', false)"


class _Bounded(TimestamptzLoader):
    """Reads any time: of what no `datetime` holds, the first or the last one that there is.

    An error would lose all other rows of a statement with it.
    """

    def load(self, data: bytes | bytearray | memoryview) -> datetime:
        try:
            return super().load(data)
        except DataError:
            words = bytes(data)
            return FIRST if words.startswith(b"-") or words.endswith(b"BC") else LAST


async def bound_times(connection: AsyncConnection) -> None:
    """Let a connection read any time that a row may have."""
    connection.adapters.register_loader("timestamptz", _Bounded)
    await connection.execute(_SETTINGS)
