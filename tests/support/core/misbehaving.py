"""What users' code gives that is no answer: objects that can't be looked at, and a cancellation."""

from __future__ import annotations

import asyncio
from typing import Any


class _UnboundError(RuntimeError):
    """What a row says whose session with a database is over."""


class Unseen:
    """An object that can't be shown."""

    def __repr__(self) -> str:
        raise _UnboundError


class Closed(Unseen):
    """An object that fails whatever it is asked."""

    def __str__(self) -> str:
        raise _UnboundError

    def __eq__(self, _: object) -> bool:
        raise _UnboundError

    def __bool__(self) -> bool:
        raise _UnboundError

    def __hash__(self) -> int:
        raise _UnboundError


CLOSED: Any = Closed()
"""What stands where something else is expected."""


async def await_cancelled() -> None:
    """Await a task of one's own that its owner cancels, as a look-up that several share."""
    shared = asyncio.create_task(asyncio.sleep(60))
    await asyncio.sleep(0)
    shared.cancel()
    await shared


def ask_cancelled() -> object:
    """Ask a future for its result that its owner cancelled; nothing is awaited."""
    shared = asyncio.get_running_loop().create_future()
    shared.cancel()
    return shared.result()
