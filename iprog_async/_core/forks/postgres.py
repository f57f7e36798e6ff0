"""Ending a connection to PostgreSQL in a process that may have been forked off since."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from psycopg import AsyncConnection, Connection


def end_connection(process: int, connection: AsyncConnection[Any] | Connection[Any]) -> None:
    """Close a connection, whatever became of its event loop; a copy that came with a fork quietly.

    Args:
        process: The process that made it.
        connection: The connection.
    """
    if process != os.getpid():
        # The server has one session for both, so the word that it ends must not leave from here.
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, connection.pgconn.socket)
        os.close(nowhere)
    # As `close` does, it waits for nothing, and needs no loop.
    connection.pgconn.finish()
