"""Pruning and forgetting, step by step: between two the journal's thread serves others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from iprog_async._core.clock import uptime
from iprog_async._core.errors import JournalError
from iprog_async._journal.postgres.connecting import Connection
from iprog_async._journal.postgres.upkeep.removal import Removal
from iprog_async._journal.rows import Row


T = TypeVar("T")

_sleep = asyncio.sleep
# A vacuum of a large campaign takes its time; whoever sends is kept waiting by each try.
_SECONDS_TO_TRY = 120.0
_SECONDS_BETWEEN_TRIES = 1.0


class Ask(Protocol):
    """Has something done with the journal's connection."""

    async def __call__(self, work: Callable[[Connection], T], /) -> T:
        """Do it, and return what came of it."""
        ...


async def prune(ask: Ask, removal: Removal, days: int) -> int:
    """Take the people out of rows that nobody has claimed for so many days; return how many.

    Raises:
        JournalError: It can't be written, or others have the rows locked for too long.
    """
    after = count = 0
    while numbers := await ask(partial(removal.find_old, after=after, days=days)):
        count += await _when_free(ask, partial(removal.hide_old, numbers=numbers, days=days))
        after = numbers[-1]
    await ask(partial(removal.prune_outbox, days=days))
    return count


async def forget(ask: Ask, removal: Removal, number: str, rows: Sequence[Row]) -> int:
    """Take a person out of their rows, of the outbox, and of what others' errors say.

    Args:
        ask: Has something done.
        removal: What does it.
        number: The person's.
        rows: All rows of it, as they were read.

    Raises:
        JournalError: A row was written since, texts wait to be sent, it can't be written, or others
            have the rows locked for too long.
    """
    count = await _when_free(ask, partial(removal.forget, number=number, rows=rows))
    after: int | None = 0
    while after is not None:
        after = await ask(partial(removal.forget_mentions, number=number, after=after))
    return count


async def _when_free(ask: Ask, work: Callable[[Connection], int | None]) -> int:
    """Have something done as soon as nobody else has the rows locked."""
    until = uptime() + _SECONDS_TO_TRY
    while (count := await ask(work)) is None:
        if uptime() > until:
            raise JournalError(
                "others have the rows of the campaign locked, such as a VACUUM, an index that is "
                "being made, or a session that was left open. What is done stays done, and the "
                "rest is as it was: run it again when they have ended"
            )
        await _sleep(_SECONDS_BETWEEN_TRIES)
    return count
