"""Hearing at once that a transaction with texts was committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from iprog_async._core.errors import JournalError
from iprog_async._http.back_off import BackOff
from iprog_async._journal.postgres.address import PostgresAddress
from iprog_async._journal.postgres.connecting import connect_async
from iprog_async._journal.postgres.driver import driver
from iprog_async._journal.postgres.schema import quoted
from iprog_async._journal.postgres.tables.outbox import CHANNEL


logger = logging.getLogger("iprog_async")

_BACK_OFF = BackOff(0.2, 10.0)


async def listen(address: PostgresAddress, told: Callable[[], None]) -> None:
    """Call a function whenever there may be something to send, until this is cancelled.

    What is told while the connection is lost is found by looking, a moment later.

    Args:
        address: Where the outbox is.
        told: What to call.
    """
    payload, failures = quoted(address.schema), 0
    while True:
        try:
            async with await connect_async(address) as connection:
                await connection.execute(f"LISTEN {CHANNEL}")
                connection.answer_within = None
                failures = 0
                # What was committed before is not told.
                told()
                async for notify in connection.notifies():
                    if notify.payload == payload:
                        told()
        except (JournalError, driver().Error, OSError) as exc:
            failures += 1
            # The sender meets the same trouble, and says so.
            logger.debug("the outbox's listener lost its connection (%s)", type(exc).__name__)
        await asyncio.sleep(_BACK_OFF.draw_wait(max(failures, 1)))
